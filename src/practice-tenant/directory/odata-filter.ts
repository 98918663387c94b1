import type { Json, JsonObject } from '#base'
import { GraphError } from '../core/contract.ts'

// `$filter` of the directory: comparisons, in, startsWith, endsWith, and/or/not, any(), $count of a collection.
// Texts compare without regard to case, as the directory's do.

type Value = Json | undefined
type Test = (object: Value) => boolean
type Read = (object: Value) => Value

/** A filter, and whether Graph answers it only with ConsistencyLevel: eventual. */
export interface Filter {
  readonly matches: (document: JsonObject) => boolean
  readonly isAdvanced: boolean
}

const TOKEN = /\s*('(?:[^']|'')*'|[(),:]|[^\s(),:']+(?::\d\d:[^\s(),']+)?)/y
const COMPARISONS = new Set(['eq', 'ne', 'gt', 'ge', 'lt', 'le'])
const ADVANCED = new Set(['ne', 'not', 'endswith'])

const invalidFilter = (): GraphError =>
  new GraphError(400, 'Request_UnsupportedQuery', 'Unsupported or invalid query filter clause specified.')

const tokensOf = (text: string): string[] => {
  const tokens: string[] = []
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const match = TOKEN.exec(text)
    if (match === null) throw invalidFilter()
    tokens.push(match[1]!)
  }
  return tokens
}

const folded = (value: Value): Value => (typeof value === 'string' ? value.toLowerCase() : value)

const compare = (operator: string, left: Value, right: Value): boolean => {
  const one = folded(left) ?? null
  const other = folded(right) ?? null
  if (operator === 'eq') return one === other
  if (operator === 'ne') return one !== other
  if (one === null || other === null || typeof one === 'object' || typeof other === 'object') return false
  if (operator === 'gt') return one > other
  if (operator === 'ge') return one >= other
  return operator === 'lt' ? one < other : one <= other
}

const literal = (token: string): Value => {
  if (token.startsWith("'")) return token.slice(1, -1).replaceAll("''", "'")
  if (token === 'true' || token === 'false') return token === 'true'
  if (token === 'null') return null
  return /^-?\d+(\.\d+)?$/.test(token) ? Number(token) : token
}

const member = (object: Value, name: string): Value => {
  if (name === '$count') return Array.isArray(object) ? object.length : 0
  if (typeof object !== 'object' || object === null || Array.isArray(object)) return undefined
  return (object as JsonObject)[name]
}

class Parser {
  readonly #tokens: string[]
  readonly #known: ReadonlySet<string>
  #at = 0
  isAdvanced = false

  constructor(text: string, known: ReadonlySet<string>) {
    this.#tokens = tokensOf(text)
    this.#known = known
  }

  whole(): Test {
    const test = this.#or(undefined)
    if (this.#at < this.#tokens.length) throw invalidFilter()
    return test
  }

  #peek(): string {
    return this.#tokens[this.#at]?.toLowerCase() ?? ''
  }

  #take(expected?: string): string {
    const token = this.#tokens[this.#at]
    if (token === undefined || (expected !== undefined && token !== expected)) throw invalidFilter()
    this.#at += 1
    return token
  }

  #or(variable: string | undefined): Test {
    const tests = [this.#and(variable)]
    while (this.#peek() === 'or') {
      this.#take()
      tests.push(this.#and(variable))
    }
    return (object) => tests.some((test) => test(object))
  }

  #and(variable: string | undefined): Test {
    const tests = [this.#one(variable)]
    while (this.#peek() === 'and') {
      this.#take()
      tests.push(this.#one(variable))
    }
    return (object) => tests.every((test) => test(object))
  }

  #one(variable: string | undefined): Test {
    const word = this.#peek()
    if (word === 'not') {
      this.isAdvanced = true
      this.#take()
      const test = this.#one(variable)
      return (object) => !test(object)
    }
    if (word === '(') {
      this.#take('(')
      const test = this.#or(variable)
      this.#take(')')
      return test
    }
    if (word === 'startswith' || word === 'endswith') return this.#textFunction(word, variable)
    return this.#comparison(variable)
  }

  #textFunction(name: string, variable: string | undefined): Test {
    if (ADVANCED.has(name)) this.isAdvanced = true
    this.#take()
    this.#take('(')
    const read = this.#path(this.#take(), variable)
    this.#take(',')
    const wanted = String(literal(this.#take())).toLowerCase()
    this.#take(')')
    return (object) => {
      const value = folded(read(object))
      if (typeof value !== 'string') return false
      return name === 'startswith' ? value.startsWith(wanted) : value.endsWith(wanted)
    }
  }

  #comparison(variable: string | undefined): Test {
    const path = this.#take()
    if (path.toLowerCase().endsWith('/any')) return this.#any(path.slice(0, -'/any'.length), variable)
    const read = this.#path(path, variable)
    const operator = this.#take().toLowerCase()
    if (operator === 'in') return this.#in(read)
    if (!COMPARISONS.has(operator)) throw invalidFilter()
    if (ADVANCED.has(operator) || path.endsWith('/$count')) this.isAdvanced = true
    const right = literal(this.#take())
    return (object) => compare(operator, read(object), right)
  }

  #in(read: Read): Test {
    this.#take('(')
    const values: Value[] = []
    for (;;) {
      values.push(folded(literal(this.#take())))
      if (this.#take() === ')') break
    }
    return (object) => values.includes(folded(read(object)) ?? null)
  }

  #any(path: string, outer: string | undefined): Test {
    const read = this.#path(path, outer)
    const count = (object: Value): readonly Json[] => {
      const value = read(object)
      return Array.isArray(value) ? value : []
    }
    this.#take('(')
    if (this.#peek() === ')') {
      this.#take()
      return (object) => count(object).length > 0
    }
    const variable = this.#take()
    this.#take(':')
    const test = this.#or(variable)
    this.#take(')')
    return (object) => count(object).some((item) => test(item))
  }

  #path(path: string, variable: string | undefined): Read {
    const [first, ...rest] = path.split('/')
    if (first === variable) return (object) => rest.reduce<Value>(member, object)
    if (!this.#known.has(first!)) {
      throw new GraphError(
        400,
        'BadRequest',
        `Invalid filter clause: Could not find a property named '${first}'.`,
      )
    }
    return (object) => [first!, ...rest].reduce<Value>(member, object)
  }
}

/** Reads a `$filter` over these properties; throws Graph's 400. */
export const parseFilter = (text: string, known: ReadonlySet<string>): Filter => {
  const parser = new Parser(text, known)
  const matches = parser.whole()
  return { matches, isAdvanced: parser.isAdvanced }
}

/** Reads a `$search`: `"displayName:al" OR "mail:al"`. */
export const parseSearch = (text: string): ((document: JsonObject) => boolean) => {
  const clauses = [...text.matchAll(/"([\w]+):([^"]*)"(?:\s+(AND|OR))?/gi)]
  if (clauses.length === 0) {
    throw new GraphError(400, 'Request_BadRequest', `Syntax error in $search: '${text}'.`)
  }
  const tests = clauses.map(([, property, wanted]) => {
    const start = wanted!.toLowerCase()
    return (document: JsonObject): boolean => {
      const value = document[property!]
      if (typeof value !== 'string') return false
      const words = [value, ...value.split(/[^\p{L}\p{N}]+/u)]
      return words.some((word) => word.toLowerCase().startsWith(start))
    }
  })
  const isAnd = clauses.some(([, , , joint]) => joint?.toUpperCase() === 'AND')
  return (document) => (isAnd ? tests.every((test) => test(document)) : tests.some((test) => test(document)))
}
