export interface Proxy {
  readonly id: string
  readonly type: 'Local'
  readonly hostName: string
  readonly fqdn: string
  readonly description: string
  readonly port: number
  readonly operatingSystem: 'Windows' | 'Linux'
  readonly useInternetProxy: boolean
  readonly enableNetworkThrottling: boolean
  readonly status: 'Online' | 'Offline'
  readonly maintenanceModeState: 'Disabled'
  readonly role: readonly ('Orchestrator' | 'Scheduler' | 'Processor')[]
  readonly version: string
}
