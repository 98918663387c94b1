import { readFileSync } from 'node:fs'
import { Agent, request } from 'undici'

export interface Answer {
  readonly status: number
  readonly json: unknown
  readonly bytes: Buffer
}

/** Calls one HTTPS server whose certificate `caFile` vouches for. */
export class Https {
  readonly #agent: Agent
  readonly #origin: string
  token: string | undefined

  constructor(origin: string, caFile: string) {
    this.#origin = origin
    this.#agent = new Agent({
      connect: { ca: readFileSync(caFile, 'utf8') },
      headersTimeout: 600_000,
      bodyTimeout: 600_000,
    })
  }

  async call(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body?: unknown,
  ): Promise<Answer> {
    const isForm = body instanceof URLSearchParams
    const answer = await request(path.startsWith('https:') ? path : `${this.#origin}${path}`, {
      method,
      dispatcher: this.#agent,
      headers: {
        ...(this.token === undefined ? {} : { authorization: `Bearer ${this.token}` }),
        ...(body === undefined
          ? {}
          : { 'content-type': isForm ? 'application/x-www-form-urlencoded' : 'application/json' }),
        prefer: 'IdType="ImmutableId"',
      },
      ...(body === undefined ? {} : { body: isForm ? body.toString() : JSON.stringify(body) }),
    })
    const bytes = Buffer.from(await answer.body.arrayBuffer())
    const isJson = String(answer.headers['content-type'] ?? '').includes('json')
    const location = answer.headers.location
    if (answer.statusCode === 302 && typeof location === 'string') return this.#plain(location)
    return {
      status: answer.statusCode,
      bytes,
      json: isJson && bytes.length > 0 ? JSON.parse(bytes.toString()) : undefined,
    }
  }

  /** The JSON of an answer that must be a success. */
  async ok<Body>(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body?: unknown,
  ): Promise<Body> {
    const answer = await this.call(method, path, body)
    if (answer.status >= 300)
      throw new Error(`${method} ${path} answered ${answer.status}: ${answer.bytes.toString().slice(0, 500)}`)
    return answer.json as Body
  }

  /** A pre-authenticated address: without the token. */
  async #plain(address: string): Promise<Answer> {
    const answer = await request(address, { dispatcher: this.#agent })
    return { status: answer.statusCode, bytes: Buffer.from(await answer.body.arrayBuffer()), json: undefined }
  }

  async close(): Promise<void> {
    await this.#agent.close()
  }
}
