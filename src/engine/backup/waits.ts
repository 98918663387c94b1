import type { Clock } from '#base'
import type { FilePart, RepositoryWriter } from '#repository'

export interface WaitAmounts {
  readonly sourceWaitMs: number
  readonly targetWaitMs: number
}

/** Tells whether a run waits for the service or for the storage. Sums over all that work at the same time. */
export class Waits {
  readonly #clock: Clock
  readonly #add: (amounts: Partial<WaitAmounts>) => void

  constructor(clock: Clock, add: (amounts: Partial<WaitAmounts>) => void) {
    this.#clock = clock
    this.#add = add
  }

  async forSource<Answer>(question: Promise<Answer>): Promise<Answer> {
    const start = this.#clock.nowMs()
    try {
      return await question
    } finally {
      this.#add({ sourceWaitMs: this.#clock.nowMs() - start })
    }
  }

  async forTarget<Answer>(work: Promise<Answer>): Promise<Answer> {
    const start = this.#clock.nowMs()
    try {
      return await work
    } finally {
      this.#add({ targetWaitMs: this.#clock.nowMs() - start })
    }
  }

  /** While a file is saved, the wait for its bytes is the service's and the rest is the storage's. */
  saving(writer: Pick<RepositoryWriter, 'saveFile'>): Pick<RepositoryWriter, 'saveFile'> {
    return {
      saveFile: async (parts) => {
        const start = this.#clock.nowMs()
        const pulled = { ms: 0 }
        try {
          return await writer.saveFile(this.#timedParts(parts, pulled))
        } finally {
          const targetWaitMs = Math.max(0, this.#clock.nowMs() - start - pulled.ms)
          this.#add({ sourceWaitMs: pulled.ms, targetWaitMs })
        }
      },
    }
  }

  async *#timedParts(
    parts: Iterable<FilePart> | AsyncIterable<FilePart>,
    pulled: { ms: number },
  ): AsyncGenerator<FilePart> {
    for await (const part of this.#timed(parts, pulled))
      yield part instanceof Uint8Array ? part : this.#timed(part, pulled)
  }

  async *#timed<Piece>(
    pieces: Iterable<Piece> | AsyncIterable<Piece>,
    pulled: { ms: number },
  ): AsyncGenerator<Piece> {
    const iterator =
      Symbol.asyncIterator in pieces ? pieces[Symbol.asyncIterator]() : pieces[Symbol.iterator]()
    try {
      for (;;) {
        const start = this.#clock.nowMs()
        const next = await iterator.next()
        pulled.ms += this.#clock.nowMs() - start
        if (next.done === true) return
        yield next.value
      }
    } finally {
      await iterator.return?.()
    }
  }
}
