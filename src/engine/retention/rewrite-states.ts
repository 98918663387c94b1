import type { BlobId, RepositoryReader, RepositoryWriter, TreeEditor } from '#repository'
import type { Change } from '../catalogue/change.ts'
import {
  segmentPath,
  segmentsKey,
  STATE_FILE,
  type ObjectState,
  type SegmentRef,
} from '../catalogue/object-state.ts'
import { encodeBlock, type RowBlock } from '../catalogue/row-block.ts'
import { frameBlock, readBlocks } from '../catalogue/segments.ts'
import type { GoingFrom, RowEdit } from '../catalogue/taken-out.ts'

export interface StateToRewrite {
  readonly stateTree: BlobId
  readonly state: ObjectState
  /** What goes from its rows. */
  readonly going: GoingFrom
  /** Whether what could not be read at last has a row that goes. */
  readonly isGoing: (itemId: string) => boolean
}

export interface RewrittenState {
  readonly stateTree: BlobId
  readonly segments: readonly SegmentRef[]
}

// A fixed time: equal catalogues give equal trees.
const FILE_TIME = { modifiedAt: new Date(0) }

/**
 * Writes the states of one object again without some of their rows, in order of time. A segment becomes the same one in
 * whatever state it is, so that what followed from the state before still does.
 */
export class StateRewriting {
  readonly #reader: RepositoryReader
  readonly #writer: RepositoryWriter
  readonly #edit: RowEdit
  readonly #segments = new Map<string, Promise<SegmentRef | undefined>>()
  /** What lists of segments became. */
  readonly #lists = new Map<string, string>([[segmentsKey([]), segmentsKey([])]])

  constructor(reader: RepositoryReader, writer: RepositoryWriter, edit: RowEdit) {
    this.#reader = reader
    this.#writer = writer
    this.#edit = edit
  }

  async rewrite({ stateTree, state, going, isGoing }: StateToRewrite): Promise<RewrittenState> {
    const segments = await this.#all(state.segments)
    this.#lists.set(segmentsKey(state.segments), segmentsKey(segments))
    const failed = state.failed.filter(({ id }) => !isGoing(id))
    const change = await this.#lastChange(state)
    const isSame =
      failed.length === state.failed.length && JSON.stringify(segments) === JSON.stringify(state.segments)
    if (isSame && JSON.stringify(change) === JSON.stringify(state.lastChange))
      return { stateTree, segments: state.segments }
    const { lastChange: _before, ...rest } = state
    const { items, bytes } = state.counts
    const next: ObjectState = {
      ...rest,
      segments,
      ...(change === undefined ? {} : { lastChange: change }),
      superseded: Math.min((state.superseded ?? 0) + dropsIn(segments, going), rowsOf(segments)),
      counts: { items: items - going.items, bytes: bytes - going.bytes },
      failed,
    }
    return { stateTree: await this.#save(stateTree, state, next), segments }
  }

  async #save(stateTree: BlobId, before: ObjectState, next: ObjectState): Promise<BlobId> {
    const tree = this.#writer.edit(stateTree)
    const kept = new Set<string>()
    for (const segment of filesOf(next)) {
      kept.add(segmentPath(segment))
      await putSegment(tree, segment)
    }
    for (const path of new Set(filesOf(before).map(segmentPath))) if (!kept.has(path)) await tree.remove(path)
    const { content, sizeBytes } = await this.#writer.saveFile([Buffer.from(JSON.stringify(next))])
    await tree.putFile(STATE_FILE, { ...FILE_TIME, content, sizeBytes })
    return (await tree.save())!
  }

  async #all(segments: readonly SegmentRef[]): Promise<readonly SegmentRef[]> {
    const written: SegmentRef[] = []
    for (const [at, segment] of segments.entries()) {
      const next = await this.#segment(segment, at === 0)
      if (next !== undefined) written.push(next)
    }
    return written
  }

  async #lastChange({
    lastChange,
    segments,
  }: Pick<ObjectState, 'lastChange' | 'segments'>): Promise<ObjectState['lastChange']> {
    if (lastChange === undefined) return undefined
    const after = this.#lists.get(lastChange.after)
    // Caches compare where they cannot follow.
    if (after === undefined) return undefined
    const isFirst = lastChange.after === segmentsKey([])
    const changed: SegmentRef[] = []
    for (const [at, segment] of lastChange.segments.entries()) {
      const next = await this.#segment(segment, isFirst && at === 0)
      if (next !== undefined) changed.push(next)
    }
    const merged = await this.#all(segments.slice(0, lastChange.count ?? 1))
    return { after, segments: changed, count: merged.length }
  }

  #segment(segment: SegmentRef, isFirst: boolean): Promise<SegmentRef | undefined> {
    const key = `${isFirst ? 'first' : ''} ${segment.name} ${segment.content.join()}`
    let written = this.#segments.get(key)
    if (written === undefined) this.#segments.set(key, (written = this.#write(segment, isFirst)))
    return written
  }

  /** Undefined when nothing is left in it. */
  async #write(segment: SegmentRef, isFirst: boolean): Promise<SegmentRef | undefined> {
    const blocks: Buffer[] = []
    let [rows, isSame] = [0, true]
    for await (const { bytes, block } of readBlocks(this.#reader, segment)) {
      const changes = this.#changes(block, isFirst)
      if (changes !== undefined) isSame = false
      rows += changes?.length ?? block.count
      if (changes === undefined) blocks.push(frameBlock(Buffer.from(bytes)))
      else if (changes.length > 0) blocks.push(frameBlock(encodeBlock(changes)))
    }
    if (isSame) return segment
    if (rows === 0) return undefined
    const { content, sizeBytes } = await this.#writer.saveFile([Buffer.concat(blocks)])
    return { name: segment.name, format: 2, rows, content, sizeBytes }
  }

  /** Undefined when the block stays as it is. */
  #changes(block: RowBlock, isFirst: boolean): readonly Change[] | undefined {
    const verdicts = Array.from({ length: block.count }, (_, row) =>
      block.kindOf(row).kind === 'put' ? this.#edit.judge(block, row) : 'stays',
    )
    if (verdicts.every((verdict) => verdict === 'stays')) return undefined
    return verdicts.flatMap((verdict, row): Change[] => {
      const change = block.change(row)
      if (verdict === 'stays' || !('put' in change)) return [change]
      if (verdict === 'shortened') return [{ put: this.#edit.left(change.put)! }]
      // An earlier segment may have a younger word on it.
      return isFirst ? [] : [{ del: change.put.id }]
    })
  }
}

const filesOf = ({ segments, lastChange }: ObjectState): readonly SegmentRef[] => [
  ...segments,
  ...(lastChange?.segments ?? []),
]

const putSegment = async (tree: TreeEditor, segment: SegmentRef): Promise<void> => {
  const { content, sizeBytes } = segment
  const path = segmentPath(segment)
  const known = await tree.get(path)
  if (known?.type === 'file' && known.content.join() === content.join()) return
  await tree.putFile(path, { ...FILE_TIME, content, sizeBytes })
}

const rowsOf = (segments: readonly SegmentRef[]): number => segments.reduce((sum, { rows }) => sum + rows, 0)

/** Deletions that took the place of rows, about: those of the first segment left nothing. */
const dropsIn = (segments: readonly SegmentRef[], { items }: GoingFrom): number =>
  segments.length > 1 ? items : 0
