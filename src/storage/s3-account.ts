import type { LookupFunction } from 'node:net'
import { invalid, type Secret } from '#base'

/** An access key of Amazon S3, or of a storage that speaks its language, and where that is. */
export interface S3AccountOptions {
  /** `https://s3.example.com:9000`; Amazon's own of the region unless told. */
  readonly endpoint?: string
  /** `eu-central-1`. Storages that know no regions take `us-east-1`, or any. */
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: Secret
  /** Whether the bucket stands in the path or before the host; `path` unless told, at Amazon `virtual-host`. */
  readonly addressing?: S3Addressing
  /** PEM, trusted beside the well-known authorities. */
  readonly ca?: string
  /**
   * Whether checksums of the newer kind go with every request. Older storages refuse them, so they are sent only where
   * S3 wants them unless told; at Amazon always.
   */
  readonly checksums?: S3Checksums
  /** Resolves the names of hosts, that of a bucket too; the system does unless told. */
  readonly lookup?: LookupFunction
  /** Until a call without much data fails with `timeout`; a minute unless told. Data has longer, by its size. */
  readonly timeoutMs?: number
}

export type S3Addressing = 'path' | 'virtual-host'
export type S3Checksums = 'WHEN_REQUIRED' | 'WHEN_SUPPORTED'

const AMAZON = /(^|\.)amazonaws\.com(\.cn)?$/

/** Amazon's own service: what it can is known, where others have to be tried. */
export const isAmazon = ({ endpoint }: Pick<S3AccountOptions, 'endpoint'>): boolean =>
  endpoint === undefined || AMAZON.test(new URL(endpoint).hostname)

/** The address of the service, without a credential and without a slash at its end. Throws `invalid`. */
export const s3Endpoint = ({ endpoint, region }: Pick<S3AccountOptions, 'endpoint' | 'region'>): string => {
  if (!/^[a-z0-9][a-z0-9-]{0,62}$/i.test(region))
    throw invalid('a region has letters, digits and hyphens', 'region')
  if (endpoint === undefined)
    return `https://s3.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`
  if (!URL.canParse(endpoint)) throw invalid('the endpoint is not a URL', 'endpoint')
  const url = new URL(endpoint)
  if (!/^https?:$/.test(url.protocol) || url.username !== '' || url.search !== '' || url.hash !== '')
    throw invalid('the endpoint is a URL with http or https and without credentials or a query', 'endpoint')
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '')
}
