import { corrupt } from '#base'
import type { Storage } from '#storage'
import type { BlobLocation } from './blob-index.ts'
import { checkBlobSize, openBlob } from './format/blob.ts'
import { blobKey } from './format/ids.ts'
import type { PackedBlob } from './format/pack-header.ts'
import type { KeySet } from './format/sealing.ts'
import { packPath } from './index-files.ts'
import { readPackHeader } from './pack-header-file.ts'
import { readOwn } from './read-own.ts'
import type { WorkerPool } from './workers/worker-pool.ts'

export interface PackWindowsOptions {
  readonly storage: Storage
  readonly key: KeySet
  readonly pool: WorkerPool
}

/** Plain bytes kept, the oldest windows going first. */
const KEPT_BYTES = 64 * 1024 * 1024
const FIRST_WINDOW = 512 * 1024
const LARGEST_WINDOW = 2 * 1024 * 1024
/** A window of strongly compressed blobs ends early. */
const LARGEST_PLAIN = 8 * 1024 * 1024
/** A read that begins so near behind the last one goes on with it. */
const NEAR = 256 * 1024
const PACKS_FOLLOWED = 16
/** So many may read through one pack at different places at the same time. */
const PLACES_FOLLOWED = 16
/** Smaller blobs are opened on this thread: a message to another costs as much. */
const OPEN_HERE_BELOW = 64 * 1024

/** Neighbouring blobs of a pack that were read in one piece and opened together. */
interface Window {
  readonly pack: FollowedPack
  readonly start: number
  readonly end: number
  readonly plainBytes: number
  readonly blobs: Promise<ReadonlyMap<string, Uint8Array>>
}

/** A pack that is being read from. */
interface FollowedPack {
  readonly id: string
  readonly windows: Window[]
  /** Where the last reads ended. */
  readonly ends: number[]
  nextWindow: number
  header: Promise<readonly PackedBlob[]> | undefined
}

/**
 * Reads blobs out of packs. Whoever reads blob after blob in the order of the pack gets them from windows, which are
 * read ahead in one piece and opened in a worker thread; a single read costs no more than its blob.
 */
export class PackWindows {
  readonly #options: PackWindowsOptions
  readonly #packs = new Map<string, FollowedPack>()
  readonly #kept = new Set<Window>()
  #keptBytes = 0

  constructor(options: PackWindowsOptions) {
    this.#options = options
  }

  /** The plain blob, checked. Throws `corrupt`, or `not-found` when the pack is gone. */
  async read(blob: BlobLocation): Promise<Uint8Array> {
    checkBlobSize(blob.type, blob)
    const window = await this.#windowFor(blob)
    const opened = await window?.blobs.catch(() => undefined)
    return opened?.get(blobKey(blob.type, blob.id)) ?? this.#readOne(blob)
  }

  async #windowFor(blob: BlobLocation): Promise<Window | undefined> {
    const pack = this.#follow(blob.pack)
    const goesOn = readsOn(pack, blob)
    if (!goesOn && pack.header === undefined) return undefined
    pack.header ??= readPackHeader(this.#options.storage, this.#options.key, pack.id)
    // A damaged header takes away the reading ahead, nothing else.
    const header = await pack.header.catch(() => [])
    const window = windowAt(pack, blob.offset) ?? (goesOn ? this.#open(pack, header, blob.offset) : undefined)
    // While this window is used, the one behind it is fetched.
    if (window !== undefined && windowAt(pack, window.end) === undefined) this.#open(pack, header, window.end)
    return window
  }

  #follow(id: string): FollowedPack {
    const pack = this.#packs.get(id) ?? {
      id,
      windows: [],
      ends: [],
      nextWindow: FIRST_WINDOW,
      header: undefined,
    }
    this.#packs.delete(id)
    this.#packs.set(id, pack)
    const oldest = this.#packs.values().next().value
    if (this.#packs.size > PACKS_FOLLOWED && oldest !== undefined) {
      for (const window of [...oldest.windows]) this.#drop(window)
      this.#packs.delete(oldest.id)
    }
    return pack
  }

  #open(pack: FollowedPack, header: readonly PackedBlob[], start: number): Window | undefined {
    const blobs = windowBlobs(header, start, pack.nextWindow)
    const last = blobs.at(-1)
    if (last === undefined) return undefined
    pack.nextWindow = Math.min(pack.nextWindow * 2, LARGEST_WINDOW)
    const window: Window = {
      pack,
      start,
      end: last.offset + last.length,
      plainBytes: blobs.reduce((sum, blob) => sum + plainLength(blob), 0),
      blobs: this.#load(pack.id, blobs),
    }
    window.blobs.catch(() => this.#drop(window))
    pack.windows.push(window)
    this.#kept.add(window)
    this.#keptBytes += window.plainBytes
    for (const old of this.#kept) {
      if (this.#keptBytes <= KEPT_BYTES || old === window) break
      this.#drop(old)
    }
    return window
  }

  #drop(window: Window): void {
    if (!this.#kept.delete(window)) return
    this.#keptBytes -= window.plainBytes
    window.pack.windows.splice(window.pack.windows.indexOf(window), 1)
  }

  /** The blobs that are whole; a damaged one is missing here, and found out about when it is asked for. */
  async #load(pack: string, blobs: readonly PackedBlob[]): Promise<ReadonlyMap<string, Uint8Array>> {
    const start = blobs[0]!.offset
    const end = blobs.at(-1)!.offset + blobs.at(-1)!.length
    const bytes = await this.#readRange(pack, start, end - start)
    const relative = blobs.map(({ id, offset, length, uncompressed }) => ({
      id,
      offset: offset - start,
      length,
      uncompressed,
    }))
    const { key, pool } = this.#options
    const { plain, lengths, bytes: free } = await pool.run({ kind: 'open', key, bytes, blobs: relative })
    pool.buffers.give(free)
    const opened = new Map<string, Uint8Array>()
    let at = 0
    blobs.forEach((blob, number) => {
      const length = lengths[number]!
      if (length < 0) return
      opened.set(blobKey(blob.type, blob.id), plain.subarray(at, at + length))
      at += length
    })
    return opened
  }

  async #readOne(blob: BlobLocation): Promise<Uint8Array> {
    const bytes = await this.#readRange(blob.pack, blob.offset, blob.length)
    const { key, pool } = this.#options
    if (blob.length < OPEN_HERE_BELOW && blob.uncompressed < OPEN_HERE_BELOW)
      return openBlob(key, bytes, blob)
    const { id, length, uncompressed } = blob
    const {
      plain,
      lengths,
      bytes: free,
    } = await pool.run({
      kind: 'open',
      key,
      bytes,
      blobs: [{ id, offset: 0, length, uncompressed }],
    })
    pool.buffers.give(free)
    if (lengths[0] === -1) throw corrupt(`blob ${id} in pack ${blob.pack} is damaged`)
    // The buffer is longer than the blob.
    return plain.subarray(0, lengths[0])
  }

  async #readRange(pack: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const { storage, pool } = this.#options
    const bytes = await readOwn({
      storage,
      buffers: pool.buffers,
      path: packPath(pack),
      range: { offset, length },
      expectedBytes: length,
    })
    if (bytes.length !== length) throw corrupt(`pack ${pack} is cut off`)
    return bytes
  }
}

/** Whether a read goes on where an earlier one ended; remembers where this one ends. */
const readsOn = ({ ends }: FollowedPack, { offset, length }: BlobLocation): boolean => {
  const place = ends.findIndex((end) => offset >= end && offset < end + NEAR)
  if (place !== -1) ends[place] = offset + length
  else if (ends.push(offset + length) > PLACES_FOLLOWED) ends.shift()
  return place !== -1
}

const windowAt = ({ windows }: FollowedPack, offset: number): Window | undefined =>
  windows.find(({ start, end }) => start <= offset && offset < end)

const plainLength = ({ length, uncompressed }: PackedBlob): number =>
  uncompressed === 0 ? length : uncompressed

/** Blobs from an offset on, up to a size of sealed bytes; at least one unless the pack ends. */
const windowBlobs = (header: readonly PackedBlob[], start: number, sealedBytes: number): PackedBlob[] => {
  const blobs: PackedBlob[] = []
  let plainBytes = 0
  for (let at = firstAt(header, start); at < header.length; at += 1) {
    const blob = header[at]!
    plainBytes += plainLength(blob)
    const isTooMuch = blob.offset + blob.length - start > sealedBytes || plainBytes > LARGEST_PLAIN
    if (isTooMuch && blobs.length > 0) break
    if (isTooMuch && plainBytes > LARGEST_PLAIN) return []
    blobs.push(blob)
  }
  return blobs
}

/** The number of the first blob at an offset or behind it. */
const firstAt = (header: readonly PackedBlob[], offset: number): number => {
  let low = 0
  let high = header.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (header[middle]!.offset < offset) low = middle + 1
    else high = middle
  }
  return low
}

export { ownBytes } from './read-own.ts'
