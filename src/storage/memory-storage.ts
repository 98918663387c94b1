import { type Clock, conflict, notFound, systemClock } from '#base'
import { checkFolder, checkPath } from './path.ts'
import { isRetained, locked, retainedUntil, type Retention, type RetentionPolicy } from './retention.ts'
import type { Storage, StoredFile } from './storage.ts'

export interface MemoryStorageOptions {
  /** Nobody removes a file before its date. */
  readonly immutable?: RetentionPolicy
  /** The storage's own clock. */
  readonly clock?: Clock
}

/** Files in memory, gone with the process. For tests. */
export const memoryStorage = (name = 'memory', options: MemoryStorageOptions = {}): Storage =>
  new MemoryStorage(name, options)

interface StoredBytes {
  readonly bytes: Uint8Array
  readonly until: Date | undefined
  readonly modifiedAt: Date
}

class MemoryStorage implements Storage {
  readonly name: string
  readonly retention?: Retention
  readonly #files = new Map<string, StoredBytes>()
  readonly #clock: Clock

  constructor(name: string, { immutable, clock = systemClock }: MemoryStorageOptions) {
    this.name = name
    this.#clock = clock
    if (immutable !== undefined) this.retention = this.#retention(immutable)
  }

  #retention(policy: RetentionPolicy): Retention {
    return {
      policy,
      now: async () => this.#clock.now(),
      until: async (path) => this.#find(path).until,
      extend: async (path, until) => {
        const found = this.#find(path)
        if (found.until !== undefined && found.until > until) throw locked(path, found.until)
        this.#files.set(path, { ...found, until })
      },
    }
  }

  #find(path: string): StoredBytes {
    checkPath(path)
    const found = this.#files.get(path)
    if (found === undefined) throw notFound(`${path} is not stored`)
    return found
  }

  async write(path: string, parts: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
    checkPath(path)
    signal?.throwIfAborted()
    if (this.#files.has(path)) throw conflict(`${path} is stored already`)
    const policy = isRetained(path) ? this.retention?.policy : undefined
    const until = policy === undefined ? undefined : retainedUntil(this.#clock.now(), policy)
    this.#files.set(path, {
      bytes: Uint8Array.from(Buffer.concat(parts)),
      until,
      modifiedAt: this.#clock.now(),
    })
  }

  async read(
    path: string,
    range?: { readonly offset: number; readonly length: number },
    signal?: AbortSignal,
  ): Promise<Uint8Array> {
    signal?.throwIfAborted()
    const { bytes } = this.#find(path)
    return range === undefined ? bytes.slice() : bytes.slice(range.offset, range.offset + range.length)
  }

  async stat(path: string, signal?: AbortSignal): Promise<StoredFile | undefined> {
    checkPath(path)
    signal?.throwIfAborted()
    const found = this.#files.get(path)
    if (found === undefined) return undefined
    return { path, sizeBytes: found.bytes.length, modifiedAt: found.modifiedAt }
  }

  async *list(folder: string, signal?: AbortSignal): AsyncGenerator<StoredFile> {
    checkFolder(folder)
    const prefix = folder === '' ? '' : `${folder}/`
    for (const [path, { bytes }] of [...this.#files]) {
      signal?.throwIfAborted()
      if (path.startsWith(prefix)) yield { path, sizeBytes: bytes.length }
    }
  }

  async remove(path: string, signal?: AbortSignal): Promise<void> {
    checkPath(path)
    signal?.throwIfAborted()
    const until = this.#files.get(path)?.until
    if (until !== undefined && until > this.#clock.now()) throw locked(path, until)
    this.#files.delete(path)
  }

  async space(): Promise<undefined> {}

  async [Symbol.asyncDispose](): Promise<void> {}
}
