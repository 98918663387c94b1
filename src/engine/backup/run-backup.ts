import { isHoldfastError, messageOf, silentLogger, type Clock, type Logger } from '#base'
import { storedName } from '#formats'
import type { BlobId, NewSnapshot, Repository, RepositoryWriter } from '#repository'
import type { Catalogue, PreviousState, RestorePoint } from '../catalogue/catalogue.ts'
import type { Catalogues } from '../catalogue/catalogues.ts'
import {
  objectKey,
  OBJECTS_FOLDER,
  RUN_FILE,
  saveRunRecord,
  shardOf,
  versionsPath,
  type ObjectIdentity,
  type ObjectKind,
  type ObjectRunStatus,
  type RunRecord,
} from '../catalogue/object-state.ts'
import type { Tenant } from '../connectors/connectors.ts'
import type { BackupOutcome, BackupRun, ProtectedObject, RunBackup } from '../jobs/backup-run.ts'
import { backupDrive } from './backup-drive.ts'
import { backupMailbox, type ObjectBackup } from './backup-mailbox.ts'
import { Commits } from './commits.ts'
import { Gate } from './gate.ts'
import { ObjectDraft, type FinishedObject } from './object-draft.ts'
import { RunCounts } from './run-counts.ts'
import { streakOf, toldLosses, toldStreak } from './told.ts'
import { SavePoints } from './save-points.ts'
import { askSource, skipReasonOf, SourceFailure } from './source-failure.ts'
import { Waits } from './waits.ts'

export interface BackupSettings {
  readonly catalogues: Catalogues
  readonly clock: Clock
  readonly log?: Logger
  /** Mailboxes, and beside them drives, that are read at the same time, whatever their shards. */
  readonly objectsAtOnce?: number
  /** Shards that are written at the same time: each holds packs that are being filled. */
  readonly shardsAtOnce?: number
  /** Mail folders that no job protects, by name. */
  readonly excludedFolders?: readonly string[]
  /** Items that are older and not protected yet are left out of a run. Undefined: none are. */
  readonly itemCutoff?: (run: Pick<BackupRun, 'jobId' | 'repositoryId'>) => Promise<Date | undefined>
  /** The longest time between two save points of an object. */
  readonly savePointMs?: number
}

const OBJECTS_AT_ONCE = 8
const SHARDS_AT_ONCE = 4
const SAVE_POINT_MS = 20_000

/** Makes the function that runs a backup job: all its objects, one snapshot for each shard, all of them written last. */
export const createRunBackup =
  (settings: BackupSettings): RunBackup =>
  async (run) => {
    const parts = run.objects.flatMap((object) => partsOf(object, run))
    const counts = new RunCounts(run.report, run.objects.length)
    const shards = byShard(parts, run.shards.count)
    const { objectsAtOnce = OBJECTS_AT_ONCE, shardsAtOnce = SHARDS_AT_ONCE } = settings
    const ended = new AbortController()
    const together: Together = {
      shards: shards.length,
      signal: AbortSignal.any([run.signal, ended.signal]),
      writing: new Gate(shardsAtOnce),
      reading: { mail: new Gate(objectsAtOnce), onedrive: new Gate(objectsAtOnce) },
      commits: new Commits(shards.length),
      itemCutoff: await settings.itemCutoff?.(run),
    }
    const ends = await Promise.allSettled(
      shards.map(async ([index, ofShard]) => {
        try {
          await new ShardRun(settings, run, counts, together, index).run(ofShard)
        } catch (error) {
          ended.abort(error)
          together.commits.fail(error)
          throw error
        }
      }),
    )
    run.signal.throwIfAborted()
    for (const end of ends) if (end.status === 'rejected') throw ended.signal.reason
    return outcome(run, counts)
  }

/** What the shards of a run share, so that many of them take no more of the service and of memory than one. */
interface Together {
  readonly shards: number
  /** Fires for a stop, and when one of the shards fails. */
  readonly signal: AbortSignal
  readonly writing: Gate
  readonly reading: Readonly<Record<ObjectKind, Gate>>
  readonly commits: Commits
  readonly itemCutoff: Date | undefined
}

/** A mailbox or a drive of a user. */
interface Part {
  readonly key: string
  readonly identity: ObjectIdentity
  readonly tenant: Tenant
  readonly isLastOfUser: boolean
}

interface PartResult {
  readonly part: Part
  readonly status: ObjectRunStatus
  /** What goes into the snapshot; undefined for what was never protected. */
  readonly trees:
    | {
        readonly path: string
        readonly dataTree: BlobId | undefined
        readonly versionsTree: BlobId | undefined
        readonly stateTree: BlobId
      }
    | undefined
}

const partsOf = (object: ProtectedObject, { tenants }: BackupRun): Part[] => {
  const parts: Omit<Part, 'isLastOfUser'>[] = []
  const add = (kind: 'mail' | 'onedrive', tenant: Tenant): void => {
    const { id: userId, principalName, displayName } = object
    const identity = { kind, userId, principalName, displayName }
    parts.push({ key: objectKey(identity), identity, tenant })
  }
  if (object.mailbox && tenants.mail !== undefined) add('mail', tenants.mail)
  if (object.oneDrive && tenants.onedrive !== undefined) add('onedrive', tenants.onedrive)
  return parts.map((part, index) => ({ ...part, isLastOfUser: index === parts.length - 1 }))
}

const byShard = (parts: readonly Part[], shards: number): [number, Part[]][] =>
  [...Map.groupBy(parts, ({ identity }) => shardOf(identity.userId, shards))].sort(([a], [b]) => a - b)

const outcome = (run: BackupRun, counts: RunCounts): BackupOutcome => {
  const archives = run.objects.filter(({ archiveMailbox }) => archiveMailbox).length
  return counts.outcome(
    archives === 0
      ? undefined
      : 'Archive mailboxes are not protected: the service offers no way to read them',
  )
}

class ShardRun {
  readonly #settings: BackupSettings
  readonly #run: BackupRun
  readonly #counts: RunCounts
  readonly #together: Together
  readonly #index: number
  readonly #log: Logger
  readonly #waits: Waits
  readonly #startedAt: string

  constructor(
    settings: BackupSettings,
    run: BackupRun,
    counts: RunCounts,
    together: Together,
    index: number,
  ) {
    this.#settings = settings
    this.#run = run
    this.#counts = counts
    this.#together = together
    this.#index = index
    this.#log = settings.log ?? silentLogger
    this.#startedAt = settings.clock.now().toISOString()
    this.#waits = new Waits(settings.clock, (amounts) => this.#counts.add(amounts))
  }

  async run(parts: readonly Part[]): Promise<void> {
    const { shards, organization, repositoryId, sessionId } = this.#run
    const { signal, commits } = this.#together
    const repository = await shards.open(this.#index, signal)
    const address = { repositoryId, organizationId: organization.id, shard: this.#index }
    const catalogue = this.#settings.catalogues.of(address, repository)
    await catalogue.sync(signal)
    // A session that was cut off after this shard's snapshot does not make it twice.
    const made = catalogue.points().find((point) => point.sessionId === sessionId)
    if (made !== undefined) {
      this.#countMade(parts, made)
      return commits.pass()
    }
    await repository.withWriter((writer) => this.#save(parts, { repository, catalogue, writer }), signal)
    await catalogue.sync(signal)
    for (const { key } of parts) await this.#run.checkpoints.remove(key)
  }

  async #save(parts: readonly Part[], shard: Shard): Promise<void> {
    const { writing, commits, signal } = this.#together
    const results = await writing.pass(() => this.#backup(parts, shard))
    const snapshot = await this.#waits.forTarget(this.#snapshot(shard, results))
    signal.throwIfAborted()
    if (snapshot === undefined) return commits.pass()
    await commits.turn(this.#index, this.#snapshotTime(shard.catalogue), async (time) => {
      this.#run.signal.throwIfAborted()
      await this.#waits.forTarget(shard.writer.saveSnapshot({ ...snapshot, time }))
    })
    this.#counts.add({ writtenBytes: shard.writer.stats.storedBytes })
  }

  #countMade(parts: readonly Part[], { run }: RestorePoint): void {
    const statuses = new Map(run.objects.map(({ key, status }) => [key, status]))
    for (const part of parts) this.#count(part, statuses.get(part.key) ?? 'success')
  }

  #count(part: Part, status: ObjectRunStatus['status']): void {
    this.#counts.part(part.identity.userId, status)
    if (part.isLastOfUser) this.#counts.add({ objectsDone: 1 })
  }

  /** Reads the objects. What was read is durable when it resolves, and where there are several shards also its progress. */
  async #backup(parts: readonly Part[], shard: Shard): Promise<PartResult[]> {
    const { checkpoints } = this.#run
    const { clock, savePointMs = SAVE_POINT_MS } = this.#settings
    const savePoints = new SavePoints({ writer: shard.writer, checkpoints, clock, intervalMs: savePointMs })
    const ended = new AbortController()
    const signal = AbortSignal.any([this.#together.signal, ended.signal])
    const results: PartResult[] = []
    const readOne = async (part: Part): Promise<void> =>
      this.#together.reading[part.identity.kind].pass(async () => {
        if (ended.signal.aborted) return
        try {
          signal.throwIfAborted()
          results.push(await this.#part(part, shard, savePoints, signal))
        } catch (error) {
          ended.abort(error)
        }
      })
    await Promise.all(parts.map(readOne))
    const isToGoOn = this.#run.signal.aborted || this.#together.shards > 1
    await (isToGoOn ? savePoints.keep() : savePoints.settle())
    this.#run.signal.throwIfAborted()
    ended.signal.throwIfAborted()
    return results
  }

  async #part(part: Part, shard: Shard, savePoints: SavePoints, signal: AbortSignal): Promise<PartResult> {
    const { report } = this.#run
    const { identity, key } = part
    const title = `${identity.kind === 'mail' ? 'Mailbox' : 'OneDrive'} of ${identity.principalName}`
    await report.start(key, title)
    const before = await shard.catalogue.previous(key)
    try {
      const finished = await this.#read(part, shard, before, savePoints, signal)
      savePoints.done(key, finished.progress)
      const { dataTree, versionsTree, stateTree } = finished
      const { failed, counts, path } = finished.state
      const status = failed.length === 0 ? 'success' : 'warning'
      const type = failed.length === 0 ? 'Success' : 'Warning'
      await report.finish(key, type, `${title}: ${counts.items} items${toldLosses(failed, this.#startedAt)}`)
      this.#count(part, status)
      const reason = failed.length === 0 ? {} : { reason: `${failed.length} items could not be read` }
      return { part, status: { key, status, ...reason }, trees: { path, dataTree, versionsTree, stateTree } }
    } catch (error) {
      if (this.#endsRun(error, signal)) {
        await report.finish(key, this.#run.signal.aborted ? 'Stop' : 'Error', `${title}: ${messageOf(error)}`)
        throw error
      }
      return this.#giveUp({ part, title, before, catalogue: shard.catalogue }, error)
    }
  }

  async #read(
    part: Part,
    shard: Shard,
    before: PreviousState | undefined,
    savePoints: SavePoints,
    signal: AbortSignal,
  ): Promise<FinishedObject> {
    const { key, identity, tenant } = part
    const { repository: reader, writer, catalogue } = shard
    const { clock, excludedFolders = [] } = this.#settings
    const isFull = this.#run.full || this.#run.readInFull?.has(key) === true
    const previous = isFull ? undefined : before
    const rows = catalogue.pending(key, previous?.version ?? 0)
    const progress = await this.#run.checkpoints.load(key)
    const draft = await ObjectDraft.open({ identity, reader, writer, rows, previous, clock }, progress)
    const backup: ObjectBackup = {
      draft,
      reader,
      writer: this.#waits.saving(writer),
      clock,
      signal,
      itemCutoff: this.#together.itemCutoff,
      ask: (question) => this.#waits.forSource(askSource(question)),
      onItems: (processedItems, readBytes) => this.#counts.add({ processedItems, readBytes }),
      savePoint: async () => {
        signal.throwIfAborted()
        await this.#waits.forTarget(savePoints.pass(key, draft))
      },
    }
    if (identity.kind === 'mail')
      await backupMailbox(tenant.mailbox(identity.userId), backup, { excludedFolders })
    else
      await backupDrive(tenant.drive(identity.userId), backup, {
        allVersions: this.#run.fileVersions === 'All',
      })
    return this.#waits.forTarget(draft.finish())
  }

  /** A stop, or our own storage failing: nothing that the other objects could be spared. */
  #endsRun(error: unknown, signal: AbortSignal): boolean {
    if (signal.aborted) return true
    if (error instanceof SourceFailure) return isHoldfastError(error.cause, 'cancelled')
    return (['full', 'unavailable', 'timeout', 'cancelled', 'denied', 'throttled'] as const).some((code) =>
      isHoldfastError(error, code),
    )
  }

  /** The object keeps what the last run had of it. */
  async #giveUp({ part, title, before, catalogue }: GivenUp, error: unknown): Promise<PartResult> {
    const skipped = skipReasonOf(error)
    const status = skipped === undefined ? 'failed' : 'skipped'
    const reason = skipped === undefined ? messageOf(error) : `${SKIPPED[skipped]} (${messageOf(error)})`
    const streak = streakOf(part.key, catalogue.points(), this.#settings.clock.now())
    if (!(error instanceof SourceFailure)) this.#log.error({ err: error, object: part.key }, 'object failed')
    // Many accounts never had a mailbox or a drive: nothing of them is unprotected.
    const isNothing = before === undefined && (skipped === 'no-mailbox' || skipped === 'no-drive')
    const type = status === 'failed' ? 'Error' : isNothing ? 'Success' : 'Warning'
    const told = isNothing ? '' : toldStreak(streak)
    await this.#run.report.finish(part.key, type, `${title} ${status}: ${reason}${told}`)
    this.#count(part, isNothing ? 'success' : status)
    const trees = before && {
      path: before.state.path,
      dataTree: before.dataTree,
      versionsTree: before.versionsTree,
      stateTree: before.stateTree,
    }
    return { part, status: { key: part.key, status, reason, ...streak }, trees }
  }

  /** Everything but its time, and durable but for the snapshot itself. Undefined where nothing was ever protected. */
  async #snapshot(
    { writer }: Shard,
    results: readonly PartResult[],
  ): Promise<Omit<NewSnapshot, 'time'> | undefined> {
    const { organization, jobId, jobName, sessionId } = this.#run
    if (!results.some(({ trees }) => trees !== undefined)) return undefined
    const objects = results
      .map(({ part: { identity }, status }) => ({ ...status, identity }))
      .sort((a, b) => (a.key < b.key ? -1 : 1))
    const record: RunRecord = { format: 1, jobId, jobName, sessionId, objects }
    const root = writer.edit()
    for (const { part, trees } of results) {
      if (trees === undefined) continue
      if (trees.dataTree !== undefined) await root.putTree(trees.path, trees.dataTree)
      if (trees.versionsTree !== undefined) await root.putTree(versionsPath(trees.path), trees.versionsTree)
      await root.putTree(`${OBJECTS_FOLDER}/${part.key}`, trees.stateTree)
    }
    const { content, sizeBytes } = await saveRunRecord(writer, record)
    await root.putFile(RUN_FILE, { content, sizeBytes, modifiedAt: this.#settings.clock.now() })
    const tree = (await root.save())!
    await writer.flush()
    return {
      tree,
      paths: [`/${storedName(organization.name)}`],
      tags: ['holdfast', `org:${organization.id}`, `job:${jobId}`, `run:${sessionId}`],
    }
  }

  /** After every other of the shard, also when the clock stood still or was set back. */
  #snapshotTime(catalogue: Catalogue): Date {
    const newest = catalogue.points()[0]?.time.getTime() ?? 0
    return new Date(Math.max(this.#settings.clock.nowMs(), newest + 1))
  }
}

interface GivenUp {
  readonly part: Part
  readonly title: string
  readonly before: PreviousState | undefined
  readonly catalogue: Catalogue
}

interface Shard {
  readonly repository: Repository
  readonly catalogue: Catalogue
  readonly writer: RepositoryWriter
}

const SKIPPED = {
  'no-mailbox': 'there is no mailbox',
  'no-drive': 'there is no OneDrive',
  'not-licensed': 'there is no licence',
  locked: 'it is locked',
} as const
