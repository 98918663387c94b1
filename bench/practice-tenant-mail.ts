// How fast the practice tenant hands out mail: pages of 100 messages with bodies, read and discarded over HTTPS by four
// connections of another process. `node bench/practice-tenant-mail.ts [--mailboxes N] [--mails N] [--seconds N]`
import { fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

import { Agent, request, type Dispatcher } from 'undici'

import { startPracticeTenant } from '#practice-tenant'

interface Job {
  readonly addresses: readonly string[]
  readonly token: string
  readonly caFile: string
}

interface Tally {
  readonly messages: number
  readonly bytes: number
  readonly seconds: number
}

const PAGE = 100
const CONNECTIONS = 4

/** Reads one mailbox's inbox page by page; counts without parsing, so that the reader is not what is measured. */
const readInbox = async (
  address: string,
  job: Job,
  dispatcher: Agent,
): Promise<{ messages: number; bytes: number }> => {
  const headers = {
    authorization: `Bearer ${job.token}`,
    prefer: `odata.maxpagesize=${PAGE}, IdType="ImmutableId"`,
  }
  let next: string | undefined = address
  let messages = 0
  let bytes = 0
  while (next !== undefined) {
    const { statusCode, body }: Dispatcher.ResponseData = await request(next, { headers, dispatcher })
    const page: Buffer = Buffer.from(await body.arrayBuffer())
    if (statusCode !== 200) throw new Error(`${statusCode}: ${page.toString('utf8').slice(0, 300)}`)
    bytes += page.byteLength
    const tail: string = page.subarray(-4000).toString('latin1')
    next = /"@odata\.nextLink":"([^"]+)"/.exec(tail)?.[1]
    for (let at = page.indexOf('"@odata.etag"'); at !== -1; at = page.indexOf('"@odata.etag"', at + 1))
      messages += 1
  }
  return { messages, bytes }
}

const read = async (job: Job): Promise<Tally> => {
  const dispatcher = new Agent({ connect: { ca: readFileSync(job.caFile) }, connections: CONNECTIONS })
  const queue = [...job.addresses]
  const started = performance.now()
  let messages = 0
  let bytes = 0
  const work = async (): Promise<void> => {
    for (let address = queue.shift(); address !== undefined; address = queue.shift()) {
      const counted = await readInbox(address, job, dispatcher)
      messages += counted.messages
      bytes += counted.bytes
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, work))
  await dispatcher.close()
  return { messages, bytes, seconds: (performance.now() - started) / 1000 }
}

const inOtherProcess = (job: Job): Promise<Tally> =>
  new Promise((resolve, reject) => {
    const reader = fork(import.meta.filename, { env: { ...process.env, BENCH_ROLE: 'reader' } })
    reader.once('exit', (code) => reject(new Error(`the reader ended with ${code}`)))
    reader.once('message', (tally) => {
      resolve(tally as Tally)
      reader.disconnect()
    })
    reader.send(job)
  })

/** Runs a job and prints its rate, and what the tenant's own processor time would allow on a machine with nothing else to do. */
const show = async (name: string, job: Job): Promise<{ rate: number; ceiling: number }> => {
  const before = process.cpuUsage()
  const { messages, bytes, seconds } = await inOtherProcess(job)
  const { user, system } = process.cpuUsage(before)
  const rate = Math.round(messages / seconds)
  const ceiling = Math.round(messages / ((user + system) / 1e6))
  console.error(`${name}: ${rate} messages/s, ${(bytes / seconds / 1e6).toFixed(1)} MB/s`)
  return { rate, ceiling }
}

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: { mailboxes: { type: 'string', default: '8' }, mails: { type: 'string', default: '4000' } },
  })
  const seed = { users: Number(values.mailboxes), mails: Number(values.mails) }
  await using tenant = await startPracticeTenant({ seed, throttling: false })
  const users = [...tenant.state.users()].filter(({ mailboxKind }) => mailboxKind === 'user')
  const inbox = ({ id }: { id: string }): string =>
    `${tenant.origin('graph')}/v1.0/users/${id}/mailFolders/inbox/messages`
  const shared = { token: tenant.token(), caFile: tenant.caFile }
  const lists = users.map((user) => `${inbox(user)}?$top=${PAGE}`)
  const first = await show('first touch, list', { ...shared, addresses: lists })
  const listed: { rate: number; ceiling: number }[] = []
  const changed: { rate: number; ceiling: number }[] = []
  for (let round = 1; round <= 3; round += 1) {
    listed.push(await show(`list ${round}`, { ...shared, addresses: lists }))
    const deltas = users.map((user) => `${inbox(user)}/delta`)
    changed.push(await show(`delta ${round}`, { ...shared, addresses: deltas }))
  }
  const spread = (shown: readonly { rate: number }[]): string => {
    const rates = shown.map(({ rate }) => rate).sort((a, b) => a - b)
    return `${rates[1]} (${rates[0]}–${rates[2]})`
  }
  const ceiling = Math.max(...[...listed, ...changed].map((shown) => shown.ceiling))
  const rows = [
    ['list, messages/s, reader on the same two cores', spread(listed), '≥ 5000'],
    ['delta, messages/s', spread(changed), '≥ 5000'],
    ['first touch (mailboxes are made), messages/s', String(first.rate), ''],
    ["messages per second of the tenant's processor time", String(ceiling), ''],
  ]
  console.log(JSON.stringify({ title: 'Practice tenant: pages of 100 messages with bodies', rows }))
}

if (process.env['BENCH_ROLE'] === 'reader') {
  process.once('message', (job) => void read(job as Job).then((tally) => process.send!(tally)))
} else {
  await main()
}
