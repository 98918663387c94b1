import { inspect } from 'node:util'

const MASK = '***'

/** A value that prints as `***` everywhere. Only what must send it calls `reveal()`. */
export class Secret {
  readonly #value: string
  constructor(value: string) {
    this.#value = value
  }
  reveal(): string {
    return this.#value
  }
  toString(): string {
    return MASK
  }
  toJSON(): string {
    return MASK
  }
  [inspect.custom](): string {
    return MASK
  }
  equals(other: Secret): boolean {
    return this.#value === other.#value
  }
}
