interface Waiting {
  readonly bytes: number
  readonly admit: () => void
}

/** Bytes in flight, bounded: who wants more waits in line. */
export class Budget {
  readonly #limit: number
  readonly #line: Waiting[] = []
  #used = 0

  constructor(limitBytes: number) {
    this.#limit = limitBytes
  }

  get usedBytes(): number {
    return this.#used
  }

  /** Undefined, so that nothing has to be awaited, while there is room. */
  take(bytes: number): Promise<void> | undefined {
    if (this.#line.length === 0 && this.#fits(bytes)) {
      this.#used += bytes
      return undefined
    }
    return new Promise((resolve) => this.#line.push({ bytes, admit: resolve }))
  }

  /** For what is held already and only changes its form. */
  force(bytes: number): void {
    this.#used += bytes
  }

  give(bytes: number): void {
    this.#used -= bytes
    while (this.#line.length > 0 && this.#fits(this.#line[0]!.bytes)) {
      const next = this.#line.shift()!
      this.#used += next.bytes
      next.admit()
    }
  }

  #fits(bytes: number): boolean {
    return this.#used + bytes <= this.#limit || this.#used === 0
  }
}
