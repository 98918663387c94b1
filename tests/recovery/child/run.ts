// One backup run in a process of its own, to be killed at any moment. It waits for an order, says `begun`, and says
// `ended` when it is over.
import { appendFileSync, openSync, writeSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isHoldfastError, seededRandom, systemClock, systemRandom } from '#base'
import { Catalogues, createRunBackup, type BackupRun } from '#engine'
import { initRepository, openRepository, type Repository } from '#repository'
import { localStorage, type Storage } from '#storage'
import type { FakeDrive } from '../../../src/engine/backup/tests/fake-drive.ts'
import type { FakeMailbox } from '../../../src/engine/backup/tests/fake-mailbox.ts'
import { fileCheckpoints } from './file-checkpoints.ts'
import { ScriptedSource, USERS, watched } from './scripted-source.ts'

export interface Order {
  readonly folder: string
  readonly seed: number
  /** Rounds of changes that the source has seen; each is backed up by a session of its own. */
  readonly round: number
  readonly sessionId: string
  /** From 0; later ones go on from where the first one was killed. */
  readonly attempt: number
  /** Die by SIGKILL in the middle of this write, counted from 1. */
  readonly dieAtWrite?: number
}

const OPTIONS = {
  password: 'for tests',
  clock: systemClock,
  random: systemRandom,
  scrypt: { N: 2, r: 1, p: 1 },
}

/** Half of a file is under its unfinished name when the process is gone. */
const dyingInWrite = (storage: Storage, root: string, at: number): Storage => {
  let writes = 0
  return {
    name: storage.name,
    read: (path, range, signal) => storage.read(path, range, signal),
    stat: (path, signal) => storage.stat(path, signal),
    list: (folder, signal) => storage.list(folder, signal),
    remove: (path, signal) => storage.remove(path, signal),
    space: (signal) => storage.space(signal),
    [Symbol.asyncDispose]: () => storage[Symbol.asyncDispose](),
    write: async (path, parts, signal) => {
      writes += 1
      if (writes < at) return storage.write(path, parts, signal)
      const target = join(root, path)
      await mkdir(dirname(target), { recursive: true })
      const bytes = Buffer.concat(parts)
      writeSync(openSync(`${target}-tmp-0011223344556677`, 'w'), bytes.subarray(0, bytes.length >> 1))
      process.kill(process.pid, 'SIGKILL')
      return new Promise(() => {})
    },
  }
}

const open = async (storage: Storage): Promise<Repository> => {
  try {
    return await openRepository(storage, OPTIONS)
  } catch (error) {
    if (!isHoldfastError(error, 'not-found')) throw error
  }
  for await (const file of storage.list('keys')) await storage.remove(file.path)
  return initRepository(storage, OPTIONS)
}

const plan = (order: Order, repository: Repository): BackupRun => {
  const source = new ScriptedSource(order.seed, order.round)
  const chance = seededRandom(order.seed + order.round)
  const tell = (line: object): void =>
    appendFileSync(join(order.folder, `${order.sessionId}.log`), `${JSON.stringify(line)}\n`)
  const watch = <Kind extends FakeMailbox | FakeDrive>(key: string, found: Kind): Kind =>
    watched(found, {
      onReading: (folder, token) => tell({ attempt: order.attempt, key, folder, token }),
      onPage: () => {
        tell({ page: key })
        if (process.connected) process.send!('reading')
      },
      pageMs: () => chance.fraction() * 30,
    })
  const tenant = {
    mailbox: (id: (typeof USERS)[number]) => watch(`mail-${id}`, source.mailboxes.get(id)!),
    drive: (id: (typeof USERS)[number]) => watch(`onedrive-${id}`, source.drives.get(id)!),
  } as unknown as BackupRun['tenants']['directory']
  return {
    sessionId: order.sessionId,
    jobId: 'job-1',
    jobName: 'Daily',
    organization: { id: 'org-1', name: 'Contoso', tenantId: 't' },
    repositoryId: 'repository-1',
    full: false,
    isResumed: order.attempt > 0,
    objects: USERS.map((id) => ({
      kind: 'user',
      id,
      principalName: `${id}@contoso.com`,
      displayName: id,
      mailbox: true,
      archiveMailbox: false,
      oneDrive: true,
    })),
    tenants: { directory: tenant, mail: tenant, onedrive: tenant },
    shards: {
      count: 1,
      open: async () => Promise.resolve(repository),
      existing: async () => Promise.resolve([]),
    },
    checkpoints: fileCheckpoints(join(order.folder, 'checkpoints', order.sessionId)),
    report: {
      start: async () => {},
      finish: async () => {},
      note: async () => {},
      totals: () => {},
    },
    signal: new AbortController().signal,
  }
}

const work = async (order: Order): Promise<void> => {
  await mkdir(order.folder, { recursive: true })
  const root = join(order.folder, 'repository')
  const local = localStorage(root)
  const storage = order.dieAtWrite === undefined ? local : dyingInWrite(local, root, order.dieAtWrite)
  process.send!('begun')
  await using repository = await open(storage)
  using catalogues = new Catalogues(join(order.folder, 'catalogues'))
  const runBackup = createRunBackup({ catalogues, clock: systemClock, savePointMs: 30 })
  const outcome = await runBackup(plan(order, repository))
  if (outcome.failed > 0) throw new Error(`objects failed: ${JSON.stringify(outcome)}`)
}

process.once('message', (order: Order) => {
  work(order).then(
    () => {
      process.send!('ended')
      process.disconnect()
    },
    (error: unknown) => {
      process.send!(`failed: ${error instanceof Error ? error.stack : String(error)}`)
      process.disconnect()
    },
  )
})
