import { messageOf, type Logger } from '#base'
import pino from 'pino'
import type { LogConfig } from './config.ts'

/** Fields that never reach the log, whoever puts them there. */
const HIDDEN = [
  'password',
  'secret',
  'token',
  'accessToken',
  'refreshToken',
  'authorization',
  'applicationSecret',
  'applicationCertificate',
  'applicationCertificatePassword',
  'body',
]

const paths = HIDDEN.flatMap((name) => [name, `*.${name}`, `err.${name}`])

/** A chain of causes as text: messages and stacks, no other properties, since those may hold anything. */
const describeError = (error: unknown, depth = 0): object | string => {
  if (!(error instanceof Error)) return messageOf(error)
  return {
    type: error.name,
    message: error.message,
    ...('code' in error && typeof error.code === 'string' ? { code: error.code } : {}),
    stack: error.stack,
    ...(error.cause === undefined || depth > 8 ? {} : { cause: describeError(error.cause, depth + 1) }),
  }
}

export interface OpenLog extends AsyncDisposable {
  readonly log: Logger
}

/** The log: one JSON object a line, to a file or to standard output. Disposing writes out what is left. */
export const openLog = ({ level, file }: LogConfig): OpenLog => {
  const destination = pino.destination({ dest: file ?? 1, sync: false, mkdir: true, mode: 0o600 })
  const log = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths, censor: '***' },
      serializers: { err: (error: unknown) => describeError(error) },
    },
    destination,
  )
  return {
    log,
    [Symbol.asyncDispose]: async () => {
      await new Promise<void>((resolve) => destination.flush(() => resolve()))
      if (file !== undefined) destination.end()
    },
  }
}
