import type { Clock, JsonObject } from '#base'
import { GraphError, type TenantAnswer, type TenantRequest } from '../core/contract.ts'
import { checkOptions } from './listing.ts'

const SEVEN_DAYS_MS = 7 * 24 * 3600 * 1000
const PAGE = 100
const FIRST_OPTIONS = new Set(['$select', '$filter', '$deltatoken', '$skiptoken', '$format'])

/** What a token remembers. Opaque to the client. */
interface Progress {
  /** When the round began. */
  readonly atMs: number
  readonly mode: 'all' | 'changes'
  /** Where the next page starts: a place in the listing, or a moment of the directory. */
  readonly after: number
  /** The moment from which the next round tells changes; known while everything is listed. */
  readonly since: number
  readonly select: string | undefined
  readonly filter: string | undefined
}

export interface Changed {
  /** Where the page goes on after this one. */
  readonly place: number
  readonly value: JsonObject
}

/** How a kind of object is told by delta. */
export interface DeltaSource {
  readonly set: string
  now(): number
  /** Everything that is there, after this place. */
  all(after: number): Iterable<Changed>
  /** Everything that changed after this moment, removed ones too, in the order of change. */
  changes(after: number): Iterable<Changed>
}

const encode = (progress: Progress): string => Buffer.from(JSON.stringify(progress)).toString('base64url')

const decode = (token: string): Progress => {
  try {
    const progress = JSON.parse(Buffer.from(token, 'base64url').toString('utf8')) as Progress
    if (typeof progress.after === 'number' && typeof progress.atMs === 'number') return progress
  } catch {
    // Refused below like any other text that is no token.
  }
  throw new GraphError(400, 'Request_BadRequest', "The value of '$deltatoken' or '$skiptoken' is not valid.")
}

const idsOf = (filter: string | undefined): ReadonlySet<string> | undefined => {
  if (filter === undefined) return undefined
  const ids = filter
    .split(/\s+or\s+/i)
    .map((part) => /^\(?id eq '([^']+)'\)?$/i.exec(part.trim())?.[1]?.toLowerCase())
  if (ids.length > 50 || ids.includes(undefined)) {
    throw new GraphError(
      400,
      'Request_UnsupportedQuery',
      'Only up to 50 filters by id are supported by delta.',
    )
  }
  return new Set(ids as string[])
}

const startOf = (request: TenantRequest, source: DeltaSource, nowMs: number): Progress => {
  const token = request.query.get('$skiptoken') ?? request.query.get('$deltatoken')
  const select = request.query.get('$select')
  const filter = request.query.get('$filter')
  const fresh = { atMs: nowMs, select, filter, since: source.now() }
  if (token === undefined || token === '') return { ...fresh, mode: 'all', after: -1 }
  if (token.toLowerCase() === 'latest') return { ...fresh, mode: 'changes', after: source.now() }
  const progress = decode(token)
  if (nowMs - progress.atMs <= SEVEN_DAYS_MS) return progress
  const again = `${request.origin('graph')}${request.url.pathname}?$deltatoken=`
  throw new GraphError(410, 'resyncRequired', 'Resync required. Any local changes are to be compared.', {
    headers: { location: again },
  })
}

/** One page of a round: everything at first, then what has changed since the last round. */
export const deltaPage = (
  request: TenantRequest,
  clock: Clock,
  makeSource: (select: string | undefined) => DeltaSource,
): TenantAnswer => {
  checkOptions(request, FIRST_OPTIONS)
  const nowMs = clock.nowMs()
  const progress = startOf(request, makeSource(undefined), nowMs)
  const source = makeSource(progress.select)
  const ids = idsOf(progress.filter)
  const until = source.now()
  const page: Changed[] = []
  let hasMore = false
  const rows = progress.mode === 'all' ? source.all(progress.after) : source.changes(progress.after)
  for (const changed of rows) {
    if (ids !== undefined && !ids.has(String(changed.value['id']))) continue
    if (page.length === PAGE) {
      hasMore = true
      break
    }
    page.push(changed)
  }
  const link = (name: string, next: Progress): string =>
    `${request.origin('graph')}${request.url.pathname}?${name}=${encode(next)}`
  const next = hasMore
    ? { '@odata.nextLink': link('$skiptoken', { ...progress, after: page.at(-1)!.place }) }
    : {
        '@odata.deltaLink': link('$deltatoken', {
          ...progress,
          atMs: nowMs,
          mode: 'changes',
          after: progress.mode === 'all' ? progress.since : until,
        }),
      }
  const context = `${request.origin('graph')}/${request.url.pathname.split('/')[1]}/$metadata#${source.set}`
  return {
    status: 200,
    json: { '@odata.context': context, ...next, value: page.map(({ value }) => value) },
  }
}
