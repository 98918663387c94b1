import type { JsonObject } from '#base'
import { GraphError, type TenantAnswer, type TenantRequest } from '../core/contract.ts'
import { parseFilter, parseSearch } from './odata-filter.ts'

/** A collection of the directory, in an order that stays. */
export interface Listing {
  /** `users`: the name of the set in `@odata.context`. */
  readonly set: string
  readonly type: string
  /** What is shown without `$select`; absent: all. */
  readonly defaults?: readonly string[]
  readonly known: ReadonlySet<string>
  /** Objects that come after this place. */
  readonly after: (place: number) => Iterable<Placed>
  /** Adds what `$expand` asks for. */
  readonly expand?: (document: JsonObject, names: readonly string[]) => JsonObject
}

export interface Placed {
  readonly place: number
  readonly document: JsonObject
}

const OPTIONS = new Set([
  '$select',
  '$filter',
  '$search',
  '$count',
  '$top',
  '$orderby',
  '$expand',
  '$skiptoken',
  '$format',
])
const DEFAULT_PAGE = 100
const LARGEST_PAGE = 999

const badRequest = (message: string): GraphError => new GraphError(400, 'Request_BadRequest', message)

export const checkOptions = (request: TenantRequest, allowed: ReadonlySet<string> = OPTIONS): void => {
  for (const name of request.query.keys()) {
    if (name.startsWith('$') && !allowed.has(name)) {
      throw new GraphError(
        400,
        'BadRequest',
        `Query option '${name}' was not recognized or is not supported here.`,
      )
    }
  }
}

const words = (text: string | undefined): string[] =>
  (text ?? '').split(',').map((name) => name.trim()).filter(Boolean) // prettier-ignore

/** The names of a `$select`, spelt as the type spells them; nothing when there is none. */
export const selected = (
  select: string | undefined,
  listing: Pick<Listing, 'known' | 'type'>,
): string[] | undefined => {
  const names = words(select)
  if (names.length === 0) return undefined
  return names.map((name) => {
    const known = listing.known.has(name)
      ? name
      : [...listing.known].find((one) => one.toLowerCase() === name.toLowerCase())
    if (known !== undefined) return known
    throw badRequest(`Could not find a property named '${name}' on type 'microsoft.graph.${listing.type}'.`)
  })
}

export const picked = (document: JsonObject, names: readonly string[] | undefined): JsonObject => {
  if (names === undefined) return document
  const shown: Record<string, JsonObject[string]> = {}
  for (const name of names) if (document[name] !== undefined) shown[name] = document[name]
  const kind = document['@odata.type']
  return kind === undefined ? shown : { '@odata.type': kind, ...shown }
}

const contextOf = (request: TenantRequest, set: string, names: readonly string[] | undefined): string => {
  const version = request.url.pathname.split('/')[1] ?? 'v1.0'
  const list = names === undefined ? '' : `(${names.join(',')})`
  return `${request.origin('graph')}/${version}/$metadata#${set}${list}`
}

/** One object, by the same rules. */
export const single = (
  request: TenantRequest,
  listing: Omit<Listing, 'after'>,
  document: JsonObject,
): TenantAnswer => {
  checkOptions(request, new Set(['$select', '$expand', '$format']))
  const names = selected(request.query.get('$select'), listing)
  const expand = words(request.query.get('$expand'))
  const shown = picked(document, names ?? listing.defaults)
  const whole = expand.length === 0 ? shown : expanded(listing, { ...shown, id: document['id'] }, expand)
  return {
    status: 200,
    json: { '@odata.context': `${contextOf(request, listing.set, names)}/$entity`, ...whole },
  }
}

/** What was just made, as it is shown by default. */
export const created = (
  request: TenantRequest,
  listing: Omit<Listing, 'after'>,
  document: JsonObject,
): TenantAnswer => {
  const context = `${contextOf(request, listing.set, undefined)}/$entity`
  return { status: 201, json: { '@odata.context': context, ...picked(document, listing.defaults) } }
}

const expanded = (
  listing: Omit<Listing, 'after'>,
  document: JsonObject,
  names: readonly string[],
): JsonObject => {
  if (listing.expand === undefined) {
    throw new GraphError(501, 'NotImplemented', `$expand of ${listing.set} is not built.`)
  }
  return listing.expand(
    document,
    names.map((name) => name.replace(/\(.*$/, '')),
  )
}

const pageSize = (request: TenantRequest): number => {
  const top = request.query.get('$top')
  if (top === undefined) return DEFAULT_PAGE
  const size = Number(top)
  if (!Number.isInteger(size) || size < 1 || size > LARGEST_PAGE) {
    throw badRequest(
      `Invalid page size specified: '${top}'. Must be between 1 and ${LARGEST_PAGE} inclusive.`,
    )
  }
  return size
}

const isEventual = (request: TenantRequest): boolean =>
  String(request.headers['consistencylevel'] ?? '').toLowerCase() === 'eventual'

interface Wish {
  readonly matches: ((document: JsonObject) => boolean) | undefined
  readonly count: boolean
}

/** Reads filter, search and count; refuses what needs ConsistencyLevel: eventual and $count=true without them. */
const wishOf = (request: TenantRequest, listing: Listing): Wish => {
  const { query } = request
  const count = query.get('$count') === 'true'
  const filterText = query.get('$filter')
  const searchText = query.get('$search')
  const filter = filterText === undefined ? undefined : parseFilter(filterText, listing.known)
  const search = searchText === undefined ? undefined : parseSearch(searchText)
  // The header and the count are said on the first page; on later ones the header alone.
  const isCounted = count || query.has('$skiptoken')
  const isSorted = query.has('$orderby') && filter !== undefined
  const isAdvanced = (filter?.isAdvanced ?? false) || search !== undefined || isSorted
  if (isAdvanced && !(isEventual(request) && (isCounted || search !== undefined))) {
    throw new GraphError(400, 'Request_UnsupportedQuery', 'Unsupported Query.')
  }
  if (count && !isEventual(request)) {
    throw badRequest('$count is not currently supported without the header ConsistencyLevel: eventual.')
  }
  const tests = [filter?.matches, search].filter((test) => test !== undefined)
  const matches =
    tests.length === 0 ? undefined : (document: JsonObject) => tests.every((test) => test(document))
  return { matches, count }
}

function* matching(listing: Listing, place: number, matches: Wish['matches']): Iterable<Placed> {
  for (const placed of listing.after(place)) {
    if (matches === undefined || matches(placed.document)) yield placed
  }
}

/** Sorts everything; the place of an object is then its rank. */
const sorted = (listing: Listing, orderBy: string): Listing => {
  const [property = '', direction] = orderBy.split(/\s+/)
  if (!listing.known.has(property))
    throw badRequest(`Could not find a property named '${property}' to sort by.`)
  const sign = direction?.toLowerCase() === 'desc' ? -1 : 1
  const text = (placed: Placed): string => String(placed.document[property] ?? '')
  const all = [...listing.after(-1)].sort((left, right) => sign * text(left).localeCompare(text(right)))
  const ranked = all.map(({ document }, place) => ({ place, document }))
  return { ...listing, after: (place) => ranked.slice(place + 1) }
}

const placeOf = (request: TenantRequest): number => {
  const token = request.query.get('$skiptoken')
  if (token === undefined) return -1
  const place = Number(
    Buffer.from(token, 'base64url')
      .toString('utf8')
      .replace(/^RFNwdAIAAQ/, ''),
  )
  if (!Number.isInteger(place))
    throw new GraphError(400, 'Directory_ExpiredPageToken', 'The page token is not valid.')
  return place
}

const nextLink = (request: TenantRequest, place: number): string => {
  const url = new URL(request.origin('graph') + request.url.pathname + request.url.search)
  for (const name of [...url.searchParams.keys()]) {
    if (['$skiptoken', '$count'].includes(name.toLowerCase())) url.searchParams.delete(name)
  }
  url.searchParams.set('$skiptoken', Buffer.from(`RFNwdAIAAQ${place}`).toString('base64url'))
  return url.href.replaceAll('%24', '$')
}

/** One page of a collection. */
export const listed = (request: TenantRequest, given: Listing): TenantAnswer => {
  checkOptions(request)
  const orderBy = request.query.get('$orderby')
  const wish = wishOf(request, given)
  const listing = orderBy === undefined ? given : sorted(given, orderBy)
  const names = selected(request.query.get('$select'), listing)
  const expand = words(request.query.get('$expand'))
  const size = pageSize(request)
  const page: Placed[] = []
  for (const placed of matching(listing, placeOf(request), wish.matches)) {
    page.push(placed)
    if (page.length > size) break
  }
  const hasMore = page.length > size
  if (hasMore) page.pop()
  const value = page.map(({ document }) => {
    const shown = picked(document, names ?? listing.defaults)
    return expand.length === 0 ? shown : expanded(listing, { ...shown, id: document['id'] }, expand)
  })
  const isCounted = wish.count && !request.query.has('$skiptoken')
  return {
    status: 200,
    json: {
      '@odata.context': contextOf(request, listing.set, names),
      ...(isCounted ? { '@odata.count': [...matching(listing, -1, wish.matches)].length } : {}),
      ...(hasMore ? { '@odata.nextLink': nextLink(request, page.at(-1)!.place) } : {}),
      value,
    },
  }
}

/** `…/$count`: the bare number, as text. */
export const counted = (request: TenantRequest, listing: Listing): TenantAnswer => {
  if (!isEventual(request)) {
    throw badRequest('$count is not currently supported without the header ConsistencyLevel: eventual.')
  }
  const text = request.query.get('$filter')
  const matches = text === undefined ? undefined : parseFilter(text, listing.known).matches
  const count = [...matching(listing, -1, matches)].length
  return { status: 200, headers: { 'content-type': 'text/plain' }, bytes: Buffer.from(String(count)) }
}

/** A collection that is a short list. */
export const listingOf = (
  documents: readonly JsonObject[],
  about: { readonly set: string; readonly type: string; readonly defaults?: readonly string[] },
): Listing => ({
  ...about,
  known: new Set(documents.flatMap((document) => Object.keys(document)).concat('id')),
  after: (place) =>
    documents.slice(place + 1).map((document, index) => ({ place: place + 1 + index, document })),
})
