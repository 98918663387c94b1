import type { IncomingHttpHeaders } from 'node:http'
import type { JsonObject } from '#base'
import { GraphError, type AccessToken, type HostRole, type TenantRequest } from './contract.ts'

/** A request as it reached us, by a socket or inside a batch. */
export interface Call {
  readonly role: HostRole
  readonly method: string
  readonly url: URL
  readonly headers: IncomingHttpHeaders
  readonly readBody: () => Promise<Buffer>
  readonly origin: (role: HostRole) => string
  readonly signal: AbortSignal
  /** Calls back when the answer has gone out, or the client has. */
  readonly onSent: (callback: () => void) => void
}

const queryOf = (url: URL): ReadonlyMap<string, string> => {
  const query = new Map<string, string>()
  for (const [name, value] of url.searchParams) query.set(name.toLowerCase(), value)
  return query
}

const splitPreferences = (text: string): string[] => text.match(/(?:"[^"]*"|[^,;"])+/g) ?? []

/** `odata.maxpagesize=50, IdType="ImmutableId"` → both, names in lower case. */
export const preferences = (header: string | string[] | undefined): ReadonlyMap<string, string> => {
  const found = new Map<string, string>()
  const text = Array.isArray(header) ? header.join(',') : (header ?? '')
  for (const part of splitPreferences(text)) {
    const at = part.indexOf('=')
    const name = (at === -1 ? part : part.slice(0, at)).trim().toLowerCase()
    const value = at === -1 ? 'true' : part.slice(at + 1).trim()
    if (name !== '') found.set(name, value.replace(/^"(.*)"$/s, '$1'))
  }
  return found
}

const parseObject = (text: string): JsonObject => {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject
  } catch {
    // Answered below like any other body that is no object.
  }
  throw new GraphError(
    400,
    'BadRequest',
    'Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.',
  )
}

export interface Routed {
  readonly params: Readonly<Record<string, string>>
  readonly itemPath: string | undefined
  readonly token: AccessToken | undefined
}

/** The view that handlers have of a call. */
export class PracticeRequest implements TenantRequest {
  readonly role: HostRole
  readonly method: string
  readonly params: Readonly<Record<string, string>>
  readonly itemPath: string | undefined
  readonly url: URL
  readonly headers: IncomingHttpHeaders
  readonly token: AccessToken | undefined
  readonly signal: AbortSignal
  readonly #call: Call
  #query: ReadonlyMap<string, string> | undefined
  #prefer: ReadonlyMap<string, string> | undefined
  #body: Promise<Buffer> | undefined

  constructor(call: Call, routed: Routed) {
    this.role = call.role
    this.method = call.method
    this.url = call.url
    this.headers = call.headers
    this.signal = call.signal
    this.params = routed.params
    this.itemPath = routed.itemPath
    this.token = routed.token
    this.#call = call
  }

  get query(): ReadonlyMap<string, string> {
    return (this.#query ??= queryOf(this.url))
  }

  get prefer(): ReadonlyMap<string, string> {
    return (this.#prefer ??= preferences(this.headers['prefer']))
  }

  body(): Promise<Buffer> {
    return (this.#body ??= this.#call.readBody())
  }

  async json(): Promise<JsonObject> {
    return parseObject((await this.body()).toString('utf8'))
  }

  origin(role: HostRole): string {
    return this.#call.origin(role)
  }

  /** Calls back when the answer has gone out, or the client has. */
  onSent(callback: () => void): void {
    this.#call.onSent(callback)
  }
}
