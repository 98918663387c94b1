import { afterAll, beforeAll } from 'vitest'
import { FixedClock, seededRandom, type Json } from '#base'
import { initRepository, openRepository, type BlobId, type Repository, type TreeEntry } from '#repository'
import { memoryStorage, type Storage } from '#storage'
import { openCatalogue, type Catalogue } from '../../catalogue/catalogue.ts'
import type { Catalogues } from '../../catalogue/catalogues.ts'
import type { CatalogueRow } from '../../catalogue/rows.ts'
import type { Tenant } from '../../connectors/connectors.ts'
import type { BackupOutcome, BackupRun, ProtectedObject, RunTotals } from '../../jobs/backup-run.ts'
import { createRunBackup } from '../run-backup.ts'
import { FakeDrive } from './fake-drive.ts'
import { FakeMailbox } from './fake-mailbox.ts'

export const clock = new FixedClock('2026-11-24T10:00:00Z')
export const options = { password: 'secret', clock, random: seededRandom(7), scrypt: { N: 2, r: 1, p: 1 } }

export interface OpenedShard {
  readonly index: number
  readonly repository: Repository
  readonly catalogue: Catalogue
}

/** One shard, some users, and what a run needs of the server. */
export class BackupWorld implements AsyncDisposable {
  readonly mailboxes = new Map<string, FakeMailbox>()
  readonly drives = new Map<string, FakeDrive>()
  readonly checkpoints = new Map<string, Json>()
  readonly log: string[] = []
  storage: Storage = memoryStorage()
  repository!: Repository
  catalogue!: Catalogue
  totals: RunTotals | undefined
  savePointMs = 60_000
  excludedFolders: readonly string[] = []
  itemCutoff: Date | undefined
  #sessions = 0

  static async start(): Promise<BackupWorld> {
    const world = new BackupWorld()
    world.repository = await initRepository(world.storage, options)
    world.catalogue = openCatalogue(':memory:', world.repository)
    return world
  }

  mailbox(userId: string): FakeMailbox {
    const mailbox = new FakeMailbox()
    this.mailboxes.set(userId, mailbox)
    return mailbox
  }

  drive(userId: string): FakeDrive {
    const drive = new FakeDrive()
    this.drives.set(userId, drive)
    return drive
  }

  /** As after a restart of the server: only the storage and the checkpoints are left. */
  async restart(storage: Storage = this.storage): Promise<void> {
    await this.#close()
    this.repository = await openRepository(storage, options)
    this.catalogue = openCatalogue(':memory:', this.repository)
  }

  get users(): string[] {
    return [...new Set([...this.mailboxes.keys(), ...this.drives.keys()])].sort()
  }

  async run(changes: Partial<BackupRun> = {}): Promise<BackupOutcome> {
    const catalogues = {
      of: ({ shard }: { shard: number }) => this.catalogueOf(shard),
    } as unknown as Catalogues
    const runBackup = createRunBackup({
      catalogues,
      clock,
      savePointMs: this.savePointMs,
      excludedFolders: this.excludedFolders,
      itemCutoff: async () => Promise.resolve(this.itemCutoff),
    })
    const outcome = await runBackup({ ...this.#plan(), ...changes })
    await this.catalogue.load()
    return outcome
  }

  get shardCount(): number {
    return 1
  }

  /** The only shard, unless a test has more. */
  get opened(): readonly OpenedShard[] {
    return [{ index: 0, repository: this.repository, catalogue: this.catalogue }]
  }

  /** Of the only shard, unless a test has more. */
  catalogueOf(_shard: number): Catalogue {
    return this.catalogue
  }

  #plan(): BackupRun {
    const tenant = {
      mailbox: (id: string) => this.mailboxes.get(id),
      drive: (id: string) => this.drives.get(id),
    } as unknown as Tenant
    return {
      sessionId: `session-${(this.#sessions += 1)}`,
      jobId: 'job-1',
      jobName: 'Daily',
      organization: { id: 'org-1', name: 'Contoso', tenantId: 't' },
      repositoryId: 'repo-1',
      full: false,
      isResumed: false,
      objects: this.users.map((id) => this.#object(id)),
      tenants: { directory: tenant, mail: tenant, onedrive: tenant },
      shards: { count: 1, open: async () => this.repository, existing: async () => [] },
      checkpoints: {
        load: async (key) => this.checkpoints.get(key),
        all: async () => this.checkpoints,
        save: async (key, value) => void this.checkpoints.set(key, structuredClone(value)),
        remove: async (key) => void this.checkpoints.delete(key),
      },
      report: {
        start: async () => {},
        finish: async (_key, type, message) => void this.log.push(`${type}: ${message}`),
        note: async () => {},
        totals: (totals) => (this.totals = totals),
      },
      signal: new AbortController().signal,
    }
  }

  #object(id: string): ProtectedObject {
    return {
      kind: 'user',
      id,
      principalName: `${id}@contoso.com`,
      displayName: id,
      mailbox: this.mailboxes.has(id),
      archiveMailbox: false,
      oneDrive: this.drives.has(id),
    }
  }

  /** Path → bytes of the newest snapshot, below `users/`. */
  async files(): Promise<Record<string, string>> {
    const files: Record<string, string> = {}
    const visit = async (tree: BlobId, path: string): Promise<void> => {
      for (const entry of await this.repository.tree(tree)) {
        const below = path === '' ? entry.name : `${path}/${entry.name}`
        if (entry.type === 'folder') await visit(entry.subtree, below)
        else files[below] = await this.#text(entry)
      }
    }
    const users = await this.repository.entryAt((await this.newest()).tree, 'users')
    if (users?.type === 'folder') await visit(users.subtree, '')
    return files
  }

  async paths(): Promise<string[]> {
    return Object.keys(await this.files()).sort()
  }

  async #text(entry: TreeEntry & { type: 'file' }): Promise<string> {
    const pieces: Uint8Array[] = []
    for await (const piece of this.repository.readFile(entry)) pieces.push(piece)
    return Buffer.concat(pieces).toString('latin1')
  }

  async newest(): Promise<{ readonly tree: BlobId }> {
    await this.catalogue.sync()
    await this.catalogue.load()
    return this.catalogue.points()[0]!
  }

  /** All rows of the newest restore point, by object. */
  rows(catalogue = this.catalogue): Record<string, CatalogueRow[]> {
    const rows: Record<string, CatalogueRow[]> = {}
    for (const { key, version } of catalogue.objectsAt(catalogue.points()[0]!.snapshot))
      rows[key] = catalogue
        .items(key, version, undefined, { offset: 0, limit: 1000 })
        .items.sort((a, b) => (a.id < b.id ? -1 : 1))
    return rows
  }

  async #close(): Promise<void> {
    this.catalogue[Symbol.dispose]()
    await this.repository[Symbol.asyncDispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close()
  }
}

/** Keeps the repository's worker threads running for all tests of a file. */
export const keepWorkers = (): void => {
  let world: BackupWorld | undefined
  beforeAll(async () => {
    world = await BackupWorld.start()
  })
  afterAll(async () => {
    await world?.[Symbol.asyncDispose]()
  })
}
