import { corrupt, isHoldfastError, messageOf } from '#base'
import { openDocumentInto, sealIndexText } from '../format/document.ts'
import { sha256Hex } from '../format/ids.ts'
import { packTexts } from '../format/index-columns.ts'
import type { KeySet } from '../format/sealing.ts'
import { newBuffer, release } from '../release.ts'

/** An index file, and which of its packs are to be in the new one. */
export interface OldIndexFile {
  readonly id: string
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly packs: readonly string[]
}

/** Makes one index file of what some say of some of their packs. */
export interface RewriteIndexJob {
  readonly kind: 'rewrite-index'
  readonly key: KeySet
  readonly files: readonly OldIndexFile[]
  readonly iv: Uint8Array
}

export interface RewriteIndexResult {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly id: string
  /** What is wrong with a file; there is no new one then. */
  readonly problem?: string
}

export const rewriteIndex = ({ key, files, iv }: RewriteIndexJob): RewriteIndexResult => {
  const joined = new JoinedText()
  try {
    for (const { id, bytes, packs } of files) {
      const found = joined.add((memoryOf) => openDocumentInto(key, bytes, memoryOf), new Set(packs))
      release(bytes)
      if (found < packs.length) throw corrupt(`index ${id} does not name packs that it named before`)
    }
  } catch (error) {
    if (!isHoldfastError(error, 'corrupt')) throw error
    return { bytes: new Uint8Array(0), id: '', problem: messageOf(error) }
  }
  const bytes = sealIndexText(key, joined.end(), iv)
  return { bytes, id: sha256Hex(bytes) }
}

const HEAD = Buffer.from('{"packs":[')
const END = Buffer.from(']}')
const COMMA = 0x2c
/** What is kept for the next text. */
const LARGEST_KEPT = 16 * 1024 * 1024

let kept = newBuffer(0)

/** The text of an index file, put together in one piece of memory, into which the texts it is made of are opened. */
class JoinedText {
  #memory = kept
  #length = 0

  constructor() {
    this.#append(HEAD)
  }

  /** Takes over what a text says of packs, and returns how many it names. */
  add(open: (memoryOf: (bytes: number) => Uint8Array) => Uint8Array, packs: ReadonlySet<string>): number {
    // It is opened behind what is there, from where the packs only move on towards the front.
    const text = open((bytes) => this.#room(bytes + 1).subarray(1))
    const found = new Set<string>()
    for (const { id, bytes } of packTexts(text)) {
      if (!packs.has(id)) continue
      found.add(id)
      if (this.#length > HEAD.length) this.#append([COMMA])
      this.#append(bytes)
    }
    return found.size
  }

  end(): Uint8Array {
    this.#append(END)
    if (this.#memory.length <= LARGEST_KEPT) kept = this.#memory
    return this.#memory.subarray(0, this.#length)
  }

  #append(bytes: ArrayLike<number>): void {
    this.#room(bytes.length).set(bytes)
    this.#length += bytes.length
  }

  /** Memory behind what is there. */
  #room(bytes: number): Uint8Array {
    const wanted = this.#length + bytes
    if (wanted > this.#memory.length) {
      const larger = newBuffer(Math.max(wanted, this.#memory.length + (this.#memory.length >> 1)))
      larger.set(this.#memory.subarray(0, this.#length))
      this.#memory = larger
    }
    return this.#memory.subarray(this.#length)
  }
}
