/** At most `limit` work at the same time; the others wait in line. */
export class Gate {
  readonly #limit: number
  readonly #line: (() => void)[] = []
  #inside = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  async pass<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#inside < this.#limit) this.#inside += 1
    else await new Promise<void>((resolve) => this.#line.push(resolve))
    try {
      return await work()
    } finally {
      // The place goes to the next in line, or becomes free.
      const next = this.#line.shift()
      if (next === undefined) this.#inside -= 1
      else next()
    }
  }
}
