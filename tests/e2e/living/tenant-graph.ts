import { Agent, request } from 'undici'
import type { PracticeTenant } from '#practice-tenant'

export type Json = Record<string, unknown>

interface Call {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

interface Answer {
  readonly status: number
  readonly bytes: Buffer
}

/** What a test needs to know of a tenant, in this process or in another. */
export type GraphAddress = Pick<PracticeTenant, 'ca'> & {
  readonly graph: string
  token(): string
}

export const graphOf = (tenant: PracticeTenant): TenantGraph =>
  new TenantGraph({
    ca: tenant.ca,
    graph: tenant.origin('graph'),
    token: () => tenant.token({ application: tenant.editor.id }),
  })

/** People at work in the tenant: Microsoft Graph with every permission, beside the backup and unknown to it. */
export class TenantGraph implements AsyncDisposable {
  readonly #address: GraphAddress
  readonly #agent: Agent

  constructor(address: GraphAddress) {
    this.#address = address
    this.#agent = new Agent({ connect: { ca: address.ca } })
  }

  async call(path: string, { method = 'GET', body, headers = {} }: Call = {}): Promise<Answer> {
    const isRaw = body === undefined || body instanceof Uint8Array || typeof body === 'string'
    const answer = await request(path.startsWith('https:') ? path : `${this.#address.graph}/v1.0${path}`, {
      dispatcher: this.#agent,
      method,
      headers: {
        authorization: `Bearer ${this.#address.token()}`,
        prefer: 'IdType="ImmutableId"',
        ...(isRaw ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: isRaw ? (body ?? null) : JSON.stringify(body),
    })
    const bytes = Buffer.from(await answer.body.arrayBuffer())
    const location = answer.headers['location']
    // A download address takes no token.
    if (answer.statusCode === 302 && typeof location === 'string') return this.#plain(location)
    return { status: answer.statusCode, bytes }
  }

  /** The JSON of an answer that must be a success. */
  async ok<Body = Json>(path: string, call: Call = {}): Promise<Body> {
    const { status, bytes } = await this.call(path, call)
    if (status >= 300)
      throw new Error(`${call.method ?? 'GET'} ${path} answered ${status}: ${bytes.toString().slice(0, 400)}`)
    return (bytes.length === 0 ? {} : JSON.parse(bytes.toString())) as Body
  }

  post<Body = Json>(path: string, body: unknown = {}): Promise<Body> {
    return this.ok<Body>(path, { method: 'POST', body })
  }

  patch<Body = Json>(path: string, body: unknown): Promise<Body> {
    return this.ok<Body>(path, { method: 'PATCH', body })
  }

  async bytes(path: string): Promise<Buffer> {
    const { status, bytes } = await this.call(path)
    if (status >= 300) throw new Error(`${path} answered ${status}: ${bytes.toString().slice(0, 400)}`)
    return bytes
  }

  /** Every page of a list. */
  async all<Item = Json>(path: string): Promise<Item[]> {
    const found: Item[] = []
    for (let next: string | undefined = path; next !== undefined;) {
      const page: { value: Item[]; '@odata.nextLink'?: string } = await this.ok(next)
      found.push(...page.value)
      next = page['@odata.nextLink']
    }
    return found
  }

  async #plain(address: string): Promise<Answer> {
    const answer = await request(address, { dispatcher: this.#agent })
    return { status: answer.statusCode, bytes: Buffer.from(await answer.body.arrayBuffer()) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.close()
  }
}
