import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer, type Server } from 'node:https'
import type { AddressInfo, Server as NetServer, Socket } from 'node:net'
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { messageOf, type Logger } from '#base'
import type { Finished } from './answers.ts'
import type { Authority } from './authority.ts'
import { GraphError, type HostRole } from './contract.ts'
import { CutConnection } from './cut-connection.ts'
import { cloudOrigin, hostPlaces, ROLES, type HostPlace } from './hosts.ts'
import type { Call } from './request.ts'

export interface HostsOptions {
  readonly authority: Authority
  readonly tenantName: string
  /** The first of six ports in a row; 0 takes whatever is free. */
  readonly port: number
  readonly log: Logger
  readonly answer: (call: Call) => Promise<Finished>
}

export { CutConnection }

const KEEP_ALIVE = { keepAlive: true, keepAliveTimeout: 65_000, requestTimeout: 0 }
const MAX_BODY_BYTES = 256 * 1024 * 1024

const readAll = async (message: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of message as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_BODY_BYTES) throw new GraphError(413, 'requestEntityTooLarge', 'The request is too large.')
    chunks.push(chunk)
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size)
}

/** The sockets: one port for each host role, and a proxy that answers for Microsoft's names and reaches nothing else. */
export class Hosts {
  readonly #options: HostsOptions
  readonly #places: ReadonlyMap<string, HostPlace>
  readonly #servers: NetServer[] = []
  readonly #sockets = new Set<Socket>()
  readonly #ports = new Map<HostRole | 'proxy', number>()

  private constructor(options: HostsOptions) {
    this.#options = options
    this.#places = hostPlaces(options.tenantName)
  }

  static async listen(options: HostsOptions): Promise<Hosts> {
    const hosts = new Hosts(options)
    const leaf = await options.authority.leaf(['localhost', '127.0.0.1'])
    for (const [index, role] of ROLES.entries()) {
      const server = createHttpsServer({ ...leaf, ...KEEP_ALIVE }, (message, response) => {
        void hosts.#serve(message, response, { role, origin: (other) => hosts.origin(other) })
      })
      await hosts.#open(server, role, index)
    }
    await hosts.#open(hosts.#proxy(), 'proxy', ROLES.length)
    return hosts
  }

  origin(role: HostRole): string {
    return `https://localhost:${this.#ports.get(role)}`
  }

  get proxyUrl(): string {
    return `http://127.0.0.1:${this.#ports.get('proxy')}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = this.#servers.map(
      (server) => new Promise<void>((resolve) => server.close(() => resolve())),
    )
    for (const socket of this.#sockets) socket.destroy()
    await Promise.all(closed)
  }

  async #open(server: NetServer, name: HostRole | 'proxy', index: number): Promise<void> {
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.setNoDelay(true)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    server.listen(this.#options.port === 0 ? 0 : this.#options.port + index, '127.0.0.1')
    await once(server, 'listening')
    this.#servers.push(server)
    this.#ports.set(name, (server.address() as AddressInfo).port)
  }

  #proxy(): NetServer {
    const named = this.#namedServer()
    const proxy = createHttpServer((_message, response) => {
      response.writeHead(403, { 'content-type': 'text/plain' })
      response.end('The practice tenant reaches nothing but itself.\n')
    })
    proxy.on('connect', (message: IncomingMessage, socket: Duplex, head: Buffer) => {
      const host = (message.url ?? '').replace(/:443$/, '').toLowerCase()
      socket.on('error', () => socket.destroy())
      if (!this.#places.has(host) || head.length > 0) {
        this.#options.log.warn({ host }, 'proxy refused a host')
        socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
        return
      }
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      named.emit('connection', socket)
    })
    return proxy
  }

  #namedServer(): Server {
    const { authority } = this.#options
    return createHttpsServer(
      {
        ...KEEP_ALIVE,
        SNICallback: (host, done) => {
          if (!this.#places.has(host.toLowerCase())) return done(new Error(`no certificate for ${host}`))
          authority.contextFor(host.toLowerCase()).then(
            (context) => done(null, context),
            (error: unknown) => done(new Error(messageOf(error))),
          )
        },
      },
      (message, response) => {
        const place = this.#places.get((message.headers.host ?? '').replace(/:443$/, '').toLowerCase())
        if (place === undefined) return void response.writeHead(421).end()
        const origin = (role: HostRole): string => cloudOrigin(place.cloud, role, this.#options.tenantName)
        void this.#serve(message, response, { role: place.role, origin })
      },
    )
  }

  async #serve(
    message: IncomingMessage,
    response: ServerResponse,
    place: Pick<Call, 'role' | 'origin'>,
  ): Promise<void> {
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    try {
      const url = new URL(
        place.origin(place.role) + (message.url?.startsWith('/') === true ? message.url : '/'),
      )
      const method = message.method ?? 'GET'
      const readBody = (): Promise<Buffer> => readAll(message)
      const finished = await this.#options.answer({
        ...place,
        method,
        url,
        headers: message.headers,
        readBody,
        signal: gone.signal,
        onSent: (callback) => void response.once('close', callback),
      })
      await this.#write(message, response, finished)
    } catch (error) {
      if (!(error instanceof CutConnection) && !gone.signal.aborted) {
        this.#options.log.error({ reason: messageOf(error) }, 'answer could not be written')
      }
      message.socket.destroy()
    }
  }

  async #write(message: IncomingMessage, response: ServerResponse, finished: Finished): Promise<void> {
    // What a handler did not read must be drained, or the next request on this connection starts in its midst.
    message.resume()
    response.writeHead(finished.status, finished.headers)
    const { body } = finished
    if (message.method === 'HEAD' || body === undefined) return void response.end()
    if (body instanceof Uint8Array) return void response.end(body)
    await pipeline(body, response)
  }
}
