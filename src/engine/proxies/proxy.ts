import type { Given } from '../organizations/organization.ts'

export type ThrottlingUnit = 'Mbps' | 'MBs' | 'KBs'

/** The bandwidth that an administrator allows, kept while it is off. */
export interface Throttling {
  readonly isOn: boolean
  readonly value?: number
  /** Megabits, or 1024² or 1024 bytes, a second; Mbps unless told. */
  readonly unit?: ThrottlingUnit
}

/** What may be changed of a proxy; what is left out stays. */
export interface ProxyInput {
  readonly description?: Given<string>
  readonly port?: Given<number>
  readonly hostName?: Given<string>
  readonly useInternetProxy?: Given<boolean>
  readonly enableNetworkThrottling?: Given<boolean>
  readonly throttlingValue?: Given<number>
  readonly throttlingUnit?: Given<ThrottlingUnit>
}

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
  readonly throttlingValue?: number
  readonly throttlingUnit?: ThrottlingUnit
  readonly status: 'Online' | 'Offline'
  readonly maintenanceModeState: 'Disabled'
  readonly role: readonly ('Orchestrator' | 'Scheduler' | 'Processor')[]
  readonly version: string
}
