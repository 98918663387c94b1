import { corrupt, isHoldfastError } from '#base'
import type { RepositoryReader } from '#repository'
import type { Change } from './change.ts'
import type { SegmentRef } from './object-state.ts'
import { BLOCK_ROWS, encodeBlock, RowBlock } from './row-block.ts'

// A segment is a file of blocks, each with its length before it. Segments of the first format are lines of JSON.

const MAX_BLOCK_BYTES = 256 << 20
const MAX_LINE_BYTES = 64 << 20

/** A block as it lies in a segment. */
export const frameBlock = (block: Buffer): Buffer => {
  const length = Buffer.alloc(4)
  length.writeUInt32LE(block.length)
  return Buffer.concat([length, block])
}

export interface SegmentBlock {
  readonly bytes: Buffer
  readonly block: RowBlock
}

/** The blocks of a segment in their order; those of an old segment are made as it is read. Throws `corrupt`. */
export async function* readBlocks(
  reader: RepositoryReader,
  segment: SegmentRef,
): AsyncGenerator<SegmentBlock> {
  if (segment.format === 2) yield* framedBlocks(reader.readFile(segment))
  else
    for await (const changes of changesOfLines(reader.readFile(segment))) yield opened(encodeBlock(changes))
}

/** The changes of a segment, in batches of at most BLOCK_ROWS. Throws `corrupt`. */
export async function* readSegment(reader: RepositoryReader, segment: SegmentRef): AsyncGenerator<Change[]> {
  if (segment.format === 2)
    for await (const { block } of readBlocks(reader, segment)) yield unlessBroken(() => block.changes)
  else yield* changesOfLines(reader.readFile(segment))
}

const opened = (bytes: Buffer): SegmentBlock => ({ bytes, block: unlessBroken(() => new RowBlock(bytes)) })

const unlessBroken = <Value>(read: () => Value): Value => {
  try {
    return read()
  } catch (error) {
    if (isHoldfastError(error)) throw error
    throw corrupt('a catalogue segment is broken', error)
  }
}

/** A block lies where it was read; what comes in two pieces is put together. */
async function* framedBlocks(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<SegmentBlock> {
  let begun = Buffer.alloc(0)
  for await (const piece of bytes) {
    const view = Buffer.from(piece.buffer, piece.byteOffset, piece.length)
    for (let at = 0; at < view.length;) {
      const whole = begun.length === 0 ? frameLength(view.subarray(at)) : undefined
      if (whole !== undefined && at + whole <= view.length) {
        yield opened(view.subarray(at + 4, at + whole))
        at += whole
        continue
      }
      const missing = (frameLength(begun) ?? 4) - begun.length
      const next = view.subarray(at, at + missing)
      begun = Buffer.concat([begun, next])
      at += next.length
      if (begun.length !== frameLength(begun)) continue
      yield opened(begun.subarray(4))
      begun = Buffer.alloc(0)
    }
  }
  if (begun.length > 0) throw corrupt('a catalogue segment is cut')
}

/** Of the block that begins here, with its head; undefined where that is not there yet. */
const frameLength = (bytes: Buffer): number | undefined => {
  if (bytes.length < 4) return undefined
  const length = bytes.readUInt32LE(0)
  if (length > MAX_BLOCK_BYTES) throw corrupt('a block of a catalogue segment is too long')
  return 4 + length
}

async function* changesOfLines(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Change[]> {
  let batch: Change[] = []
  for await (const line of lines(bytes)) {
    batch.push(unlessBroken(() => JSON.parse(line) as Change))
    if (batch.length < BLOCK_ROWS) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

async function* lines(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const piece of bytes) {
    const all = rest.length === 0 ? Buffer.from(piece) : Buffer.concat([rest, piece])
    let start = 0
    for (let end = all.indexOf(10); end >= 0; end = all.indexOf(10, start)) {
      yield all.toString('utf8', start, end)
      start = end + 1
    }
    rest = all.subarray(start)
    if (rest.length > MAX_LINE_BYTES) throw corrupt('a line of a catalogue segment is too long')
  }
  if (rest.length > 0) throw corrupt('a catalogue segment is cut')
}
