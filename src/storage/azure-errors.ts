import { HoldfastError, isHoldfastError, type ErrorCode } from '#base'

/** What Azure's word for a failure means here, where its status alone would say something else. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  AccountBeingCreated: 'unavailable',
  AccountIsDisabled: 'denied',
  BlobArchived: 'denied',
  BlobBeingRehydrated: 'unavailable',
  BlobImmutableDueToPolicy: 'denied',
  BlobImmutableDueToLegalHold: 'denied',
  ContainerBeingDeleted: 'unavailable',
  ContainerDisabled: 'denied',
  IncompleteBody: 'unavailable',
  Md5Mismatch: 'unavailable',
  OperationTimedOut: 'timeout',
  ServerBusy: 'throttled',
  UnauthorizedBlobOverwrite: 'denied',
}
const STATUSES: Readonly<Record<number, ErrorCode>> = {
  400: 'invalid',
  401: 'denied',
  403: 'denied',
  404: 'not-found',
  408: 'timeout',
  409: 'conflict',
  412: 'conflict',
  413: 'too-large',
  429: 'throttled',
  504: 'timeout',
  507: 'full',
}
/** Words of Node for a certificate that nobody we trust has signed, or that is for somebody else. */
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|ALTNAME/

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined

/** The status of an answer; undefined when there was none. */
export const statusOf = (error: unknown): number | undefined => {
  const status = fieldOf(error, 'statusCode')
  return typeof status === 'number' ? status : undefined
}

/** Azure's or the network's word: `BlobNotFound`, `ECONNREFUSED`. An answer to HEAD has it in a header alone. */
export const reasonOf = (error: unknown): string | undefined =>
  textOf(fieldOf(fieldOf(error, 'details'), 'errorCode')) ??
  textOf(
    fieldOf(fieldOf(error, 'response'), 'headers') === undefined
      ? undefined
      : headerOf(error, 'x-ms-error-code'),
  ) ??
  textOf(fieldOf(error, 'code'))

const headerOf = (error: unknown, name: string): string | undefined => {
  const headers = fieldOf(fieldOf(error, 'response'), 'headers')
  const get = fieldOf(headers, 'get')
  return typeof get === 'function' ? textOf(Reflect.apply(get, headers, [name])) : undefined
}

const retryAfterMsOf = (error: unknown): number | undefined => {
  const seconds = Number(headerOf(error, 'retry-after') ?? Number.NaN)
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined
}

const codeOf = (status: number | undefined, reason: string): ErrorCode => {
  if (status === undefined) return CERTIFICATE.test(reason) ? 'denied' : 'unavailable'
  return CODES[reason] ?? STATUSES[status] ?? 'unavailable'
}

/**
 * The same failure in our terms. Neither the message nor a cause of the library goes on: they hold the signed request.
 */
export const azureError = (error: unknown, action: string): Error => {
  if (isHoldfastError(error)) return error
  const name = fieldOf(error, 'name')
  if (error instanceof Error && name !== 'RestError' && name !== 'AbortError') {
    // What the library throws before it has sent anything: its words may quote what it was given.
    return new HoldfastError('unavailable', `cannot ${action}: ${error.constructor.name} before the request`)
  }
  const status = statusOf(error)
  const reason = reasonOf(error) ?? (status === undefined ? 'no answer' : `status ${status}`)
  const retryAfterMs = retryAfterMsOf(error)
  const why =
    status === undefined && CERTIFICATE.test(reason) ? `certificate not trusted (${reason})` : reason
  return new HoldfastError(codeOf(status, reason), `cannot ${action}: ${why}`, {
    reason,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  })
}
