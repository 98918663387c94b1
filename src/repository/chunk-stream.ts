import type { BlobId } from './contract.ts'
import { SMALLEST_CHUNK } from './format/chunker.ts'
import { type NewChunk, type Owner, type Packer, roomBeforeChunks } from './packer.ts'
import type { ChunkResult } from './workers/jobs.ts'
import type { WorkerPool } from './workers/worker-pool.ts'

/** What is given to a worker thread at a time, unless the end of the last one was longer than the half. */
const SEGMENT_BYTES = 4 * 1024 * 1024
/** A segment that begins with the rest of another one holds less than 16 MiB. */
const LEAD_BYTES = roomBeforeChunks((16 * 1024 * 1024) / SMALLEST_CHUNK)

export interface ChunkStreamOptions {
  readonly packer: Packer
  readonly pool: WorkerPool
  readonly gear: Int32Array
  readonly owner: Owner
  /** Told of every chunk in order. */
  readonly onChunk: (id: BlobId, length: number, isNew: boolean) => void
}

/** Cuts a long part into chunks in worker threads and gives those that are new to the packer. */
export class ChunkStream implements Disposable {
  readonly #options: ChunkStreamOptions
  #segment: Uint8Array<ArrayBuffer> | undefined
  #filled = 0

  constructor(options: ChunkStreamOptions) {
    this.#options = options
  }

  /** Takes a copy. Waits while too much is in flight. */
  async write(piece: Uint8Array): Promise<void> {
    for (let from = 0; from < piece.length;) {
      const segment = this.#segment ?? (await this.#begin(new Uint8Array(0)))
      const length = Math.min(piece.length - from, segment.length - this.#filled)
      segment.set(piece.subarray(from, from + length), this.#filled)
      this.#filled += length
      from += length
      if (this.#filled === segment.length) await this.#cut(false)
    }
  }

  /** Cuts what is left. */
  async end(): Promise<void> {
    if (this.#segment !== undefined) await this.#cut(true)
  }

  async #begin(rest: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
    const { budget, buffers } = this.#options.packer
    const isLong = rest.length > SEGMENT_BYTES / 2
    const bytes = isLong
      ? SEGMENT_BYTES + Math.ceil(rest.length / SEGMENT_BYTES) * SEGMENT_BYTES
      : SEGMENT_BYTES
    const room = budget.take(bytes)
    if (room !== undefined) await room
    const segment = buffers.take(bytes)
    segment.set(rest, LEAD_BYTES)
    this.#filled = LEAD_BYTES + rest.length
    this.#segment = segment
    return segment
  }

  async #cut(isLast: boolean): Promise<void> {
    const { pool, gear, packer, owner } = this.#options
    const held = this.#segment!
    const heldBytes = held.length
    this.#segment = undefined
    let isHandedOver = false
    try {
      const bytes = held.subarray(0, this.#filled)
      const result = await pool.run({ kind: 'chunk', bytes, start: LEAD_BYTES, gear, isLast })
      const { fresh, usedBytes } = this.#sort(result)
      // The packer gives the budget back by the length of what it holds: the buffer as it was counted.
      const whole = new Uint8Array(result.bytes.buffer)
      const rest = packer.buffers.take(this.#filled - usedBytes)
      const restBytes = this.#filled - usedBytes
      rest.set(result.bytes.subarray(usedBytes))
      if (fresh.length > 0) packer.addChunks(whole, fresh, owner)
      else {
        packer.buffers.give(whole)
        packer.budget.give(heldBytes)
      }
      isHandedOver = true
      if (!isLast) await this.#begin(rest.subarray(0, restBytes))
      packer.buffers.give(rest)
    } finally {
      if (!isHandedOver) packer.budget.give(heldBytes)
    }
  }

  /** Tells of every chunk, and keeps those that neither the repository nor this segment had. */
  #sort({ lengths, ids }: ChunkResult): { readonly fresh: NewChunk[]; readonly usedBytes: number } {
    const fresh: NewChunk[] = []
    const seen = new Set<BlobId>()
    let offset = LEAD_BYTES
    ids.forEach((id, at) => {
      const length = lengths[at]!
      const isNew = !seen.has(id) && !this.#options.packer.has('data', id)
      seen.add(id)
      if (isNew) fresh.push({ id, offset, length })
      this.#options.onChunk(id, length, isNew)
      offset += length
    })
    return { fresh, usedBytes: offset }
  }

  /** Gives back what an interrupted stream holds. */
  [Symbol.dispose](): void {
    if (this.#segment !== undefined) this.#options.packer.budget.give(this.#segment.length)
    this.#segment = undefined
  }
}
