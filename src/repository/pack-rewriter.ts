import { corrupt, type Random } from '#base'
import type { Storage } from '#storage'
import type { BlobType } from './contract.ts'
import type { PackedBlob } from './format/pack-header.ts'
import type { KeySet } from './format/sealing.ts'
import { type IndexFiles, packPath } from './index-files.ts'
import { PACK_BYTES, PackBuilder } from './pack-builder.ts'
import { ownBytes } from './pack-windows.ts'
import type { WorkerPool } from './workers/worker-pool.ts'

export interface RewriterParts {
  readonly storage: Storage
  readonly key: KeySet
  readonly files: IndexFiles
  readonly pool: WorkerPool
  readonly random: Random
}

const INDEX_BLOBS = 50_000

/** Copies sealed blobs, each checked before, into new packs. */
export class PackRewriter {
  readonly #parts: RewriterParts
  readonly #open: { data?: PackBuilder | undefined; tree?: PackBuilder | undefined } = {}
  writtenBytes = 0

  constructor(parts: RewriterParts) {
    this.#parts = parts
  }

  async rewrite(pack: string, kept: readonly PackedBlob[], signal?: AbortSignal): Promise<void> {
    const bytes = ownBytes(await this.#parts.storage.read(packPath(pack), undefined, signal))
    await this.#check(pack, kept, bytes)
    for (const blob of kept) {
      const open = (this.#open[blob.type] ??= new PackBuilder(blob.type))
      open.add(blob, bytes.subarray(blob.offset, blob.offset + blob.length))
      if (open.sizeBytes >= PACK_BYTES) await this.#close(blob.type)
    }
  }

  async #check(pack: string, blobs: readonly PackedBlob[], bytes: Uint8Array): Promise<void> {
    const { key, pool } = this.#parts
    const { lengths } = await pool.run({ kind: 'open', key, bytes: Uint8Array.from(bytes), blobs })
    if (lengths.includes(-1)) throw corrupt(`nothing is pruned: pack ${pack} holds a damaged blob`)
  }

  async #close(type: BlobType): Promise<void> {
    const open = this.#open[type]
    if (open === undefined) return
    this.#open[type] = undefined
    const { storage, key, random, files } = this.#parts
    const pack = open.close(key, random)
    await storage.write(packPath(pack.id), pack.parts)
    this.writtenBytes += pack.sizeBytes
    files.addPack({ id: pack.id, blobs: pack.blobs })
    if (files.unnamedBlobs >= INDEX_BLOBS) await files.write()
  }

  /** All is stored and named by an index. */
  async end(): Promise<void> {
    await this.#close('data')
    await this.#close('tree')
    await this.#parts.files.write()
  }
}
