import { GraphError, type TenantRequest } from '../core/contract.ts'

type Json = Record<string, unknown>

const LARGEST_PAGE = 1000
const DEFAULT_PAGE = 200

const unsupported = (name: string): GraphError =>
  new GraphError(400, 'BadRequest', `The query option '${name}' is not supported here.`)

/** Throws the 400 of an OData option that the call does not know. */
export const checkOptions = (request: TenantRequest, known: readonly string[]): void => {
  for (const name of request.query.keys())
    if (name.startsWith('$') && !known.includes(name)) throw unsupported(name)
}

/** `$top`, at most 1,000. */
export const topOf = (request: TenantRequest): number => {
  const text = request.query.get('$top')
  if (text === undefined) return DEFAULT_PAGE
  if (!/^\d+$/.test(text) || Number(text) === 0)
    throw new GraphError(400, 'BadRequest', `Invalid value for $top: ${text}`)
  return Math.min(Number(text), LARGEST_PAGE)
}

/** The direction of `$orderby=name`; anything else is refused. */
export const nameOrderOf = (request: TenantRequest): 'asc' | 'desc' => {
  const text = request.query.get('$orderby')?.trim() ?? 'name'
  const match = /^name(?:\s+(asc|desc))?$/i.exec(text)
  if (match === null) throw new GraphError(400, 'notSupported', `Items cannot be ordered by '${text}'.`)
  return match[1]?.toLowerCase() === 'desc' ? 'desc' : 'asc'
}

/** Names in `$expand`, their own options left aside. Throws for what cannot be expanded. */
export const expansionsOf = (request: TenantRequest, allowed: readonly string[]): string[] => {
  const text = request.query.get('$expand') ?? ''
  const names = text
    .replaceAll(/\([^)]*\)/g, '')
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean)
  for (const name of names) {
    if (name === 'thumbnails')
      throw new GraphError(501, 'NotImplemented', 'Thumbnails are not yet supported.')
    if (!allowed.includes(name))
      throw new GraphError(400, 'BadRequest', `Could not find a property named '${name}'.`)
  }
  return names
}

const DOWNLOAD_URL = '@microsoft.graph.downloadUrl'

/** Keeps what `$select` names, and annotations that were not asked away. */
export const selector = (request: TenantRequest): ((value: Json) => Json) => {
  const text = request.query.get('$select')
  if (text === undefined || text.trim() === '' || text.trim() === '*') return (value) => value
  const wanted = new Set(text.split(',').map((name) => name.trim().split('/')[0]!.toLowerCase()))
  if (wanted.has('content.downloadurl') || wanted.has('content')) wanted.add(DOWNLOAD_URL.toLowerCase())
  const isKept = (name: string): boolean =>
    wanted.has(name.toLowerCase()) || (name.startsWith('@') && name !== DOWNLOAD_URL)
  return (value) => Object.fromEntries(Object.entries(value).filter(([name]) => isKept(name)))
}

/** The address of another page of the same list. */
export const pageAddress = (
  request: TenantRequest,
  path: string,
  changes: Readonly<Record<string, string>>,
): string => {
  const url = new URL(path, request.origin('graph'))
  for (const name of ['$select', '$top', '$expand', '$orderby']) {
    const value = request.query.get(name)
    if (value !== undefined) url.searchParams.set(name, value)
  }
  for (const [name, value] of Object.entries(changes)) url.searchParams.set(name, value)
  return url.href.replaceAll('%24', '$')
}

export const contextOf = (request: TenantRequest, type: string): Json => ({
  '@odata.context': `${request.origin('graph')}/v1.0/$metadata#${type}`,
})
