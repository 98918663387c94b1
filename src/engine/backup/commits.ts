interface Waiting {
  readonly shard: number
  readonly notBefore: Date
  readonly commit: (time: Date) => Promise<void>
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/**
 * The end of a run: once the data of every shard is durable, the snapshots are written one after the other, in order of the
 * shards and with one time. Where one fails, those before it stay and those after it are not written.
 */
export class Commits {
  readonly #shards: number
  readonly #waiting: Waiting[] = []
  #passed = 0
  #failure: { readonly error: unknown } | undefined

  constructor(shards: number) {
    this.#shards = shards
  }

  /** Call when the shard's data is durable. Resolves when `commit` is done; it is never called after a failure elsewhere. */
  turn(shard: number, notBefore: Date, commit: (time: Date) => Promise<void>): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ shard, notBefore, commit, resolve, reject })
      this.#commitWhenAllAreHere()
    })
  }

  /** For a shard that has nothing to write. */
  pass(): void {
    this.#passed += 1
    this.#commitWhenAllAreHere()
  }

  /** A shard did not get as far: nobody writes. */
  fail(error: unknown): void {
    if (this.#failure !== undefined) return
    this.#failure = { error }
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }

  #commitWhenAllAreHere(): void {
    if (this.#failure === undefined && this.#waiting.length + this.#passed === this.#shards)
      void this.#commitAll()
  }

  async #commitAll(): Promise<void> {
    this.#waiting.sort((a, b) => a.shard - b.shard)
    const time = new Date(Math.max(...this.#waiting.map(({ notBefore }) => notBefore.getTime())))
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift())
      try {
        await next.commit(time)
        next.resolve()
      } catch (error) {
        next.reject(error)
        this.fail(error)
      }
  }
}
