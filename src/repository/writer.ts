import { ChunkStream } from './chunk-stream.ts'
import type {
  BlobId,
  FilePart,
  NewSnapshot,
  RepositoryWriter,
  SavedFile,
  Snapshot,
  TreeEditor,
  TreeEntry,
  WriterStats,
} from './contract.ts'
import { SMALLEST_CHUNK } from './format/chunker.ts'
import { blobIdOf } from './format/ids.ts'
import { encodeTree } from './format/tree.ts'
import type { Packer } from './packer.ts'
import type { Traces } from './traces.ts'
import { EditedTree } from './tree-editor.ts'
import type { WorkerPool } from './workers/worker-pool.ts'

export interface WriterOptions {
  readonly packer: Packer
  readonly pool: WorkerPool
  readonly gear: Int32Array
  /** A tree in its stored form. */
  readonly traces: Traces
  readonly readTree: (id: BlobId) => Promise<Uint8Array>
  readonly writeSnapshot: (snapshot: NewSnapshot) => Promise<Snapshot>
  readonly signal: AbortSignal | undefined
}

/** A file being saved. */
interface Saving {
  readonly content: BlobId[]
  sizeBytes: number
  newBytes: number
}

/** What `withWriter` hands out. */
export class Writer implements RepositoryWriter {
  readonly #options: WriterOptions
  readonly #stats = { files: 0, readBytes: 0, newBlobs: 0, newBytes: 0, storedBytes: 0 }

  constructor(options: WriterOptions) {
    this.#options = options
  }

  get stats(): WriterStats {
    return { ...this.#stats }
  }

  async saveFile(parts: Iterable<FilePart> | AsyncIterable<FilePart>): Promise<SavedFile> {
    this.#check()
    const file: Saving = { content: [], sizeBytes: 0, newBytes: 0 }
    if (Symbol.asyncIterator in parts) for await (const part of parts) await this.#savePart(part, file)
    else for (const part of parts) await this.#savePart(part, file)
    this.#stats.files += 1
    this.#stats.readBytes += file.sizeBytes
    return file
  }

  #check(): void {
    this.#options.signal?.throwIfAborted()
    this.#options.packer.throwIfFailed()
  }

  #savePart(part: FilePart, file: Saving): Promise<void> {
    if (!(part instanceof Uint8Array)) return this.#saveStream(part, file)
    return part.length <= SMALLEST_CHUNK ? this.#saveSmall(part, file) : this.#saveLong([part], file)
  }

  /** A stream that turns out to be short is one chunk, as if it had come in one piece. */
  async #saveStream(pieces: AsyncIterable<Uint8Array>, file: Saving): Promise<void> {
    const held: Uint8Array[] = []
    let heldBytes = 0
    const rest = pieces[Symbol.asyncIterator]()
    try {
      while (heldBytes <= SMALLEST_CHUNK) {
        this.#check()
        const next = await rest.next()
        if (next.done === true) return await this.#saveSmall(Buffer.concat(held), file)
        // A copy: a Buffer's own `slice` would be a view of what the source may use again.
        held.push(Uint8Array.from(next.value))
        heldBytes += next.value.length
      }
      await this.#saveLong(followedBy(held, rest), file)
    } finally {
      await rest.return?.()
    }
  }

  async #saveLong(pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>, file: Saving): Promise<void> {
    const { packer, pool, gear } = this.#options
    const onChunk = (id: BlobId, length: number, isNew: boolean) => this.#count(file, id, { length, isNew })
    using stream = new ChunkStream({ packer, pool, gear, owner: this.#stats, onChunk })
    for await (const piece of pieces) {
      this.#check()
      await stream.write(piece)
    }
    await stream.end()
  }

  /** One chunk, named on this thread: a message to another would cost more than the hash. */
  async #saveSmall(bytes: Uint8Array, file: Saving): Promise<void> {
    if (bytes.length === 0) return
    const { packer } = this.#options
    const room = packer.budget.take(0)
    if (room !== undefined) await room
    const id = blobIdOf(bytes)
    const isNew = !packer.has('data', id)
    if (isNew) packer.add('data', id, bytes, this.#stats)
    this.#count(file, id, { length: bytes.length, isNew })
  }

  #count(file: Saving, id: BlobId, chunk: { readonly length: number; readonly isNew: boolean }): void {
    file.content.push(id)
    file.sizeBytes += chunk.length
    if (!chunk.isNew) return
    file.newBytes += chunk.length
    this.#stats.newBlobs += 1
    this.#stats.newBytes += chunk.length
  }

  async saveTree(entries: Iterable<TreeEntry>): Promise<BlobId> {
    const all = [...entries]
    return this.#saveTree(encodeTree(all), () => this.#trace(all))
  }

  /** What the tree names is kept by a prune that runs beside. */
  #trace(entries: readonly TreeEntry[]): void {
    const { packer, traces } = this.#options
    for (const entry of entries) {
      if (entry.type === 'folder') traces.root(entry.subtree)
      else for (const id of entry.content) packer.has('data', id)
    }
  }

  /** A tree in its stored form. */
  saveTreeText(text: Uint8Array): Promise<BlobId> {
    return this.#saveTree(text)
  }

  async #saveTree(text: Uint8Array, trace?: () => void): Promise<BlobId> {
    this.#check()
    const id = blobIdOf(text)
    const { packer, traces } = this.#options
    const room = packer.budget.take(0)
    if (room !== undefined) await room
    await traces.passed()
    if (trace !== undefined) {
      trace()
      traces.saved(id)
    }
    if (packer.has('tree', id)) return id
    packer.add('tree', id, text, this.#stats)
    this.#stats.newBlobs += 1
    this.#stats.newBytes += text.length
    return id
  }

  edit(base?: BlobId): TreeEditor {
    if (base !== undefined) this.#options.traces.root(base)
    return new EditedTree({
      readTree: this.#options.readTree,
      saveTree: (tree) => this.saveTreeText(tree),
      base,
    })
  }

  /** Also after the signal has fired: who is told to stop may still keep what was given. */
  async flush(): Promise<void> {
    await this.#options.packer.flush()
  }

  async saveSnapshot(snapshot: NewSnapshot): Promise<Snapshot> {
    this.#check()
    await this.flush()
    return this.#options.writeSnapshot(snapshot)
  }
}

async function* followedBy(first: Uint8Array[], rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* first
  for (;;) {
    const next = await rest.next()
    if (next.done === true) return
    yield next.value
  }
}
