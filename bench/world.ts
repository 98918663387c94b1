// What the benchmarks of whole runs share: a practice tenant in a process of its own, and our side of it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Secret, silentLogger, systemClock, systemRandom } from '#base'
import {
  Catalogues,
  createRunBackup,
  type BackupOutcome,
  type BackupRun,
  type Checkpoints,
  type ProtectedObject,
  type RunReport,
  type Tenant,
} from '#engine'
import { microsoft365 } from '#m365'
import { initRepository, type Repository } from '#repository'
import { localStorage, type Storage } from '#storage'

export interface TenantProcess {
  readonly tenantId: string
  readonly domain: string
  readonly graph: string
  readonly login: string
  readonly proxyUrl: string
  readonly caFile: string
  readonly applicationId: string
  readonly applicationSecret: string
  readonly editorApplicationId: string
  readonly editorApplicationSecret: string
  stop(): Promise<void>
}

export const startTenant = async (size: {
  users: number
  mails: number
  files: number
}): Promise<TenantProcess> => {
  const numbers = Object.entries(size).flatMap(([name, value]) => [`--${name}`, String(value)])
  const child = spawn('bin/holdfast', ['practice-tenant', ...numbers, '--no-throttling', '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  return {
    ...(JSON.parse(line) as Omit<TenantProcess, 'stop'>),
    stop: async () => {
      const gone = once(child, 'exit')
      child.kill('SIGTERM')
      await gone
    },
  }
}

/** The very client that the server uses, by Microsoft's own names through the tenant's proxy. */
export const connectTo = (tenant: TenantProcess, role: 'application' | 'editor' = 'application') => {
  const connectors = microsoft365({
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
    caCertificates: [readFileSync(tenant.caFile, 'utf8')],
    proxyUrl: tenant.proxyUrl,
    // The tenant does not throttle here: our own pacing must not be what is measured.
    limits: {
      quotas: { mailbox: { concurrent: 4 }, files: { concurrent: 16 }, directory: { concurrent: 8 } },
    },
  })
  const isEditor = role === 'editor'
  const applicationId = isEditor ? tenant.editorApplicationId : tenant.applicationId
  const secret = new Secret(isEditor ? tenant.editorApplicationSecret : tenant.applicationSecret)
  const connection = {
    region: 'Worldwide',
    tenant: tenant.domain,
    application: { applicationId, secret },
  } as const
  return { connectors, tenant: connectors.connect(connection) }
}

export const objectsOf = async (
  tenant: Tenant,
  { mailboxes, drives }: { readonly mailboxes: number; readonly drives: number },
): Promise<ProtectedObject[]> => {
  const users = (await Array.fromAsync(tenant.users())).filter(
    ({ isLicensed, isGuest }) => isLicensed && !isGuest,
  )
  const objects: ProtectedObject[] = []
  let [mailboxesLeft, drivesLeft] = [mailboxes, drives]
  const answers = (call: Promise<unknown>): Promise<boolean> =>
    call.then(
      () => true,
      () => false,
    )
  for (const { id, userPrincipalName, displayName } of users) {
    if (mailboxesLeft + drivesLeft === 0) break
    // Some people have no mailbox, no drive or a locked one: reported by a backup, of no use here.
    const mailbox = mailboxesLeft > 0 && (await answers(tenant.mailbox(id).folders()))
    const oneDrive = drivesLeft > 0 && (await answers(tenant.drive(id).root()))
    mailboxesLeft -= mailbox ? 1 : 0
    drivesLeft -= oneDrive ? 1 : 0
    objects.push({
      kind: 'user',
      id,
      principalName: userPrincipalName,
      displayName,
      mailbox,
      archiveMailbox: false,
      oneDrive,
    })
  }
  return objects
}

const silentReport: RunReport = {
  start: async () => {},
  finish: async () => {},
  note: async () => {},
  totals: () => {},
}

const noCheckpoints = (): Checkpoints => {
  const kept = new Map<string, never>()
  return {
    load: (key) => Promise.resolve(kept.get(key)),
    all: () => Promise.resolve(kept),
    save: async (key, value) => {
      kept.set(key, value as never)
      await Promise.resolve()
    },
    remove: async (key) => {
      kept.delete(key)
      await Promise.resolve()
    },
  }
}

/** A backup repository in a folder, with the engine's backup on it. */
export class BackupBench implements AsyncDisposable {
  readonly repository: Repository
  readonly #catalogues: Catalogues
  #runs = 0

  private constructor(repository: Repository, catalogues: Catalogues) {
    this.repository = repository
    this.#catalogues = catalogues
  }

  static async make(
    folder: string,
    storage: Storage = localStorage(join(folder, 'repository')),
  ): Promise<BackupBench> {
    const options = {
      password: 'bench',
      clock: systemClock,
      random: systemRandom,
      scrypt: { N: 1024, r: 8, p: 1 },
    }
    const repository = await initRepository(storage, options)
    return new BackupBench(repository, new Catalogues(join(folder, 'catalogues')))
  }

  async run(tenant: Tenant, objects: readonly ProtectedObject[]): Promise<BackupOutcome> {
    const runBackup = createRunBackup({ catalogues: this.#catalogues, clock: systemClock })
    this.#runs += 1
    const { repository } = this
    const run: BackupRun = {
      sessionId: `00000000-0000-4000-8000-${String(this.#runs).padStart(12, '0')}`,
      jobId: '00000000-0000-4000-8000-00000000000a',
      jobName: 'bench',
      organization: { id: '00000000-0000-4000-8000-00000000000b', name: 'contoso', tenantId: 'x' },
      repositoryId: '00000000-0000-4000-8000-00000000000c',
      full: false,
      isResumed: false,
      objects,
      tenants: { directory: tenant, mail: tenant, onedrive: tenant },
      shards: {
        count: 1,
        open: () => Promise.resolve(repository),
        existing: () => Promise.resolve([{ index: 0, repository }]),
      },
      checkpoints: noCheckpoints(),
      report: silentReport,
      signal: new AbortController().signal,
    }
    return runBackup(run)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#catalogues[Symbol.dispose]()
    await this.repository[Symbol.asyncDispose]()
  }
}

/** Reads what a full backup reads, with the same client, and keeps nothing. Returns the number of items. */
export const fetchAndDiscard = async (
  tenant: Tenant,
  objects: readonly ProtectedObject[],
): Promise<number> => {
  let items = 0
  const eight = async (
    wanted: readonly ProtectedObject[],
    work: (id: string) => Promise<void>,
  ): Promise<void> => {
    const queue = [...wanted]
    const worker = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) await work(next.id)
    }
    await Promise.all(Array.from({ length: 8 }, worker))
  }
  const mailbox = async (id: string): Promise<void> => {
    const source = tenant.mailbox(id)
    for (const folder of await source.folders())
      for await (const page of source.changes(folder.id))
        for (const item of page.items) {
          items += 1
          if (!item.hasAttachments) continue
          for await (const { content } of source.attachments(item))
            if (content !== undefined) await drain(content)
        }
  }
  const drive = async (id: string): Promise<void> => {
    const source = tenant.drive(id)
    for await (const page of source.changes())
      for (const item of page.items) {
        items += 1
        if (item.isShared) await source.permissions(item.id)
        if (item.kind === 'file' && !item.isMalware) await drain(source.content(item))
      }
  }
  await Promise.all([
    eight(
      objects.filter((object) => object.mailbox),
      mailbox,
    ),
    eight(
      objects.filter((object) => object.oneDrive),
      drive,
    ),
  ])
  return items
}

const drain = async (content: AsyncIterable<Uint8Array>): Promise<void> => {
  for await (const _ of content) continue
}

/** The largest resident size while `work` ran, in megabytes. */
export const peakMemory = async <Result>(
  work: () => Promise<Result>,
): Promise<{ result: Result; peakMb: number }> => {
  let peak = 0
  const look = (): void => {
    peak = Math.max(peak, process.memoryUsage.rss())
  }
  const timer = setInterval(look, 20)
  try {
    const result = await work()
    look()
    return { result, peakMb: peak / 1e6 }
  } finally {
    clearInterval(timer)
  }
}
