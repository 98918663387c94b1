import type { Storage } from '#storage'

/**
 * A storage whose connection can be replaced while repositories work with it, as when the credentials of its account
 * change. Calls under way end on the connection that they began on.
 */
export class ChangeableStorage implements Omit<Storage, 'retention'> {
  readonly #before: Storage[] = []
  #now: Storage

  constructor(storage: Storage) {
    this.#now = storage
  }

  change(storage: Storage): void {
    this.#before.push(this.#now)
    this.#now = storage
  }

  /** As what it is for everybody else. */
  get storage(): Storage {
    return this as Storage
  }
  get name(): string {
    return this.#now.name
  }
  get retention(): NonNullable<Storage['retention']> | undefined {
    return this.#now.retention
  }
  async write(path: string, parts: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
    await this.#now.write(path, parts, signal)
  }
  async read(
    path: string,
    range?: { readonly offset: number; readonly length: number },
    signal?: AbortSignal,
  ) {
    return this.#now.read(path, range, signal)
  }
  async stat(path: string, signal?: AbortSignal) {
    return this.#now.stat(path, signal)
  }
  list(folder: string, signal?: AbortSignal) {
    return this.#now.list(folder, signal)
  }
  async remove(path: string, signal?: AbortSignal): Promise<void> {
    await this.#now.remove(path, signal)
  }
  async space(signal?: AbortSignal) {
    return this.#now.space(signal)
  }
  async [Symbol.asyncDispose](): Promise<void> {
    for (const storage of [...this.#before, this.#now]) await storage[Symbol.asyncDispose]()
  }
}
