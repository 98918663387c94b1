import { HoldfastError, type ErrorCode } from '#base'
import { contractOf, object, oneOf, text } from '../contract/schema.ts'
import { schemaFor } from '../contract/schema-for.ts'
import { VERSIONS, type Version } from '../contract/versions.ts'
import { writerFor, type Writer } from '../contract/write-output.ts'

interface Edge {
  readonly status: number
  readonly errorCode: string
}

/** The only table from our codes to HTTP. */
const EDGE: Readonly<Record<ErrorCode, Edge>> = {
  invalid: { status: 400, errorCode: 'ParameterValidationFailure' },
  unauthenticated: { status: 401, errorCode: 'ResourceAccessDenied' },
  denied: { status: 403, errorCode: 'ResourceAccessDenied' },
  'not-found': { status: 404, errorCode: 'ResourceNotFound' },
  // Programs take 500 for a restore session that has ended, and open another one.
  gone: { status: 500, errorCode: 'ResourceNotFound' },
  conflict: { status: 409, errorCode: 'OperationConflict' },
  'too-large': { status: 413, errorCode: 'ParameterValidationFailure' },
  throttled: { status: 429, errorCode: 'HttpError' },
  unavailable: { status: 502, errorCode: 'HttpError' },
  timeout: { status: 504, errorCode: 'Timeout' },
  cancelled: { status: 503, errorCode: 'OperationConflict' },
  corrupt: { status: 500, errorCode: 'HttpError' },
  full: { status: 507, errorCode: 'HttpError' },
  'not-built': { status: 501, errorCode: 'HttpError' },
}

/** Where a reason says more than its code. */
const STATUS_OF_REASON: ReadonlyMap<string, number> = new Map([
  ['unsupported-media-type', 415],
  ['method-not-allowed', 405],
  ['overloaded', 503],
])

const ERROR_CODES = [
  'ProxyOffline',
  'ResourceAccessDenied',
  'ResourceNotFound',
  'ParameterValidationFailure',
  'Timeout',
  'OperationConflict',
  'HttpError',
] as const

const sinceV8 = Object.fromEntries(ERROR_CODES.slice(1).map((code) => [code, { since: 'v8' as const }]))

/** The body of every error but those of the token endpoint. */
export const ErrorBody = object('Error', {
  message: text({ description: 'What is wrong, for a person.' }),
  errorCode: oneOf(ERROR_CODES, {
    since: 'v7',
    valueLifetimes: sinceV8,
    description: 'What is wrong, for a program.',
  }),
})

const writers: Readonly<Record<Version, Writer>> = Object.fromEntries(
  VERSIONS.map((version) => [version, writerFor(schemaFor(version, contractOf(ErrorBody), 'output'))]),
) as Record<Version, Writer>

export interface ErrorAnswer {
  readonly status: number
  readonly body: unknown
  readonly retryAfterSeconds?: number
  /** True where the fault is ours: it has to be logged with its cause. */
  readonly isUnexpected: boolean
}

/** What a thrown thing is answered as. The unexpected says no more than the number it can be found by in the log. */
export const errorAnswer = (version: Version, error: unknown, requestId: string): ErrorAnswer => {
  if (!(error instanceof HoldfastError)) return unexpected(version, requestId)
  const { status, errorCode } = EDGE[error.code]
  return {
    status: STATUS_OF_REASON.get(error.reason ?? '') ?? status,
    body: writers[version]({ message: messageFor(error), errorCode }),
    isUnexpected: status === 500 && error.code !== 'gone',
    ...(error.retryAfterMs === undefined ? {} : { retryAfterSeconds: Math.ceil(error.retryAfterMs / 1000) }),
  }
}

/** Names the property, where the engine's own words do not. */
const messageFor = ({ message, property }: HoldfastError): string => {
  const last = property?.split('.').at(-1)
  return last === undefined || message.includes(last) ? message : `${property}: ${message}`
}

const unexpected = (version: Version, requestId: string): ErrorAnswer => ({
  status: 500,
  body: writers[version]({ message: `internal error, request ${requestId}`, errorCode: 'HttpError' }),
  isUnexpected: true,
})
