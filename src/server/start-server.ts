import { cancelled, messageOf, type Clock, type Logger, type Random, type Secret } from '#base'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { buildServer, type BuiltServer } from './build-server.ts'
import { decideConfig, type ServerConfig, type ServerOptions } from './config.ts'
import { openLog } from './open-log.ts'

/** A server that listens. */
export interface RunningServer extends AsyncDisposable {
  /** `https://localhost:4443`. */
  readonly url: string
  readonly port: number
  /** Of the administrator, when this was the first start: show it once. */
  readonly firstPassword?: Secret
  /** The file with what a client has to trust. */
  readonly caFile: string
  /** Takes no more calls, brings runs to a point that they can go on from, closes everything. May be called twice. */
  stop(): Promise<void>
}

export interface StartOptions {
  readonly clock?: Clock
  readonly random?: Random
  /** Instead of what the configuration says. */
  readonly log?: Logger
}

/** Starts a server. `conflict` when another one works on the same data folder. */
export const startServer = async (
  options: ServerOptions,
  around: StartOptions = {},
): Promise<RunningServer> => {
  const config = decideConfig(options)
  await using opened = new AsyncDisposableStack()
  const log = around.log ?? opened.use(openLog(config.log)).log
  const server = opened.use(await buildServer(config, { ...around, log }))
  const address = await listen(server, config)
  opened.defer(() => close(server, config, log))
  await server.start()
  log.info({ port: address.port, dataFolder: config.dataFolder }, 'server started')
  const closing = opened.move()
  const stop = async (): Promise<void> => {
    if (!closing.disposed) log.info({}, 'server stops')
    await closing.disposeAsync()
  }
  return {
    url: urlOf(config, address),
    port: address.port,
    caFile: server.caFile,
    ...(server.firstPassword === undefined ? {} : { firstPassword: server.firstPassword }),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

const listen = async ({ api }: BuiltServer, { host, port }: ServerConfig): Promise<AddressInfo> => {
  await api.listen({ host, port })
  return api.server.address() as AddressInfo
}

const urlOf = ({ publicUrl }: ServerConfig, { port }: AddressInfo): string =>
  publicUrl === undefined ? `https://localhost:${port}` : new URL(publicUrl).origin

/** Waits for calls under way, but not for a client that does not read. */
const close = async ({ api }: BuiltServer, { stopWithinMs }: ServerConfig, log: Logger): Promise<void> => {
  const patience = new AbortController()
  const tired = delay(stopWithinMs / 2, 'tired' as const, { signal: patience.signal }).catch(() => 'done')
  const closed = api.close().then(() => 'done' as const)
  const outcome = await Promise.race([closed, tired])
  if (outcome === 'tired') api.server.closeAllConnections()
  patience.abort(cancelled())
  await closed.catch((error: unknown) => log.warn({ message: messageOf(error) }, 'closing failed'))
}
