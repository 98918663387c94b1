import { readFileSync } from 'node:fs'
import { Agent, request } from 'undici'
import type { Version } from '#api'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  readonly bytes: Buffer
  /** The body as JSON. Throws where it is none. */
  json<Body = unknown>(): Body
}

export interface Call {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'PATCH' | 'HEAD' | 'OPTIONS'
  /** An object is sent as JSON; text and bytes as they are. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** Instead of the world's own; null: none. */
  readonly token?: string | null
}

/** HTTPS with verified certificates: nothing is trusted but the server's own. */
export class HttpClient implements AsyncDisposable {
  readonly #agent: Agent
  readonly #url: string

  constructor(url: string, caFile: string) {
    this.#url = url
    this.#agent = new Agent({ connect: { ca: readFileSync(caFile, 'utf8') } })
  }

  /** Sends one request to a path below the server's address, exactly as it is written. */
  async send(path: string, call: Call = {}): Promise<Answer> {
    const { method = 'GET', body, headers = {}, token } = call
    const isRaw = typeof body === 'string' || body instanceof Uint8Array || body === undefined
    const response = await request(`${this.#url}${path}`, {
      dispatcher: this.#agent,
      method,
      headers: {
        ...(token === null || token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(isRaw ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: isRaw ? (body ?? null) : JSON.stringify(body),
    })
    const bytes = Buffer.from(await response.body.arrayBuffer())
    const text = bytes.toString('utf8')
    return {
      status: response.statusCode,
      headers: response.headers,
      text,
      bytes,
      json: <Body>() => JSON.parse(text) as Body,
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.close()
  }
}

/** One version of the API as one caller. */
export class VersionClient {
  readonly #client: HttpClient
  readonly #version: Version
  readonly #token: string

  constructor(client: HttpClient, version: Version, token: string) {
    this.#client = client
    this.#version = version
    this.#token = token
  }

  send(path: string, call: Call = {}): Promise<Answer> {
    return this.#client.send(`/${this.#version}${path}`, { token: this.#token, ...call })
  }
  get(path: string): Promise<Answer> {
    return this.send(path)
  }
  post(path: string, body?: unknown): Promise<Answer> {
    return this.send(path, { method: 'POST', body })
  }
  put(path: string, body: unknown): Promise<Answer> {
    return this.send(path, { method: 'PUT', body })
  }
  delete(path: string, body?: unknown): Promise<Answer> {
    return this.send(path, { method: 'DELETE', body })
  }
}
