import { parseArgs } from 'node:util'

export interface DemoOptions {
  readonly users: number
  readonly mails: number
  readonly files: number
  /** Stop everything at the end. */
  readonly exit: boolean
  readonly json: boolean
  /** Keep all data here. */
  readonly keep: string | undefined
  readonly port: number
}

const HELP = `./demo [options]

Adds a Microsoft 365 organization with POST /v4/Organizations, backs it up, loses data and gets it back, on a practice
tenant with real mail and documents. Everything stays running at the end, with addresses and a login printed.

  --users N     people in the tenant (6)
  --mails N     messages in each mailbox (300)
  --files N     files in each OneDrive (60)
  --port N      of the server (4443; 0 for any)
  --exit        stop everything at the end, with a status
  --json        print one summary object at the end
  --keep DIR    keep all data in DIR; otherwise it goes with the processes
`

const whole = (text: string, name: string): number => {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`--${name} must be a whole number`)
  return Number(text)
}

/** Undefined when only help was asked for. */
export const readOptions = (args: readonly string[]): DemoOptions | undefined => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      users: { type: 'string', default: '6' },
      mails: { type: 'string', default: '300' },
      files: { type: 'string', default: '60' },
      port: { type: 'string', default: '4443' },
      exit: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      keep: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(HELP)
    return undefined
  }
  return {
    users: Math.max(1, whole(values.users, 'users')),
    mails: Math.max(1, whole(values.mails, 'mails')),
    files: Math.max(1, whole(values.files, 'files')),
    port: whole(values.port, 'port'),
    exit: values.exit,
    json: values.json,
    keep: values.keep,
  }
}
