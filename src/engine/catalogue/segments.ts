import { corrupt } from '#base'
import type { RepositoryReader } from '#repository'
import type { SegmentRef } from './object-state.ts'
import type { CatalogueRow } from './rows.ts'

/** One line of a segment, in the order in which things happened: the last word on an id counts. */
export type Change =
  | { readonly put: CatalogueRow }
  | { readonly del: string }
  /** Left its folder in this run and is not found elsewhere yet. Of use to a run that is resumed; else passed over. */
  | { readonly leave: string; readonly from: string }

export const encodeChange = (change: Change): Buffer => Buffer.from(`${JSON.stringify(change)}\n`)

const MAX_LINE_BYTES = 64 << 20

/** The changes of a segment, in batches of some hundreds. */
export async function* readSegment(reader: RepositoryReader, segment: SegmentRef): AsyncGenerator<Change[]> {
  let batch: Change[] = []
  for await (const line of lines(reader.readFile(segment))) {
    batch.push(parseChange(line))
    if (batch.length < 500) continue
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

const parseChange = (line: string): Change => {
  try {
    return JSON.parse(line) as Change
  } catch (error) {
    throw corrupt('a catalogue segment is broken', error)
  }
}
