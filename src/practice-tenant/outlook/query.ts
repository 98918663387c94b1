import type { TenantRequest } from '../core/contract.ts'
import type { BodyType } from './mail-content.ts'
import { badQuery, notSupportedHere, unknownProperty } from './refusals.ts'

/** Splits at commas that are in no parentheses and no quotes. */
export const splitList = (text: string): string[] => {
  const parts: string[] = []
  let depth = 0
  let isQuoted = false
  let start = 0
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at]
    if (sign === "'") isQuoted = !isQuoted
    if (isQuoted) continue
    if (sign === '(') depth += 1
    if (sign === ')') depth -= 1
    if (sign === ',' && depth === 0) {
      parts.push(text.slice(start, at))
      start = at + 1
    }
  }
  return [...parts, text.slice(start)].map((part) => part.trim()).filter((part) => part !== '')
}

/** Throws 400 for an OData option that the call does not know. Options are those in `known`, without `$`. */
export const checkOptions = (request: TenantRequest, known: readonly string[]): void => {
  for (const name of request.query.keys()) {
    if (!name.startsWith('$')) continue
    if (name === '$search') throw notSupportedHere('$search')
    if (!known.includes(name.slice(1))) {
      throw badQuery(
        `Query option '${name}' is not allowed. To allow it, set the 'AllowedQueryOptions' property.`,
      )
    }
  }
}

/** The properties of `$select` in their own spelling, or undefined for the default. Any letter case is understood. */
export const selected = (
  text: string | undefined,
  properties: readonly string[],
  type: string,
): ReadonlySet<string> | undefined => {
  if (text === undefined || text.trim() === '' || text.trim() === '*') return undefined
  const names = splitList(text).map((name) => {
    const bare = name.replace(/^microsoft\.graph\.\w+\//i, '').toLowerCase()
    const property = properties.find((candidate) => candidate.toLowerCase() === bare)
    if (property === undefined) throw unknownProperty(name, type)
    return property
  })
  return new Set(names)
}

const wholeNumber = (text: string, option: string, least: number): number => {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (Number.isNaN(value) || value < least) {
    throw badQuery(`Invalid value '${text}' for ${option} query option found. The ${option} query option requires a non-negative integer value.`) // prettier-ignore
  }
  return value
}

export const MAX_PAGE = 1000

export interface Paging {
  readonly size: number
  readonly skip: number
}

/** Page size and offset of a list: `$top`, else the preferred page size, else 10; never above 1000. */
export const paging = (request: TenantRequest, defaultSize = 10): Paging => {
  const top = request.query.get('$top')
  const preferred = Number(request.prefer.get('odata.maxpagesize'))
  const limit = preferred > 0 ? Math.floor(preferred) : undefined
  const asked = top === undefined ? (limit ?? defaultSize) : wholeNumber(top, '$top', 1)
  const skip = wholeNumber(request.query.get('$skip') ?? '0', '$skip', 0)
  return { size: Math.min(asked, limit ?? MAX_PAGE, MAX_PAGE), skip }
}

/** The address of the next page of a list. */
export const nextLink = (request: TenantRequest, { size, skip }: Paging): string => {
  const url = new URL(request.origin('graph') + request.url.pathname)
  for (const [name, value] of request.url.searchParams) {
    if (!/^\$(skip|top)$/i.test(name)) url.searchParams.append(name, value)
  }
  if (request.query.has('$top')) url.searchParams.set('$top', String(size))
  url.searchParams.set('$skip', String(skip + size))
  return readable(url)
}

/** OData options keep their `$` as Microsoft writes them. */
export const readable = (url: URL): string => url.href.replaceAll('%24', '$')

export const wantsImmutableIds = (request: TenantRequest): boolean =>
  request.prefer.get('idtype')?.toLowerCase() === 'immutableid'

export const preferredBody = (request: TenantRequest): BodyType | undefined => {
  const wanted = request.prefer.get('outlook.body-content-type')?.toLowerCase()
  return wanted === 'text' || wanted === 'html' ? wanted : undefined
}

/** Says which preferences an answer followed. */
export const preferenceApplied = (request: TenantRequest): Record<string, string> => {
  const body = preferredBody(request)
  const applied = [
    ...(wantsImmutableIds(request) ? ['IdType="ImmutableId"'] : []),
    ...(body === undefined ? [] : [`outlook.body-content-type="${body}"`]),
  ]
  return applied.length === 0 ? {} : { 'Preference-Applied': applied.join(', ') }
}
