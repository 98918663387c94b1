import { HoldfastError, invalid } from '#base'
import { BodyObject, type BodyNode } from './body-node.ts'

const MAX_DEPTH = 32
const MAX_MEMBERS = 10_000

const WHITE = /[\s\uFEFF]*/y
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y
// Runs of plain characters are one step, so that a certificate of some megabytes costs no stack.
const TEXT = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y
const WORD = /[A-Za-z]+/y

/**
 * Reads JSON as callers really send it: commas before a closing bracket and True, False, None of other languages are
 * taken. Deeper than 32 levels or more than 10,000 members is refused. Throws `invalid` naming the place.
 */
export const parseLenientJson = (source: string): BodyNode => new LenientReader(source).document()

class LenientReader {
  readonly #source: string
  #at = 0
  #members = 0

  constructor(source: string) {
    this.#source = source
  }

  document(): BodyNode {
    const value = this.#value(0)
    this.#skipWhite()
    if (this.#at < this.#source.length) throw this.#broken('text after the end')
    return value
  }

  #value(depth: number): BodyNode {
    this.#skipWhite()
    if (depth > MAX_DEPTH) throw invalid(`the body is nested deeper than ${MAX_DEPTH} levels`)
    const next = this.#source[this.#at]
    if (next === '{') return this.#object(depth)
    if (next === '[') return this.#array(depth)
    if (next === '"') return this.#text()
    const word = this.#word()
    return word === undefined ? this.#number() : word
  }

  #object(depth: number): BodyObject {
    const members: [string, BodyNode][] = []
    this.#at += 1
    while (!this.#closes('}')) {
      if (this.#source[this.#at] !== '"') throw this.#broken('a property name in quotes is missing')
      const name = this.#text()
      this.#skipWhite()
      if (this.#source[this.#at] !== ':') throw this.#broken('a colon is missing')
      this.#at += 1
      members.push([name, this.#value(depth + 1)])
      this.#count()
      this.#comma('}')
    }
    return new BodyObject(members)
  }

  #array(depth: number): readonly BodyNode[] {
    const items: BodyNode[] = []
    this.#at += 1
    while (!this.#closes(']')) {
      items.push(this.#value(depth + 1))
      this.#count()
      this.#comma(']')
    }
    return items
  }

  /** True, and past it, when the bracket comes next. */
  #closes(bracket: string): boolean {
    this.#skipWhite()
    if (this.#source[this.#at] !== bracket) return false
    this.#at += 1
    return true
  }

  #comma(bracket: string): void {
    this.#skipWhite()
    if (this.#source[this.#at] === ',') {
      this.#at += 1
      return
    }
    if (this.#source[this.#at] !== bracket) throw this.#broken(`a comma or ${bracket} is missing`)
  }

  #count(): void {
    this.#members += 1
    if (this.#members > MAX_MEMBERS)
      throw new HoldfastError('too-large', `the body holds more than ${MAX_MEMBERS} values`)
  }

  #text(): string {
    const token = this.#take(TEXT)
    if (token === undefined) throw this.#broken('a text does not end, or holds a control character')
    return JSON.parse(token) as string
  }

  #word(): boolean | null | undefined {
    const word = this.#take(WORD)?.toLowerCase()
    if (word === undefined) return undefined
    if (word === 'true') return true
    if (word === 'false') return false
    if (word === 'null' || word === 'none') return null
    throw this.#broken('a value must be a text in quotes, a number, true, false, null, an object or a list')
  }

  #number(): number {
    const token = this.#take(NUMBER)
    const value = Number(token)
    if (token === undefined || !Number.isFinite(value)) throw this.#broken('a value is missing')
    return value
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#source)?.[0]
    if (found !== undefined) this.#at += found.length
    return found
  }

  #skipWhite(): void {
    this.#take(WHITE)
  }

  #broken(what: string): HoldfastError {
    return invalid(`the body is not JSON: ${what} at character ${this.#at + 1}`)
  }
}
