import { ID_BYTES } from './ids.ts'
import { HEX } from './index-columns.ts'
import { decodeTree } from './tree.ts'

// Following a tree needs nothing but the ids in it. The text that Holdfast writes has one form, which is read here byte by
// byte, ten times as fast as into objects; any other text, and any that is wrong, takes the way through `decodeTree`.

const FIRST_BYTES = 64 * 1024

/** Ids one behind the other, in memory that grows. */
export class IdList {
  #bytes = new Uint8Array(FIRST_BYTES)
  #length = 0

  get count(): number {
    return this.#length / ID_BYTES
  }

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  clear(count = 0): void {
    this.#length = count * ID_BYTES
  }

  /** Takes the digits of an id at a place of a text; false when they are none. */
  addHex(text: Uint8Array, from: number): boolean {
    if (this.#length + ID_BYTES > this.#bytes.length) this.#grow()
    const bytes = this.#bytes
    let wrong = 0
    for (let to = this.#length, at = from; to < this.#length + ID_BYTES; to += 1, at += 2) {
      const high = HEX[text[at]!]!
      const low = HEX[text[at + 1]!]!
      wrong |= high | low
      bytes[to] = (high << 4) | low
    }
    if (wrong > 15 || from + ID_BYTES * 2 > text.length) return false
    this.#length += ID_BYTES
    return true
  }

  #grow(): void {
    const larger = new Uint8Array(this.#bytes.length * 2)
    larger.set(this.#bytes)
    this.#bytes = larger
  }
}

export interface References {
  readonly trees: IdList
  readonly data: IdList
}

/** Adds what a tree names: the folders and the content of the files in it. Throws `corrupt`, and has added nothing then. */
export const addReferences = (text: Uint8Array, references: References): void => {
  const [trees, data] = [references.trees.count, references.data.count]
  if (new TreeScan(text, references).run()) return
  references.trees.clear(trees)
  references.data.clear(data)
  const nodes = decodeTree(text)
  for (const { entry } of nodes) {
    if (entry?.type === 'folder') references.trees.addHex(Buffer.from(entry.subtree), 0)
    else for (const id of entry?.content ?? []) references.data.addHex(Buffer.from(id), 0)
  }
}

const bytesOf = (text: string): Uint8Array => Buffer.from(text)
const HEAD = bytesOf('{"nodes":[')
const NAME = bytesOf('{"name":"')
const FILE = bytesOf('","type":"file","mode":')
const FOLDER = bytesOf('","type":"dir","mode":')
const MODIFIED = bytesOf(',"mtime":"')
const ACCESSED = bytesOf('","atime":"')
const CREATED = bytesOf('","ctime":"')
const OWNER = bytesOf('","uid":0,"gid":0')
const SIZE = bytesOf(',"size":')
const CONTENT = bytesOf(',"content":[')
const SUBTREE = bytesOf(',"content":null,"subtree":"')
const END = bytesOf(']}\n')
const [QUOTE, SLASH, BACKSLASH, COMMA, CLOSE, END_OF_LIST, DOT, LETTER_Z] = [
  0x22, 0x2f, 0x5c, 0x2c, 0x7d, 0x5d, 0x2e, 0x5a,
]
/** `yyyy-mm-ddThh:mm:ss`: a digit's largest value, or a sign. */
const TIME = bytesOf('9999-19-39T29:59:59')
const MOST_DIGITS = 15

class TreeScan {
  readonly #text: Uint8Array
  readonly #references: References
  #at = 0
  #isUsual = true
  #nameFrom = 0
  #nameTo = 0

  constructor(text: Uint8Array, references: References) {
    this.#text = text
    this.#references = references
  }

  /** Whether the text has the usual form. */
  run(): boolean {
    this.#expect(HEAD)
    if (this.#text[this.#at] !== END_OF_LIST)
      do this.#node()
      while (this.#isUsual && this.#take(COMMA))
    this.#expect(END)
    return this.#isUsual && this.#at === this.#text.length
  }

  #node(): void {
    this.#expect(NAME)
    this.#name()
    const isFolder = this.#text[this.#at + 10] === 0x64
    this.#expect(isFolder ? FOLDER : FILE)
    this.#number()
    this.#expect(MODIFIED)
    this.#time()
    this.#expect(ACCESSED)
    this.#time()
    this.#expect(CREATED)
    this.#time()
    this.#expect(OWNER)
    if (isFolder) this.#subtree()
    else this.#content()
    if (!this.#take(CLOSE)) this.#isUsual = false
  }

  /** Letters that need no quoting, in names that ascend. */
  #name(): void {
    const text = this.#text
    const from = this.#at
    let at = from
    for (let byte = text[at]!; byte !== QUOTE && byte >= 0x20 && byte !== 0x7f; byte = text[at]!) {
      if (byte === SLASH || byte === BACKSLASH) break
      at += 1
    }
    const isPlain = text[at] === QUOTE && at > from && text[from] !== DOT
    if (!isPlain || !this.#ascends(from, at)) this.#isUsual = false
    this.#nameFrom = from
    this.#nameTo = at
    this.#at = at
  }

  /** Whether a name comes behind the last one. */
  #ascends(from: number, to: number): boolean {
    const text = this.#text
    const length = Math.min(to - from, this.#nameTo - this.#nameFrom)
    for (let at = 0; at < length; at += 1) {
      const step = text[from + at]! - text[this.#nameFrom + at]!
      if (step !== 0) return step > 0
    }
    return to - from > this.#nameTo - this.#nameFrom
  }

  #subtree(): void {
    this.#expect(SUBTREE)
    if (!this.#references.trees.addHex(this.#text, this.#at)) this.#isUsual = false
    this.#at += 2 * ID_BYTES
    if (!this.#take(QUOTE)) this.#isUsual = false
  }

  #content(): void {
    if (this.#text[this.#at + 2] === SIZE[2]) {
      this.#expect(SIZE)
      this.#number()
    }
    this.#expect(CONTENT)
    if (this.#text[this.#at] !== END_OF_LIST)
      do this.#blob()
      while (this.#isUsual && this.#take(COMMA))
    if (!this.#take(END_OF_LIST)) this.#isUsual = false
  }

  #blob(): void {
    if (!this.#take(QUOTE) || !this.#references.data.addHex(this.#text, this.#at)) this.#isUsual = false
    this.#at += 2 * ID_BYTES
    if (!this.#take(QUOTE)) this.#isUsual = false
  }

  /** Digits without sign, fraction or leading zero. */
  #number(): void {
    const from = this.#at
    while (isDigit(this.#text[this.#at])) this.#at += 1
    const digits = this.#at - from
    if (digits === 0 || digits > MOST_DIGITS || (digits > 1 && this.#text[from] === 0x30))
      this.#isUsual = false
  }

  #time(): void {
    const text = this.#text
    const from = this.#at
    for (const [at, most] of TIME.entries()) {
      const byte = text[from + at]
      if (isDigit(most) ? !isDigit(byte) || byte! > most : byte !== most) this.#isUsual = false
    }
    this.#at = from + TIME.length
    if (this.#take(DOT)) this.#fraction()
    if (!this.#take(LETTER_Z)) this.#isUsual = false
    const pair = (at: number): number => (text[from + at]! - 0x30) * 10 + text[from + at + 1]! - 0x30
    const [month, day, hour] = [pair(5), pair(8), pair(11)]
    if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23) this.#isUsual = false
  }

  #fraction(): void {
    const from = this.#at
    while (isDigit(this.#text[this.#at])) this.#at += 1
    if (this.#at === from || this.#at > from + 9) this.#isUsual = false
  }

  #expect(wanted: Uint8Array): void {
    const text = this.#text
    const at = this.#at
    for (let byte = 0; byte < wanted.length; byte += 1)
      if (text[at + byte] !== wanted[byte]) this.#isUsual = false
    this.#at = at + wanted.length
  }

  #take(byte: number): boolean {
    if (this.#text[this.#at] !== byte) return false
    this.#at += 1
    return true
  }
}

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39
