import { once } from 'node:events'
import { readConfig, startServer, type ServerOptions } from '#server'
import { outputFor } from '../output.ts'

export interface ServeOptions {
  readonly data?: string
  readonly port?: string
  readonly host?: string
  readonly logFile?: string
  readonly json?: boolean
}

const FIRST_USER = 'administrator'

const optionsOf = (given: ServeOptions): ServerOptions => {
  const read = readConfig()
  return {
    ...read,
    ...(given.data === undefined ? {} : { dataFolder: given.data }),
    ...(given.port === undefined ? {} : { port: Number(given.port) }),
    ...(given.host === undefined ? {} : { host: given.host }),
    log: { ...read.log, ...(given.logFile === undefined ? {} : { file: given.logFile }) },
  }
}

/** Runs the server until it is told to stop: SIGTERM, SIGINT. A second signal ends the process at once. */
export const serve = async (given: ServeOptions): Promise<void> => {
  const output = outputFor(given.json === true)
  await using server = await startServer(optionsOf(given))
  const { url, caFile, port, firstPassword } = server
  const first =
    firstPassword === undefined ? {} : { userName: FIRST_USER, firstPassword: firstPassword.reveal() }
  output.result({ url, port, caFile, ...first }, () =>
    [
      `Holdfast listens on ${url}`,
      `Its certificate is trusted by: ${caFile}`,
      ...(firstPassword === undefined
        ? []
        : [
            `First start: log in as ${FIRST_USER} with the password ${firstPassword.reveal()} (shown this once)`,
          ]),
    ].join('\n'),
  )
  await told()
}

/** Resolves at the first SIGTERM or SIGINT. */
export const told = async (): Promise<void> => {
  await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')])
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(130))
}
