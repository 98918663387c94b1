import type { Clock, Json } from '#base'
import type { BlobId, RepositoryReader, RepositoryWriter, SnapshotId, TreeEditor } from '#repository'
import type { PreviousState } from '../catalogue/catalogue.ts'
import {
  objectPath,
  readObjectState,
  segmentPath,
  segmentsKey,
  segmentsSince,
  STATE_FILE,
  type FailedItem,
  type ObjectIdentity,
  type ObjectState,
  type SegmentRef,
  type StoredFolder,
} from '../catalogue/object-state.ts'
import type { PendingRows } from '../catalogue/pending-rows.ts'
import { idOf, type Change } from '../catalogue/change.ts'
import { planMerge } from '../catalogue/plan-merge.ts'
import { BLOCK_ROWS, encodeBlock } from '../catalogue/row-block.ts'
import { isFolderRow, type CatalogueRow } from '../catalogue/rows.ts'
import { frameBlock, readSegment } from '../catalogue/segments.ts'

/** What a run keeps of an object that is not done, to go on from. Plain JSON. */
export interface ObjectProgress {
  readonly base: SnapshotId | null
  readonly dataTree: BlobId | null
  readonly versionsTree?: BlobId | null
  readonly stateTree: BlobId
}

export interface FinishedObject {
  readonly dataTree: BlobId | undefined
  readonly versionsTree: BlobId | undefined
  readonly stateTree: BlobId
  readonly state: ObjectState
  /** For a run that is cut off before its snapshot. */
  readonly progress: ObjectProgress
}

export interface DraftOptions {
  readonly identity: ObjectIdentity
  readonly reader: RepositoryReader
  readonly writer: RepositoryWriter
  readonly rows: PendingRows
  readonly previous: PreviousState | undefined
  readonly clock: Clock
}

const SEGMENT_BYTES = 4 << 20
/** Changes that are put together at once. */
const MOST_IN_MEMORY = 16_384

/** The next state of one object: its tree, its rows, its catalogue. Not for concurrent use. */
export class ObjectDraft {
  readonly rows: PendingRows
  readonly previous: PreviousState | undefined
  readonly #options: DraftOptions
  readonly #data: TreeEditor
  readonly #versions: TreeEditor
  readonly #catalogue: TreeEditor
  #state: ObjectState
  #changes: Change[] = []
  #blocks: Buffer[] = []
  #blockBytes = 0
  #blockRows = 0

  folders: readonly StoredFolder[]
  token: string | undefined
  isResyncing: boolean
  failed: readonly FailedItem[]

  private constructor(options: DraftOptions, state: ObjectState, trees: DraftTrees) {
    const edit = (tree: BlobId | null | undefined): TreeEditor => options.writer.edit(tree ?? undefined)
    this.#options = options
    this.rows = options.rows
    this.previous = options.previous
    this.#data = edit(trees.dataTree)
    this.#versions = edit(trees.versionsTree)
    this.#catalogue = edit(trees.stateTree)
    this.#state = state
    this.folders = state.folders
    this.token = state.token
    this.isResyncing = state.isResyncing === true
    this.failed = state.failed
  }

  /** From the previous state, or from `progress` when it goes on from that and all of it is there. */
  static async open(options: DraftOptions, progress?: Json): Promise<ObjectDraft> {
    const { previous, rows, identity } = options
    rows.clear()
    const resumed = isProgress(progress) ? await resume(options, progress) : undefined
    if (resumed !== undefined) return resumed
    rows.clear()
    const state = { ...(previous?.state ?? emptyState(identity)), ...identity, path: objectPath(identity) }
    return new ObjectDraft(options, state, previous ?? {})
  }

  static resumed(options: DraftOptions, state: ObjectState, progress: ObjectProgress): ObjectDraft {
    return new ObjectDraft(options, state, progress)
  }

  /** Paths below the object's own folder. */
  get data(): TreeEditor {
    return this.#data
  }

  /** Older versions of files: a folder for each file at the path that the file has in `data`. */
  get versions(): TreeEditor {
    return this.#versions
  }

  get counts(): { readonly items: number; readonly bytes: number } {
    return this.#state.counts
  }

  async put(rows: readonly CatalogueRow[]): Promise<void> {
    if (rows.length === 0) return
    const old = this.rows.find(rows.map(({ id }) => id))
    this.#count(old.values(), -1)
    this.#supersede(old.size)
    this.#count(rows, 1)
    this.rows.put(rows)
    await this.#note(rows.map((put) => ({ put })))
  }

  async remove(rows: readonly CatalogueRow[]): Promise<void> {
    if (rows.length === 0) return
    this.#count(rows, -1)
    this.#supersede(rows.length * 2)
    this.rows.remove(rows.map(({ id }) => id))
    await this.#note(rows.map(({ id }) => ({ del: id })))
  }

  /** See PendingRows.leave. */
  async leave(ids: readonly string[], from: string): Promise<void> {
    if (ids.length === 0) return
    this.rows.leave(ids)
    this.#supersede(ids.length)
    await this.#note(ids.map((leave) => ({ leave, from })))
  }

  #count(rows: Iterable<CatalogueRow>, sign: 1 | -1): void {
    let { items, bytes } = this.#state.counts
    for (const row of rows) {
      if (isFolderRow(row)) continue
      items += sign
      bytes += sign * row.sizeBytes
    }
    this.#state = { ...this.#state, counts: { items, bytes } }
  }

  #supersede(rows: number): void {
    this.#state = { ...this.#state, superseded: (this.#state.superseded ?? 0) + rows }
  }

  async #note(changes: readonly Change[]): Promise<void> {
    for (const change of changes) {
      this.#changes.push(change)
      if (this.#changes.length === BLOCK_ROWS) this.#encode()
    }
    if (this.#blockBytes >= SEGMENT_BYTES) await this.#writeSegment()
  }

  #encode(): void {
    if (this.#changes.length === 0) return
    const block = frameBlock(encodeBlock(this.#changes))
    this.#blockRows += this.#changes.length
    this.#blockBytes += block.length
    this.#blocks.push(block)
    this.#changes = []
  }

  async #writeSegment(): Promise<void> {
    this.#encode()
    if (this.#blocks.length === 0) return
    const [bytes, rows] = [Buffer.concat(this.#blocks), this.#blockRows]
    this.#blocks = []
    this.#blockBytes = 0
    this.#blockRows = 0
    const segment = await this.#saveSegment(bytes, rows)
    this.#state = { ...this.#state, segments: [...this.#state.segments, segment] }
  }

  async #saveSegment(bytes: Buffer, rows: number): Promise<SegmentRef> {
    const { content, sizeBytes } = await this.#options.writer.saveFile([bytes])
    const name = String(this.#state.nextSegment).padStart(6, '0')
    this.#state = { ...this.#state, nextSegment: this.#state.nextSegment + 1 }
    const segment: SegmentRef = { name, format: 2, rows, content, sizeBytes }
    await this.#catalogue.putFile(segmentPath(segment), { ...this.#fileTimes(), content, sizeBytes })
    return segment
  }

  /** Where the work stands, saved but not yet flushed. */
  async save(): Promise<ObjectProgress> {
    await this.#writeSegment()
    const dataTree = await this.#data.save()
    const versionsTree = await this.#versions.save()
    return this.#progress({ dataTree, versionsTree, stateTree: await this.#saveState() })
  }

  /** The finished state; the very trees from before when nothing is different. */
  async finish(): Promise<FinishedObject> {
    await this.#writeSegment()
    await this.#mergeSegments()
    const dataTree = await this.#data.save()
    const versionsTree = await this.#versions.save()
    const state = this.#current()
    const isSame =
      this.previous !== undefined && JSON.stringify(this.previous.state) === JSON.stringify(state)
    const stateTree = isSame ? this.previous.stateTree : await this.#saveState()
    const trees = { dataTree, versionsTree, stateTree }
    return { ...trees, state, progress: this.#progress(trees) }
  }

  #progress(trees: Pick<FinishedObject, 'dataTree' | 'versionsTree' | 'stateTree'>): ObjectProgress {
    const { dataTree = null, versionsTree = null, stateTree } = trees
    return { base: this.previous?.snapshot ?? null, dataTree, versionsTree, stateTree }
  }

  #current(): ObjectState {
    const { token: _old, isResyncing: _was, ...rest } = this.#state
    return {
      ...rest,
      folders: this.folders,
      failed: this.failed,
      ...(this.token === undefined ? {} : { token: this.token }),
      ...(this.isResyncing ? { isResyncing: true } : {}),
    }
  }

  async #saveState(): Promise<BlobId> {
    const json = Buffer.from(JSON.stringify(this.#current()))
    const { content, sizeBytes } = await this.#options.writer.saveFile([json])
    await this.#catalogue.putFile(STATE_FILE, { ...this.#fileTimes(), content, sizeBytes })
    return (await this.#catalogue.save())!
  }

  /** Rewrites segments where there are too many of them or where they hold too much that is over. */
  async #mergeSegments(): Promise<void> {
    const { segments, superseded = 0 } = this.#state
    const first = planMerge({ segments, superseded })
    if (first === undefined) return
    const before = this.previous?.state.segments ?? []
    const change = { after: segmentsKey(before), segments: segments.slice(before.length) }
    this.#state = { ...this.#state, segments: segments.slice(0, first) }
    if (first === 0) await this.#rewriteAll()
    else await this.#putTogether(segments.slice(first))
    this.#state = { ...this.#state, lastChange: { ...change, count: this.#state.segments.length } }
    await this.#removeFiles([...segments, ...(this.previous?.state.lastChange?.segments ?? [])])
  }

  /** All rows that hold, folder by folder and in the order of lists. */
  async #rewriteAll(): Promise<void> {
    this.#state = { ...this.#state, superseded: 0 }
    for (const rows of this.rows.all(BLOCK_ROWS)) await this.#note(rows.map((put) => ({ put })))
    await this.#writeSegment()
  }

  /** The last words of some segments. Deletions stay: what they delete is in a segment before these. */
  async #putTogether(segments: readonly SegmentRef[]): Promise<void> {
    let last = new Map<string, Change>()
    const writeOut = async (): Promise<void> => {
      await this.#note([...last.values()])
      this.#supersede(last.size)
      last = new Map()
    }
    for (const segment of segments)
      for await (const changes of readSegment(this.#options.reader, segment)) {
        this.#supersede(-changes.length)
        for (const change of changes) if (!('leave' in change)) last.set(idOf(change), change)
        if (last.size >= MOST_IN_MEMORY) await writeOut()
      }
    await writeOut()
    await this.#writeSegment()
  }

  async #removeFiles(segments: readonly SegmentRef[]): Promise<void> {
    const { segments: now, lastChange } = this.#state
    const kept = new Set([...now, ...(lastChange?.segments ?? [])].map(segmentPath))
    for (const path of new Set(segments.map(segmentPath)))
      if (!kept.has(path)) await this.#catalogue.remove(path)
  }

  // A fixed time: equal catalogues give equal trees.
  #fileTimes(): { modifiedAt: Date } {
    return { modifiedAt: new Date(0) }
  }
}

interface DraftTrees {
  readonly dataTree?: BlobId | null | undefined
  readonly versionsTree?: BlobId | null | undefined
  readonly stateTree?: BlobId | undefined
}

const emptyState = (identity: ObjectIdentity): ObjectState => ({
  format: 1,
  ...identity,
  path: objectPath(identity),
  folders: [],
  segments: [],
  nextSegment: 1,
  counts: { items: 0, bytes: 0 },
  failed: [],
})

const isProgress = (value: Json | undefined): value is Json & ObjectProgress =>
  typeof value === 'object' &&
  value !== null &&
  'stateTree' in value &&
  typeof value['stateTree'] === 'string'

/** Undefined when the progress does not go on from the previous state, or its trees are not there. */
const resume = async (options: DraftOptions, progress: ObjectProgress): Promise<ObjectDraft | undefined> => {
  const { reader, previous, rows, identity } = options
  if (progress.base !== (previous?.snapshot ?? null) || !reader.hasBlob('tree', progress.stateTree))
    return undefined
  for (const tree of [progress.dataTree, progress.versionsTree ?? null])
    if (tree !== null && !reader.hasBlob('tree', tree)) return undefined
  try {
    const state = await readObjectState(reader, progress.stateTree)
    const segments = segmentsSince(previous?.state.segments ?? [], state)
    if (segments === undefined) return undefined
    for (const segment of segments)
      for await (const batch of readSegment(reader, segment)) replay(rows, batch)
    return ObjectDraft.resumed(options, { ...state, ...identity, path: objectPath(identity) }, progress)
  } catch {
    return undefined
  }
}

const replay = (rows: PendingRows, changes: readonly Change[]): void =>
  rows.together(() => {
    for (const change of changes) {
      if ('put' in change) rows.put([change.put])
      else if ('del' in change) rows.remove([change.del])
      else rows.leave([change.leave])
    }
  })
