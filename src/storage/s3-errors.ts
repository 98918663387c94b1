import { HoldfastError, isHoldfastError, type ErrorCode } from '#base'

/** What S3's word for a failure means here, where its status alone would say something else. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  AddressNotAllowed: 'denied',
  BadDigest: 'unavailable',
  // Something else was written at the same moment.
  ConditionalRequestConflict: 'unavailable',
  EntityTooLarge: 'too-large',
  ExpiredToken: 'denied',
  IncompleteBody: 'unavailable',
  InsufficientCapacity: 'full',
  InvalidAccessKeyId: 'denied',
  InvalidDigest: 'unavailable',
  // The object is archived.
  InvalidObjectState: 'denied',
  InvalidToken: 'denied',
  // A bucket that vanished is not a file that is not there: nobody may conclude that its packs are lost.
  NoSuchBucket: 'unavailable',
  NotImplemented: 'not-built',
  OperationAborted: 'unavailable',
  QuotaExceeded: 'full',
  RequestLimitExceeded: 'throttled',
  // The library takes the storage's time from the answer; the next try is signed with it.
  RequestTimeTooSkewed: 'unavailable',
  RequestTimeout: 'timeout',
  SlowDown: 'throttled',
  SlowDownRead: 'throttled',
  SlowDownWrite: 'throttled',
  Throttling: 'throttled',
  ThrottlingException: 'throttled',
  TimeoutError: 'timeout',
  ETIMEDOUT: 'timeout',
  TooManyRequests: 'throttled',
  XAmzContentSHA256Mismatch: 'unavailable',
  XMinioStorageFull: 'full',
}
const STATUSES: Readonly<Record<number, ErrorCode>> = {
  400: 'invalid',
  401: 'denied',
  403: 'denied',
  404: 'not-found',
  405: 'not-built',
  408: 'timeout',
  409: 'conflict',
  412: 'conflict',
  413: 'too-large',
  429: 'throttled',
  501: 'not-built',
  504: 'timeout',
  507: 'full',
}
const WORDS: Readonly<Record<string, string>> = {
  AccessDenied: 'the access key may not do this',
  AddressNotAllowed: 'its host is in a network that the server does not go to',
  InvalidAccessKeyId: 'the access key is not known there',
  InvalidObjectState: 'it is archived and has to be brought back first',
  NoSuchBucket: 'there is no such bucket',
  QuotaExceeded: 'the quota is used up',
  RequestTimeTooSkewed: 'the clocks of this machine and of the storage differ too much',
  SignatureDoesNotMatch: 'the secret key does not belong to the access key',
}
/** Words of Node for a certificate that nobody we trust has signed, or that is for somebody else. */
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|ALTNAME/
/** The library's own names where an answer had no word. */
const WORDLESS = new Set(['UnknownError', 'Unknown', 'Error', 'Forbidden', 'BadRequest', '400', '403'])

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined

/** The status of an answer; undefined when there was none. */
export const statusOf = (error: unknown): number | undefined => {
  const status = fieldOf(fieldOf(error, '$metadata'), 'httpStatusCode')
  return typeof status === 'number' ? status : undefined
}

/** A header of the answer that was an error. */
export const headerOf = (error: unknown, name: string): string | undefined =>
  textOf(fieldOf(fieldOf(fieldOf(error, '$response'), 'headers'), name))

/** S3's or the network's word: `NoSuchKey`, `ECONNREFUSED`. An answer to HEAD has none. */
export const reasonOf = (error: unknown): string | undefined => {
  const word =
    textOf(fieldOf(error, 'Code')) ?? textOf(fieldOf(error, 'code')) ?? textOf(fieldOf(error, 'name'))
  return word === undefined || WORDLESS.has(word) || !/^[\w.]{1,80}$/.test(word) ? undefined : word
}

/** An answer that says no without a reason, as all to HEAD do. */
export const isWordless = (error: unknown): boolean =>
  [400, 401, 403].includes(statusOf(error) ?? 0) && reasonOf(error) === undefined

const retryAfterMsOf = (error: unknown): number | undefined => {
  const seconds = Number(headerOf(error, 'retry-after') ?? Number.NaN)
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined
}

/** Where the bucket is, when it is not where we asked. */
const otherRegionOf = (error: unknown, region: string): string | undefined => {
  if (![301, 307, 400].includes(statusOf(error) ?? 0)) return undefined
  const told = headerOf(error, 'x-amz-bucket-region') ?? textOf(fieldOf(error, 'Region'))
  return told === region ? undefined : told
}

const certificateWord = (status: number | undefined, reason: string): string | undefined =>
  status === undefined && CERTIFICATE.test(reason) ? 'its certificate is not trusted' : undefined

const codeOf = (error: unknown, reason: string): ErrorCode => {
  const status = statusOf(error)
  const known = CODES[reason]
  if (known !== undefined) return known
  if (status === undefined) return certificateWord(status, reason) === undefined ? 'unavailable' : 'denied'
  return STATUSES[status] ?? 'unavailable'
}

/**
 * The same failure in our terms. Neither the message nor the cause of the library goes on: they may hold the signed
 * request.
 */
export const s3Error = (error: unknown, action: string, region: string): HoldfastError => {
  if (isHoldfastError(error)) return error
  const otherRegion = otherRegionOf(error, region)
  if (otherRegion !== undefined) {
    return new HoldfastError(
      'invalid',
      `cannot ${action}: the bucket is in region ${otherRegion}, not in ${region}`,
      { reason: 'WrongRegion', property: 'region' },
    )
  }
  const status = statusOf(error)
  // An answer that is no XML is not one of S3: the address of a web page, say.
  const foreign = status === 200 || error instanceof SyntaxError
  const reason = foreign ? 'NotS3' : (reasonOf(error) ?? `HTTP ${status ?? 'without an answer'}`)
  const retryAfterMs = retryAfterMsOf(error)
  const why = foreign ? 'what answers there is not S3' : (WORDS[reason] ?? certificateWord(status, reason))
  return new HoldfastError(
    codeOf(error, reason),
    `cannot ${action}: ${why === undefined ? reason : `${why} (${reason})`}`,
    { reason, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) },
  )
}
