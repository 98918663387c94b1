import type { Readable } from 'node:stream'
import { Agent, request, type Dispatcher } from 'undici'

export type Query = Readonly<Record<string, string | number | boolean | undefined>>

export interface ServerAddress {
  /** `https://localhost:4443`. */
  readonly url: string
  readonly userName: string
  readonly password: string
  /** PEM to trust beside the usual authorities: the server's own certificate. */
  readonly ca?: string
}

/** What the server refused, in its words. */
export class ClientError extends Error {
  override name = 'ClientError'
  readonly status: number
  readonly errorCode: string | undefined
  constructor(status: number, message: string, errorCode?: string) {
    super(message)
    this.status = status
    this.errorCode = errorCode
  }
}

export interface Download {
  readonly fileName: string
  readonly content: Readable
}

/** A server's REST API in its newest version. Paths begin behind the version: `/Jobs`. */
export interface Connection extends AsyncDisposable {
  get<Body>(path: string, query?: Query): Promise<Body>
  post<Body>(path: string, body: object): Promise<Body>
  put<Body>(path: string, body: object): Promise<Body>
  delete(path: string): Promise<void>
  /** Read `content` to its end or destroy it. */
  download(path: string, body: object): Promise<Download>
}

const VERSION = '/v8'
const LONG_MS = 24 * 3600_000

/** Nothing is asked before the first call, which logs in; a token that has lapsed is renewed by logging in again. */
export const connect = (address: ServerAddress): Connection => new HttpConnection(address)

interface Call {
  readonly method: Dispatcher.HttpMethod
  readonly path: string
  readonly query?: Query
  readonly body?: object
}

class HttpConnection implements Connection {
  readonly #address: ServerAddress
  readonly #agent: Agent
  #token: Promise<string> | undefined

  constructor(address: ServerAddress) {
    this.#address = address
    const connectOptions = address.ca === undefined ? {} : { connect: { ca: address.ca } }
    this.#agent = new Agent({ ...connectOptions, headersTimeout: LONG_MS, bodyTimeout: LONG_MS })
  }

  get<Body>(path: string, query: Query = {}): Promise<Body> {
    return this.#json({ method: 'GET', path, query })
  }
  post<Body>(path: string, body: object): Promise<Body> {
    return this.#json({ method: 'POST', path, body })
  }
  put<Body>(path: string, body: object): Promise<Body> {
    return this.#json({ method: 'PUT', path, body })
  }
  async delete(path: string): Promise<void> {
    await this.#json({ method: 'DELETE', path })
  }

  async download(path: string, body: object): Promise<Download> {
    const answer = await this.#send({ method: 'POST', path, body })
    const disposition = String(answer.headers['content-disposition'] ?? '')
    return { fileName: fileNameOf(disposition), content: answer.body }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.close()
  }

  async #json<Body>(call: Call): Promise<Body> {
    const { body } = await this.#send(call)
    const text = await body.text()
    return (text === '' ? undefined : JSON.parse(text)) as Body
  }

  async #send(call: Call, isRepeat = false): Promise<Dispatcher.ResponseData> {
    this.#token ??= this.#logIn()
    const token = await this.#token.catch((error: unknown) => {
      this.#token = undefined
      throw error
    })
    const answer = await request(this.#urlOf(call), {
      method: call.method,
      dispatcher: this.#agent,
      headers: { authorization: `Bearer ${token}`, ...(call.body === undefined ? {} : JSON_BODY) },
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
    })
    if (answer.statusCode === 401 && !isRepeat) {
      await answer.body.dump()
      this.#token = undefined
      return this.#send(call, true)
    }
    if (answer.statusCode >= 300) throw await refusal(answer)
    return answer
  }

  #urlOf({ path, query = {} }: Call): URL {
    const url = new URL(`${VERSION}${path}`, this.#address.url)
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, String(value))
    return url
  }

  async #logIn(): Promise<string> {
    const { userName, password } = this.#address
    const form = new URLSearchParams({ grant_type: 'password', username: userName, password })
    const answer = await request(this.#urlOf({ method: 'POST', path: '/token' }), {
      method: 'POST',
      dispatcher: this.#agent,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: form.toString(),
    })
    if (answer.statusCode >= 300) throw new ClientError(401, (await refusal(answer)).message)
    const { access_token } = (await answer.body.json()) as { access_token: string }
    return access_token
  }
}

const JSON_BODY = { 'content-type': 'application/json' }

const refusal = async (answer: Dispatcher.ResponseData): Promise<ClientError> => {
  const text = await answer.body.text()
  const { message, error_description, errorCode } = objectIn(text)
  const said = message ?? error_description ?? `the server answered ${answer.statusCode}`
  return new ClientError(
    answer.statusCode,
    String(said),
    errorCode === undefined ? undefined : String(errorCode),
  )
}

const objectIn = (text: string): Record<string, unknown> => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

/** The last part of the name alone: a server must not choose a folder. */
const fileNameOf = (disposition: string): string => {
  const extended = /filename\*=UTF-8''([^;]+)/i.exec(disposition)?.[1]
  const plain = /filename="?([^";]+)"?/i.exec(disposition)?.[1]
  const name = extended === undefined ? plain : decodeURIComponent(extended)
  return name?.split(/[\\/]/).pop() || 'download'
}
