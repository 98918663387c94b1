import type { Clock } from '#base'

const LOOK_MS = 1_000

/** What goes through is inside until it is disposed of. */
export type Pass = Disposable

/**
 * Who works in which repository. A gate is closed for the moment in which a repository must have nobody in it: who comes
 * then waits, and who is inside goes on to its end.
 */
export class RepositoryGate {
  readonly #inside = new Map<string, number>()
  readonly #closed = new Map<string, Promise<void>>()
  readonly #clock: Clock
  #left = Promise.withResolvers<void>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Waits while one of them is closed. With an aborted signal it lets in at once: who is to stop will do nothing. */
  async enter(repositoryIds: readonly string[], signal: AbortSignal): Promise<Pass> {
    for (let closed = this.#closedOf(repositoryIds); closed !== undefined;) {
      if (signal.aborted) return { [Symbol.dispose]: () => {} }
      await either(closed, signal)
      closed = this.#closedOf(repositoryIds)
    }
    for (const id of repositoryIds) this.#inside.set(id, this.#count(id) + 1)
    return { [Symbol.dispose]: () => this.#leave(repositoryIds) }
  }

  /**
   * Resolves when nobody is inside, and keeps everybody out until it is disposed of. For `patienceMs` it waits for a quiet
   * moment; from then on who comes has to wait.
   */
  async close(
    repositoryId: string,
    { patienceMs, signal }: { readonly patienceMs: number; readonly signal: AbortSignal },
  ): Promise<Pass> {
    const until = this.#clock.nowMs() + patienceMs
    while (this.#count(repositoryId) > 0 && this.#clock.nowMs() < until) {
      signal.throwIfAborted()
      await this.#clock.sleep(LOOK_MS, signal).catch(() => undefined)
    }
    const opening = Promise.withResolvers<void>()
    this.#closed.set(repositoryId, opening.promise)
    const open = (): void => {
      this.#closed.delete(repositoryId)
      opening.resolve()
    }
    while (this.#count(repositoryId) > 0 && !signal.aborted) await either(this.#left.promise, signal)
    if (signal.aborted) {
      open()
      signal.throwIfAborted()
    }
    return { [Symbol.dispose]: open }
  }

  #closedOf(ids: readonly string[]): Promise<void> | undefined {
    const closed = ids.find((id) => this.#closed.has(id))
    return closed === undefined ? undefined : this.#closed.get(closed)
  }

  #count(id: string): number {
    return this.#inside.get(id) ?? 0
  }

  #leave(ids: readonly string[]): void {
    for (const id of ids) this.#inside.set(id, this.#count(id) - 1)
    const { resolve } = this.#left
    this.#left = Promise.withResolvers<void>()
    resolve()
  }
}

/** Resolves with the first of the two. */
const either = async (what: Promise<void>, signal: AbortSignal): Promise<void> => {
  const aborted = Promise.withResolvers<void>()
  const abort = (): void => aborted.resolve()
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  await Promise.race([what, aborted.promise])
  signal.removeEventListener('abort', abort)
}
