export { microsoft365, type Limits, type Microsoft365, type Microsoft365Options } from './microsoft-365.ts'
export type { CloudHosts, HostOverrides } from './hosts.ts'
