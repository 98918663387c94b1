import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { seededRandom, systemClock } from '#base'
import { Catalogues, createRunBackup, type BackupRun } from '#engine'
import type { Repository } from '#repository'
import type { FakeDrive } from '../../../src/engine/backup/tests/fake-drive.ts'
import type { FakeMailbox } from '../../../src/engine/backup/tests/fake-mailbox.ts'
import { fileCheckpoints } from './file-checkpoints.ts'
import type { BackupOrder, Ground } from './order.ts'
import { ScriptedSource, USERS, watched } from './scripted-source.ts'

const SAVE_POINT_MS = 30
const SLOWEST_PAGE_MS = 30

/** Runs a session to its end, or on from where it was killed. `say` is told of each page. */
export const backUp = async (
  ground: Ground,
  order: BackupOrder,
  parts: { open(shard: number): Promise<Repository>; say(what: 'reading' | 'saved'): void },
): Promise<void> => {
  using catalogues = new Catalogues(join(ground.folder, 'catalogues'))
  const runBackup = createRunBackup({ catalogues, clock: systemClock, savePointMs: SAVE_POINT_MS })
  const outcome = await runBackup(plan(ground, order, parts))
  if (outcome.failed > 0) throw new Error(`objects failed: ${JSON.stringify(outcome)}`)
}

const plan = (
  { folder, shards, seed }: Ground,
  order: BackupOrder,
  { open, say }: Parameters<typeof backUp>[2],
): BackupRun => ({
  sessionId: order.sessionId,
  jobId: 'job-1',
  jobName: 'Daily',
  organization: { id: 'org-1', name: 'Contoso', tenantId: 't' },
  repositoryId: 'repository-1',
  full: order.full,
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
  tenants: tenantsOf(folder, seed, order, say),
  shards: { count: shards, open, existing: async () => Promise.resolve([]) },
  checkpoints: told(fileCheckpoints(join(folder, 'checkpoints', order.sessionId)), () => say('saved')),
  report: {
    start: async () => {},
    finish: async () => {},
    note: async () => {},
    totals: () => {},
  },
  signal: new AbortController().signal,
})

const told = (checkpoints: BackupRun['checkpoints'], onSaved: () => void): BackupRun['checkpoints'] => ({
  ...checkpoints,
  save: async (key, value) => {
    await checkpoints.save(key, value)
    onSaved()
  },
})

/** What is asked of the service is written down, and it takes its time. */
const tenantsOf = (
  folder: string,
  seed: number,
  order: BackupOrder,
  say: (what: 'reading') => void,
): BackupRun['tenants'] => {
  const source = new ScriptedSource(seed, order.round)
  const chance = seededRandom(seed + order.round)
  const tell = (line: object): void =>
    appendFileSync(join(folder, `${order.sessionId}.log`), `${JSON.stringify(line)}\n`)
  const watch = <Kind extends FakeMailbox | FakeDrive>(key: string, found: Kind): Kind =>
    watched(found, {
      onReading: (of, token) => tell({ attempt: order.attempt, key, folder: of, token }),
      onPage: () => say('reading'),
      pageMs: () => chance.fraction() * SLOWEST_PAGE_MS,
    })
  const tenant = {
    mailbox: (id: (typeof USERS)[number]) => watch(`mail-${id}`, source.mailboxes.get(id)!),
    drive: (id: (typeof USERS)[number]) => watch(`onedrive-${id}`, source.drives.get(id)!),
  } as unknown as BackupRun['tenants']['directory']
  return { directory: tenant, mail: tenant, onedrive: tenant }
}
