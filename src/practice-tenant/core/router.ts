import type { HostRole, Route } from './contract.ts'

// One trie of path segments for each host role. A literal wins over a parameter, and the search goes back when a
// literal leads nowhere: `/users/:user/messages/delta` and `/users/:user/messages/:message` live side by side.

interface Node {
  readonly literals: Map<string, Node>
  parameter: Node | undefined
  readonly routes: Map<string, { route: Route; names: readonly string[] }>
}

const newNode = (): Node => ({ literals: new Map(), parameter: undefined, routes: new Map() })

/** A path as it came, taken apart: segments still in their letter case, the path between colons, arguments of functions. */
export interface ParsedPath {
  readonly segments: readonly string[]
  readonly itemPath: string | undefined
  readonly args: Readonly<Record<string, string>>
}

export interface Match {
  readonly route: Route
  readonly params: Readonly<Record<string, string>>
}

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const unquote = (text: string): string =>
  text.startsWith("'") && text.endsWith("'") && text.length > 1
    ? text.slice(1, -1).replaceAll("''", "'")
    : text

const trimSlashes = (text: string): string => text.replace(/^\/+|\/+$/g, '')

/** Takes `root:/a/b.txt:/content` apart into the path that is routed and the path of the item. */
const takeItemPath = (path: string): { path: string; itemPath: string | undefined } => {
  const start = path.indexOf(':/')
  if (start === -1) return { path: path.replace(/:$/, ''), itemPath: undefined }
  const end = path.indexOf(':', start + 2)
  const inner = path.slice(start + 2, end === -1 ? undefined : end)
  const itemPath = inner.split('/').filter(Boolean).map(decode).join('/')
  return { path: path.slice(0, start) + (end === -1 ? '' : path.slice(end + 1)), itemPath }
}

/** `/sites/host:/sites/a:/drive/root:/b.txt:/content`: the first pair belongs to the site's own id. */
const keepSitePath = (path: string): string => {
  const match = /^(\/sites\/[^/:]+):\/(.+?):(\/.*:\/.*)$/.exec(path)
  return match === null ? path : `${match[1]}%3A%2F${match[2]!.replaceAll('/', '%2F')}${match[3]}`
}

const splitArguments = (inner: string): string[] => inner.match(/(?:'(?:[^']|'')*'|[^,'])+/g) ?? []

const takeArguments = (segment: string, args: Record<string, string>): string[] => {
  const match = /^([\w.$@-]+)\((.*)\)$/.exec(segment)
  if (match === null) return [segment]
  const [, name, inner] = match as unknown as [string, string, string]
  if (inner === '') return [name]
  const parts = splitArguments(inner).map((part) => part.trim())
  if (parts.length === 1 && !/^\w+=/.test(parts[0]!)) return [name, unquote(parts[0]!)]
  const names: string[] = []
  for (const part of parts) {
    const at = part.indexOf('=')
    names.push(part.slice(0, at).toLowerCase())
    args[part.slice(0, at)] = unquote(part.slice(at + 1))
  }
  return [`${name}(${names.sort().join(',')})`]
}

/** Reads a request path (without its version). Never throws: what makes no sense matches no route. */
export const parsePath = (pathname: string): ParsedPath => {
  const { path, itemPath } = takeItemPath(keepSitePath(pathname))
  const args: Record<string, string> = {}
  const segments = trimSlashes(path)
    .split('/')
    .filter((segment) => segment !== '')
    .flatMap((segment) => takeArguments(decode(segment), args))
  return { segments, itemPath, args }
}

const routeSegments = (path: string): string[] =>
  trimSlashes(path)
    .split('/')
    .filter((segment) => segment !== '')
    .map((segment) => (segment.startsWith(':') ? segment : routeLiteral(segment)))

/** `fn()` → `fn`; `servicePrincipals(appId=:appId)` → `serviceprincipals(appid)`. */
const routeLiteral = (segment: string): string => {
  const match = /^([^(]+)\((.*)\)$/.exec(segment)
  if (match === null) return segment.toLowerCase()
  const names = match[2]!
    .split(',')
    .map((part) => part.split('=')[0]!.trim().toLowerCase())
    .filter(Boolean)
    .sort()
  return names.length === 0 ? match[1]!.toLowerCase() : `${match[1]!.toLowerCase()}(${names.join(',')})`
}

const FUNCTION_PREFIX = 'microsoft.graph.'

/** The forms under which a segment may have been registered, most telling first. */
const spellings = (segment: string): string[] => {
  const lower = segment.toLowerCase()
  const bare = lower.replace(/\(.*\)$/, '')
  const forms = [lower]
  if (bare !== lower) forms.push(bare)
  if (bare.startsWith(FUNCTION_PREFIX)) forms.push(bare.slice(FUNCTION_PREFIX.length))
  return forms
}

export class Router {
  readonly #roots = new Map<HostRole, Node>()

  add(route: Route): void {
    const names: string[] = []
    let node = this.#root(route.role)
    for (const segment of routeSegments(route.path)) {
      if (segment.startsWith(':')) {
        names.push(segment.slice(1))
        node = node.parameter ??= newNode()
      } else {
        const next = node.literals.get(segment) ?? newNode()
        node.literals.set(segment, next)
        node = next
      }
    }
    if (node.routes.has(route.method)) throw new Error(`two routes for ${route.method} ${route.path}`)
    node.routes.set(route.method, { route, names })
  }

  /** The route of a request; `allowed` names the methods when only the method is wrong; nothing when no path matches. */
  find(
    role: HostRole,
    method: string,
    parsed: ParsedPath,
  ): Match | { allowed: readonly string[] } | undefined {
    const wanted = method === 'HEAD' ? 'GET' : method
    let allowed: readonly string[] | undefined
    const search = (node: Node, at: number, values: readonly string[]): Match | undefined => {
      if (at === parsed.segments.length) {
        const found = node.routes.get(wanted)
        if (found !== undefined) return matchOf(found, values, parsed)
        if (node.routes.size > 0) allowed ??= [...node.routes.keys()]
        return undefined
      }
      const segment = parsed.segments[at]!
      for (const spelling of spellings(segment)) {
        const next = node.literals.get(spelling)
        const match = next === undefined ? undefined : search(next, at + 1, values)
        if (match !== undefined) return match
      }
      return node.parameter === undefined ? undefined : search(node.parameter, at + 1, [...values, segment])
    }
    return search(this.#root(role), 0, []) ?? (allowed === undefined ? undefined : { allowed })
  }

  #root(role: HostRole): Node {
    const known = this.#roots.get(role)
    if (known !== undefined) return known
    const made = newNode()
    this.#roots.set(role, made)
    return made
  }
}

const matchOf = (
  found: { route: Route; names: readonly string[] },
  values: readonly string[],
  parsed: ParsedPath,
): Match => {
  const params: Record<string, string> = { ...parsed.args }
  found.names.forEach((name, index) => {
    params[name] = values[index]!
  })
  return { route: found.route, params }
}
