import { HoldfastError, type ErrorCode, type Json, type JsonObject } from '#base'
import { isObject, objectOf, textOf } from '../graph-json.ts'
import type { IncomingResponse } from './transport.ts'
import { parseJson } from './read-body.ts'

/** A refusal of Graph, Outlook or a content host, read but not yet judged. */
export interface GraphFailure {
  readonly status: number
  /** Outer code first, then the inner ones, the most specific last. Empty for an answer without a code. */
  readonly codes: readonly string[]
  readonly message: string
  readonly retryAfterMs?: number
  /** Base64 of the claims that the next token has to satisfy. */
  readonly claims?: string
}

/** `throttled` and `transient` calls may be repeated after a while; what is `final` stays as it is. */
export type Recovery = 'throttled' | 'transient' | 'final'

/** `reason` of bytes that are not where the service wants them. */
export const INVALID_RANGE = 'invalidRange'

const MAX_DEPTH = 8
const MAX_MESSAGE = 300

const RESYNC_CODES = new Set([
  'syncstatenotfound',
  'syncstateinvalid',
  'resyncrequired',
  'resyncchangesapplydifferences',
  'resyncchangesuploaddifferences',
])
const NO_MAILBOX_CODES = new Set([
  'mailboxnotenabledforrestapi',
  'mailboxnotsupportedforrestapi',
  'errornonexistentmailbox',
])
const BUSY_CODES = new Set([
  'errorserverbusy',
  'errormailboxstoreunavailable',
  'applicationthrottled',
  'mailboxconcurrency',
  'errormailboxmoveinprogress',
  'activitylimitreached',
  'throttledrequest',
])
const BROKEN_ITEM_CODES = new Set([
  'errorcorruptdata',
  'errorinvalidrecipients',
  'errorcannotopenfileattachment',
])

export function failureFrom(response: IncomingResponse, body: Buffer, nowMs: number): GraphFailure {
  const json = parseJson(body)
  const retryAfterMs = retryAfterOf(response, nowMs)
  const claims = /claims="([^"]*)"/.exec(response.header('www-authenticate') ?? '')?.[1]
  return {
    ...failureOfBody(response.status, isObject(json) ? json : undefined),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(claims === undefined ? {} : { claims }),
  }
}

/** A refusal of which only status and body are known, such as an entry of a batch. */
export function failureOfBody(status: number, body: JsonObject | undefined): GraphFailure {
  const error = objectOf(body, 'error')
  return { status, codes: codesOf(error), message: (textOf(error, 'message') ?? '').slice(0, MAX_MESSAGE) }
}

/** Seconds or an HTTP date; with `RateLimit-Reset` the larger of the two. */
export function retryAfterOf(response: IncomingResponse, nowMs: number): number | undefined {
  const given = [
    response.header('retry-after'),
    response.status === 429 ? response.header('ratelimit-reset') : '',
  ]
  const waits = given.flatMap((text) => {
    if (text === undefined || text.trim() === '') return []
    const seconds = Number(text)
    if (Number.isFinite(seconds)) return [Math.max(0, seconds * 1000)]
    const date = Date.parse(text)
    return Number.isNaN(date) ? [] : [Math.max(0, date - nowMs)]
  })
  return waits.length === 0 ? undefined : Math.max(...waits)
}

export function recoveryOf(failure: GraphFailure): Recovery {
  const { status } = failure
  if (has(failure, BROKEN_ITEM_CODES)) return 'final'
  if (status === 429 || status === 503 || status === 509 || has(failure, BUSY_CODES)) return 'throttled'
  if (status === 408 || status === 500 || status === 502 || status === 504) return 'transient'
  return 'final'
}

/** The refusal as an error of ours. `reason` is a reason of the engine's where there is one, else the most specific code. */
export function errorOf(failure: GraphFailure): HoldfastError {
  const { status, retryAfterMs } = failure
  const code = failure.codes.at(-1) ?? `HTTP ${status}`
  const message = `Microsoft 365 refused: ${failure.message === '' ? code : `${failure.message} (${code})`}`
  const { kind, reason } = judge(failure)
  return new HoldfastError(kind, message, {
    reason: reason ?? code,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  })
}

function judge(failure: GraphFailure): { kind: ErrorCode; reason?: string } {
  if (failure.status === 410 || has(failure, RESYNC_CODES)) return { kind: 'conflict', reason: 'resync' }
  if (has(failure, NO_MAILBOX_CODES)) return { kind: 'not-found', reason: 'no-mailbox' }
  if (failure.status === 423 || has(failure, new Set(['resourcelocked']))) {
    return { kind: 'conflict', reason: 'locked' }
  }
  if (failure.status === 416) return { kind: 'invalid', reason: INVALID_RANGE }
  if (failure.codes.some((code) => code.toLowerCase() === 'errorcorruptdata')) return { kind: 'corrupt' }
  return { kind: kindOfStatus(failure.status) }
}

function kindOfStatus(status: number): ErrorCode {
  switch (status) {
    case 401:
      return 'unauthenticated'
    case 402:
    case 403:
      return 'denied'
    case 404:
      return 'not-found'
    case 409:
    case 412:
      return 'conflict'
    case 413:
      return 'too-large'
    case 429:
      return 'throttled'
    case 501:
      return 'unavailable'
    case 507:
      return 'full'
    default:
      return status >= 500 || status === 408 ? 'unavailable' : 'invalid'
  }
}

function codesOf(error: JsonObject | undefined): string[] {
  const codes: string[] = []
  let at: Json | undefined = error
  for (let depth = 0; depth < MAX_DEPTH && isObject(at); depth += 1) {
    if (typeof at.code === 'string' && at.code !== '') codes.push(at.code)
    at = at.innerError ?? at.innererror
  }
  return codes
}

function has(failure: GraphFailure, codes: ReadonlySet<string>): boolean {
  return failure.codes.some((code) => codes.has(code.toLowerCase()))
}
