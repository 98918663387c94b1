import type { Secret } from '#base'

/** The clouds of Azure that have a default host. */
export type AzureCloud = 'Global' | 'China' | 'USGovernment'

/** Where new packs are kept. Archived blobs cannot be read for hours, so that tier is not offered. */
export type AzureTier = 'Hot' | 'Cool' | 'Cold'

/** An account of Azure Blob storage and what opens it: its key, or a shared access signature. */
export interface AzureAccountOptions {
  readonly accountName: string
  readonly credential:
    | { readonly accountKey: Secret }
    /** The query part of a URL, with or without its `?`. */
    | { readonly sharedAccessSignature: Secret }
  /** URL of the blob service, with the account in its path where the service wants it there; wins over `cloud`. */
  readonly endpoint?: string
  /** Global unless told. */
  readonly cloud?: AzureCloud
  /** PEM, trusted beside the well-known authorities. */
  readonly ca?: string
  /** Until a call without much data fails with `timeout`; a minute unless told. Data has longer, by its size. */
  readonly timeoutMs?: number
}

const HOSTS: Readonly<Record<AzureCloud, string>> = {
  Global: 'blob.core.windows.net',
  China: 'blob.core.chinacloudapi.cn',
  USGovernment: 'blob.core.usgovcloudapi.net',
}

/** The address of the blob service of an account, without a credential and without a slash at its end. */
export const azureEndpoint = ({
  accountName,
  endpoint,
  cloud = 'Global',
}: Pick<AzureAccountOptions, 'accountName' | 'endpoint' | 'cloud'>): string =>
  (endpoint ?? `https://${accountName}.${HOSTS[cloud]}`).replace(/\/+$/, '')
