import type { Clock, Logger } from '#base'
import type { Queries } from '#database'
import type { BackupRepositories } from '../repositories/backup-repositories.ts'
import type { GrowingFolder, PlacedOrganization } from '../repositories/organization-folders.ts'
import type { RepositoryGate } from '../tasks/repository-gate.ts'
import type { ReencryptedOrganization, ReencryptionStep } from './reencryption-run.ts'
import { ShardCopy } from './shard-copy.ts'

export interface ReencryptParts {
  readonly repositories: Pick<BackupRepositories, 'folders' | 'remeasure'>
  readonly gate: RepositoryGate
  readonly clock: Clock
  readonly log: Logger
  /** Whether something of the organization is being restored. */
  readonly isRestoring: (organizationId: string) => Promise<boolean>
  /** Sessions that look at the organization have to look anew: what they hold open is about to go. */
  readonly lookAgain: (organizationId: string) => Promise<void>
}

export interface OrganizationWork {
  readonly repositoryId: string
  readonly organization: ReencryptedOrganization
  /** Tells how far it is; kept now and then. */
  readonly tell: (changes: Partial<ReencryptedOrganization>) => Promise<void>
  /** In the transaction that puts the new key into force. */
  readonly turned: (queries: Queries, changes: Partial<ReencryptedOrganization>) => Promise<void>
  readonly signal: AbortSignal
}

/** Rounds beside backups: each copies what came during the one before, so that little is left for when they wait. */
const MOST_ROUNDS = 5
/** So long a quiet moment is waited for before runs have to wait. */
const PATIENCE_MS = 60 * 60 * 1000
const LOOK_MS = 5_000

/**
 * Writes an organization's data in a repository again under a new master key, and puts that into force. Cut off anywhere, the
 * next call goes on; the earlier data is in force until one transaction says otherwise.
 */
export const reencryptOrganization = async (parts: ReencryptParts, work: OrganizationWork): Promise<void> => {
  const { folders } = parts.repositories
  const { repositoryId, organization, signal } = work
  const { organizationId } = organization
  const placed = await folders.placed(repositoryId, organizationId)
  if (!isTurned(organization.step)) await new OrganizationCopy(parts, work, placed).run()
  const now = await folders.placed(repositoryId, organizationId)
  await folders.settle(now, signal)
  await removeFormer(parts, work, now)
  parts.repositories.remeasure(repositoryId, organizationId)
}

const isTurned = (step: ReencryptionStep): boolean => step === 'Removing' || step === 'Done'

/** What cannot be removed yet stays on record and is tried again. */
const removeFormer = async (
  { repositories: { folders } }: ReencryptParts,
  { tell, signal }: OrganizationWork,
  placed: PlacedOrganization,
): Promise<void> => {
  let kept: { readonly formerFolder: string; readonly formerKeptUntil: string } | undefined
  for (const former of await folders.former(placed.row)) {
    const until = (await folders.removeFormer(placed, former, signal))?.toISOString()
    if (until !== undefined && until > (kept?.formerKeptUntil ?? ''))
      kept = { formerFolder: former.folder, formerKeptUntil: until }
  }
  await tell({ step: 'Done', ...kept })
}

class OrganizationCopy implements AsyncDisposable {
  readonly #parts: ReencryptParts
  readonly #work: OrganizationWork
  readonly #placed: PlacedOrganization
  readonly #copies = new Map<number, ShardCopy>()
  readonly #opened = new AsyncDisposableStack()

  constructor(parts: ReencryptParts, work: OrganizationWork, placed: PlacedOrganization) {
    this.#parts = parts
    this.#work = work
    this.#placed = placed
  }

  async run(): Promise<void> {
    await using _closing = this
    const { folders } = this.#parts.repositories
    const growing = await folders.grow(this.#placed)
    await folders.checkRoom(this.#placed, growing)
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      const copied = await this.#copy(growing)
      await this.#tell('Verifying')
      await this.#verify()
      if (copied === 0) break
    }
    await this.#turn(growing)
  }

  async #copy(growing: GrowingFolder): Promise<number> {
    const { folders } = this.#parts.repositories
    const { signal } = this.#work
    await this.#tell('Copying')
    let copied = 0
    for (const { index, repository: source } of await folders.sources(this.#placed, signal)) {
      await source.refresh()
      const copy = await this.#copyOf(growing, index, source)
      copied += await copy.copy(() => void this.#tell('Copying'), signal)
    }
    return copied
  }

  async #copyOf(
    growing: GrowingFolder,
    index: number,
    source: Awaited<ReturnType<BackupRepositories['folders']['openGrowing']>>,
  ): Promise<ShardCopy> {
    const known = this.#copies.get(index)
    if (known !== undefined) return known
    const { folders } = this.#parts.repositories
    const target = this.#opened.use(await folders.openGrowing(this.#placed, growing, { index, source }))
    const copy = new ShardCopy({
      source,
      target,
      name: `shard ${index} of ${this.#placed.row.organizationName}`,
    })
    this.#copies.set(index, copy)
    return copy
  }

  async #verify(): Promise<void> {
    for (const copy of this.#copies.values()) await copy.verify(this.#work.signal)
  }

  /** The last round, with nobody in the repository, and the step that counts. */
  async #turn(growing: GrowingFolder): Promise<void> {
    const { gate, repositories, lookAgain, log } = this.#parts
    const { repositoryId, organization, signal, tell, turned } = this.#work
    const { organizationId } = organization
    await this.#tell('Waiting')
    await this.#untilRestored()
    using _closed = await gate.close(repositoryId, { patienceMs: PATIENCE_MS, signal })
    await this.#tell('Turning')
    await this.#copy(growing)
    for (const copy of this.#copies.values()) await copy.removeStale(signal)
    await this.#verify()
    for (const copy of this.#copies.values()) await copy.compare(signal)
    await this.#opened.disposeAsync()
    signal.throwIfAborted()
    const formerFolder = this.#placed.row.folder
    const changes = { ...this.#numbers(), step: 'Removing', formerFolder } as const
    await repositories.folders.turn(this.#placed, growing, (queries) => turned(queries, changes))
    await tell(changes)
    log.info({ repositoryId, organizationId }, 'new master key in force')
    await lookAgain(organizationId)
    // Before anybody writes into the new folder it says whose it is.
    await repositories.folders.settle(await repositories.folders.placed(repositoryId, organizationId))
  }

  /** A restore reads what was there when it began. One that takes longer than this ends with items that it could not read. */
  async #untilRestored(): Promise<void> {
    const { clock, isRestoring } = this.#parts
    const { organization, signal } = this.#work
    const until = clock.nowMs() + PATIENCE_MS
    while (clock.nowMs() < until && (await isRestoring(organization.organizationId)))
      await clock.sleep(LOOK_MS, signal)
  }

  #numbers(): Pick<ReencryptedOrganization, 'snapshots' | 'copiedBlobs' | 'writtenBytes' | 'verifiedPacks'> {
    const copies = [...this.#copies.values()]
    const sum = (of: (copy: ShardCopy) => number): number => copies.reduce((all, copy) => all + of(copy), 0)
    return {
      snapshots: sum(({ snapshots }) => snapshots),
      copiedBlobs: sum(({ sums }) => sums.copiedBlobs),
      writtenBytes: sum(({ sums }) => sums.writtenBytes),
      verifiedPacks: sum(({ verifiedPacks }) => verifiedPacks),
    }
  }

  #tell(step: ReencryptionStep): Promise<void> {
    return this.#work.tell({ ...this.#numbers(), step })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync()
  }
}
