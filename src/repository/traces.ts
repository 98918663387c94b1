import type { BlobId } from './contract.ts'
import { Bits } from './bits.ts'

/** What was leant on while some writers were open. */
interface Generation {
  readonly users: Set<object>
  /** Numbers of blobs that a writer found to be stored. */
  readonly blobs: Bits
  /** Numbers of packs that were written. */
  readonly packs: Set<number>
  /** Trees that count as needed with all below them. */
  readonly roots: Set<BlobId>
  /** Trees whose content was traced when they were saved. */
  readonly saved: Set<BlobId>
}

const newGeneration = (users: Iterable<object>): Generation => ({
  users: new Set(users),
  blobs: new Bits(),
  packs: new Set(),
  roots: new Set(),
  saved: new Set(),
})

/**
 * What the writers of this process lean on and no snapshot names yet. A prune that runs beside them keeps it. Kept until
 * every writer that was open at the time has ended.
 */
export class Traces {
  readonly #users = new Set<object>()
  readonly #writers = new Set<object>()
  #generations: Generation[] = []
  #isBroken = false
  #gate: { readonly opened: Promise<void>; readonly open: () => void } | undefined

  /** Whether a writer or a prune is at work. */
  get isBusy(): boolean {
    return this.#users.size > 0
  }

  get hasWriters(): boolean {
    return this.#writers.size > 0
  }

  /** The numbers of blobs have changed under a writer, so nobody knows any more what it leans on. */
  get isBroken(): boolean {
    return this.#isBroken
  }

  /** A writer begins; disposed of when it has ended. */
  enter(): Disposable {
    const user = {}
    if (this.#generations.length === 0) this.#generations.push(newGeneration([]))
    this.#generations.at(-1)!.users.add(user)
    this.#users.add(user)
    this.#writers.add(user)
    return { [Symbol.dispose]: () => this.#leave(user) }
  }

  /** A prune begins: what is traced by now and from now on is kept until it has ended. */
  pin(): Disposable {
    this.#generations.push(newGeneration(this.#users))
    const user = {}
    for (const { users } of this.#generations) users.add(user)
    this.#users.add(user)
    return { [Symbol.dispose]: () => this.#leave(user) }
  }

  #leave(user: object): void {
    this.#users.delete(user)
    this.#writers.delete(user)
    for (const { users } of this.#generations) users.delete(user)
    this.#generations = this.#generations.filter(({ users }) => users.size > 0)
    if (this.#users.size === 0) this.#isBroken = false
  }

  /** The index was read anew. */
  renumbered(): void {
    if (this.#generations.some(({ blobs, packs }) => !blobs.isEmpty || packs.size > 0)) this.#isBroken = true
  }

  blob(number: number): void {
    this.#generations.at(-1)?.blobs.add(number)
  }

  pack(number: number): void {
    this.#generations.at(-1)?.packs.add(number)
  }

  root(tree: BlobId): void {
    if (!this.#generations.some(({ saved }) => saved.has(tree))) this.#generations.at(-1)?.roots.add(tree)
  }

  saved(tree: BlobId): void {
    this.#generations.at(-1)?.saved.add(tree)
  }

  hasBlob(number: number): boolean {
    return this.#generations.some(({ blobs }) => blobs.has(number))
  }

  hasPack(number: number): boolean {
    return this.#generations.some(({ packs }) => packs.has(number))
  }

  get roots(): ReadonlySet<BlobId> {
    return new Set(this.#generations.flatMap(({ roots }) => [...roots]))
  }

  /** Writers wait before they name trees, until the returned function is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#gate = { opened: promise, open: resolve }
    return () => {
      this.#gate = undefined
      resolve()
    }
  }

  /** Resolves when trees may be named. */
  async passed(): Promise<void> {
    while (this.#gate !== undefined) await this.#gate.opened
  }
}
