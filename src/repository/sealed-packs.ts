import { corrupt, type Random } from '#base'
import type { Storage } from '#storage'
import type { BlobId, BlobName, BlobType } from './contract.ts'
import { blobKey } from './format/ids.ts'
import type { IndexedPack } from './format/index-document.ts'
import type { KeySet } from './format/sealing.ts'
import { packPath } from './index-files.ts'
import { PACK_BYTES, PackBuilder, type BuiltPack } from './pack-builder.ts'
import { sealBlob } from './workers/reseal-blobs.ts'

export interface SealedPacksOptions {
  readonly storage: Storage
  readonly key: KeySet
  readonly random: Random
  /** Writes an index file that names stored packs. */
  readonly name: (packs: readonly IndexedPack[]) => Promise<void>
  /** Throws when nothing may be written any more. */
  readonly guard: () => void
}

/** An index file names at most so many blobs, and so much is lost at most when the process is killed. */
export const INDEX_BLOBS = 50_000
const INDEX_BYTES = 512 * 1024 * 1024

/** Collects blobs that are sealed already into packs, stores them, and has them named in an index now and then. */
export class SealedPacks {
  readonly #options: SealedPacksOptions
  readonly #open: { data?: PackBuilder | undefined; tree?: PackBuilder | undefined } = {}
  /** Blobs that no index names yet. */
  readonly #unnamed = new Set<string>()
  #stored: IndexedPack[] = []
  #storedBlobs = 0
  #storedBytes = 0
  #storing: Promise<void> = Promise.resolve()
  readonly packs: string[] = []
  writtenBytes = 0

  constructor(options: SealedPacksOptions) {
    this.#options = options
  }

  /** Whether the blob is on its way, and not in the index yet. */
  has(type: BlobType, id: BlobId): boolean {
    return this.#unnamed.has(blobKey(type, id))
  }

  /** Takes the sealed bytes over. */
  async add(blob: BlobName & { readonly uncompressed: number }, sealed: Uint8Array): Promise<void> {
    const { type, id, uncompressed } = blob
    if (this.has(type, id)) return
    this.#unnamed.add(blobKey(type, id))
    const pack = (this.#open[type] ??= new PackBuilder(type))
    pack.add({ id, length: sealed.length, uncompressed }, sealed)
    if (pack.sizeBytes >= PACK_BYTES) await this.#close(type)
  }

  /** Compresses and seals a blob that somebody gives. Throws `corrupt` when it is another than is said. */
  async addPlain({ type, id }: BlobName, plain: Uint8Array): Promise<void> {
    const { id: found, sealed, uncompressed } = sealBlob(this.#options.key, type, plain)
    if (found !== id) throw corrupt(`what was given for ${type} blob ${id} is something else`)
    await this.add({ type, id, uncompressed }, sealed)
  }

  /** One pack is written while the next fills. */
  async #close(type: BlobType): Promise<void> {
    const open = this.#open[type]
    if (open === undefined) return
    this.#open[type] = undefined
    const pack = open.close(this.#options.key, this.#options.random)
    await this.#storing
    this.#storing = this.#store(pack)
    // Whoever awaits it next is told.
    this.#storing.catch(() => undefined)
  }

  async #store({ id, parts, blobs, sizeBytes }: BuiltPack): Promise<void> {
    const { storage, guard } = this.#options
    guard()
    await storage.write(packPath(id), parts)
    this.packs.push(id)
    this.writtenBytes += sizeBytes
    this.#stored.push({ id, blobs })
    this.#storedBlobs += blobs.length
    this.#storedBytes += sizeBytes
    if (this.#storedBlobs >= INDEX_BLOBS || this.#storedBytes >= INDEX_BYTES) await this.#name()
  }

  async #name(): Promise<void> {
    const packs = this.#stored
    if (packs.length === 0) return
    this.#options.guard()
    await this.#options.name(packs)
    for (const { blobs } of packs) for (const { type, id } of blobs) this.#unnamed.delete(blobKey(type, id))
    this.#stored = []
    this.#storedBlobs = 0
    this.#storedBytes = 0
  }

  /** All that was added is durable and named when it resolves. */
  async flush(): Promise<void> {
    await this.#close('data')
    await this.#close('tree')
    await this.#storing
    await this.#name()
  }
}
