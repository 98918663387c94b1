import { setImmediate as breathe } from 'node:timers/promises'
import { isHoldfastError } from '#base'
import type { BlobIndex } from './blob-index.ts'
import type { BlobReader } from './blob-reader.ts'
import type { BlobId, Snapshot, TreeEntry, UsageOptions, UsageReport } from './contract.ts'
import type { IndexFiles } from './index-files.ts'
import { NOBODY, UsageLedger, type Reach } from './usage-ledger.ts'

export interface UsageParts {
  readonly files: IndexFiles
  readonly reader: BlobReader
}

/** Others have the thread so often while trees come out of memory. */
const TREES_A_BREATH = 64

/**
 * Whose bytes are whose. Trees of owners are noted snapshot by snapshot, then followed owner by owner. Each tree is read
 * once, once more where a second snapshot needs it in another place, and once for each further owner.
 */
export const usage = async (
  { files, reader }: UsageParts,
  snapshots: readonly Snapshot[],
  options: UsageOptions,
  signal?: AbortSignal,
): Promise<UsageReport> => {
  const survey = new Survey(reader, options, signal)
  for (const [number, { tree }] of snapshots.entries()) await survey.note(tree, number)
  // Numbers of blobs are those of one index, also when another is read meanwhile.
  const { index } = files
  const ledger = new UsageLedger(index, snapshots.length + 1)
  await survey.follow(ledger)
  for (const [number, { tree }] of snapshots.entries())
    await survey.reach(ledger, tree, NOBODY, { first: number, isMany: false })
  const underWay = { first: snapshots.length, isMany: false, isUnderWay: true }
  for (const tree of options.keepTrees ?? []) await survey.reach(ledger, tree, NOBODY, underWay)
  return reportOf(survey, ledger, { index, snapshots })
}

const reportOf = (
  survey: Survey,
  ledger: UsageLedger,
  { index, snapshots }: { readonly index: BlobIndex; readonly snapshots: readonly Snapshot[] },
): UsageReport => {
  const owners = survey.owners.map((owner, at) => [owner, ledger.of(at + NOBODY + 1)] as const)
  const { neededBytes } = ledger
  const storedBytes = bytesInUse(index)
  return {
    owners: new Map(owners),
    snapshots: snapshots.map(({ id, time }, number) => ({
      snapshot: id,
      time,
      grownBytes: ledger.grownBytes(number),
      exclusiveBytes: ledger.onlyBytes(number),
    })),
    ...ledger.plainBytes(),
    fileBytes: owners.reduce((sum, [, each]) => sum + each.fileBytes, ledger.of(NOBODY).fileBytes),
    storedBytes,
    neededBytes,
    wasteBytes: storedBytes - neededBytes,
    unreadable: survey.unreadable + ledger.missing,
  }
}

/** Of every place of every blob. */
const bytesInUse = (index: BlobIndex): number => {
  let bytes = 0
  for (let row = 0; row < index.size; row += 1)
    if (index.isPlace(row) && !index.isDoomed(index.packAt(row))) bytes += index.lengthAt(row)
  return bytes
}

/** A tree of an owner, as long as it stays the same from snapshot to snapshot. */
interface OwnedTree {
  readonly kind: 'owned'
  readonly tree: BlobId
  readonly owner: number
  readonly first: number
  isMany: boolean
}

/** A folder whose folders are owners' or lead to them. */
interface EnteredTree {
  readonly kind: 'entered'
  readonly tree: BlobId
  readonly below: ReadonlyMap<string, NotedTree>
}

type NotedTree = OwnedTree | EnteredTree

class Survey {
  readonly owners: string[] = []
  unreadable = 0
  readonly #reader: BlobReader
  readonly #options: UsageOptions
  readonly #signal: AbortSignal | undefined
  readonly #numbers = new Map<string, number>()
  readonly #owned: OwnedTree[] = []
  #top: NotedTree | undefined
  #reads = 0

  constructor(reader: BlobReader, options: UsageOptions, signal: AbortSignal | undefined) {
    this.#reader = reader
    this.#options = options
    this.#signal = signal
  }

  /** Notes the trees of owners in a snapshot; snapshots come in their order. */
  async note(root: BlobId, snapshot: number): Promise<void> {
    this.#top = await this.#enter(root, '', this.#top, snapshot)
  }

  /** Follows what was noted, owner by owner. */
  async follow(ledger: UsageLedger): Promise<void> {
    this.#owned.sort((a, b) => a.owner - b.owner || a.first - b.first)
    for (const { tree, owner, first, isMany } of this.#owned)
      await this.reach(ledger, tree, owner, { first, isMany })
  }

  /** Everything from a tree down. */
  async reach(
    ledger: UsageLedger,
    root: BlobId,
    owner: number,
    reach: Reach & { readonly isUnderWay?: boolean },
  ): Promise<void> {
    const open = [root]
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      if (!ledger.reach('tree', id, owner, reach)) continue
      for (const entry of await this.#read(id)) {
        if (entry.type === 'folder') open.push(entry.subtree)
        else {
          if (reach.isUnderWay !== true) ledger.file(entry, owner)
          for (const blob of entry.content) ledger.reach('data', blob, owner, reach)
        }
      }
    }
  }

  async #enter(
    tree: BlobId,
    path: string,
    before: NotedTree | undefined,
    snapshot: number,
  ): Promise<EnteredTree> {
    if (before?.kind === 'entered' && before.tree === tree) {
      markAgain(before)
      return before
    }
    const known = before?.kind === 'entered' ? before.below : new Map<string, NotedTree>()
    const below = new Map<string, NotedTree>()
    for (const entry of await this.#read(tree)) {
      if (entry.type !== 'folder') continue
      const place = path === '' ? entry.name : `${path}/${entry.name}`
      const noted = await this.#look(entry.subtree, place, known.get(entry.name), snapshot)
      if (noted !== undefined) below.set(entry.name, noted)
    }
    return { kind: 'entered', tree, below }
  }

  async #look(
    tree: BlobId,
    path: string,
    before: NotedTree | undefined,
    snapshot: number,
  ): Promise<NotedTree | undefined> {
    const whose = this.#options.ownerOf(path)
    if (whose === undefined) return undefined
    if (whose === 'enter') return this.#enter(tree, path, before, snapshot)
    const owner = this.#numberOf(whose.owner)
    if (before?.kind === 'owned' && before.tree === tree && before.owner === owner) {
      before.isMany = true
      return before
    }
    const owned: OwnedTree = { kind: 'owned', tree, owner, first: snapshot, isMany: false }
    this.#owned.push(owned)
    return owned
  }

  #numberOf(owner: string): number {
    let number = this.#numbers.get(owner)
    if (number === undefined) {
      number = NOBODY + this.owners.push(owner)
      this.#numbers.set(owner, number)
    }
    return number
  }

  async #read(id: BlobId): Promise<readonly TreeEntry[]> {
    this.#signal?.throwIfAborted()
    this.#reads += 1
    if (this.#reads % TREES_A_BREATH === 0) await breathe()
    try {
      return await this.#reader.tree(id)
    } catch (error) {
      // A clean-up beside it may have taken the snapshot away, or it is damaged: verification tells which.
      if (!isHoldfastError(error, 'corrupt') && !isHoldfastError(error, 'not-found')) throw error
      this.unreadable += 1
      return []
    }
  }
}

const markAgain = (noted: NotedTree): void => {
  if (noted.kind === 'owned') noted.isMany = true
  else for (const each of noted.below.values()) markAgain(each)
}
