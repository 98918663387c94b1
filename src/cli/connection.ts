import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { invalid } from '#base'
import { connect, type Connection } from '#client'

export interface ConnectionOptions {
  readonly url?: string
  readonly username?: string
  readonly passwordFile?: string
  readonly ca?: string
}

export type ServerConnection = Connection

const DEFAULT_URL = 'https://localhost:4443'
const OWN_CERTIFICATE = join(homedir(), '.holdfast', 'tls', 'server.crt')

/** Nothing is asked of the server before the first call, which logs in. */
export const connectTo = (options: ConnectionOptions): ServerConnection => {
  const { HOLDFAST_URL, HOLDFAST_USERNAME, HOLDFAST_PASSWORD, HOLDFAST_CA } = process.env
  const caFile = options.ca ?? HOLDFAST_CA ?? (existsSync(OWN_CERTIFICATE) ? OWN_CERTIFICATE : undefined)
  return connect({
    url: options.url ?? HOLDFAST_URL ?? DEFAULT_URL,
    userName: options.username ?? HOLDFAST_USERNAME ?? 'administrator',
    password: passwordOf(options.passwordFile, HOLDFAST_PASSWORD),
    ...(caFile === undefined ? {} : { ca: readFileSync(caFile, 'utf8') }),
  })
}

const passwordOf = (file: string | undefined, variable: string | undefined): string => {
  const given = file === undefined ? variable : readFileSync(file, 'utf8').trim()
  if (given === undefined || given === '')
    throw invalid('give a password with --password-file or HOLDFAST_PASSWORD')
  return given
}
