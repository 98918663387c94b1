import { isHoldfastError, messageOf } from '#base'
import { openDocumentBriefly, sealDocumentText } from '../format/document.ts'
import { sha256Hex } from '../format/ids.ts'
import { packTexts } from '../format/index-columns.ts'
import type { KeySet } from '../format/sealing.ts'
import { ownBytes } from '../read-own.ts'
import { newBuffer, release } from '../release.ts'

/** Opens an index file and picks the text of some of its packs. */
export interface PickPacksJob {
  readonly kind: 'pick-packs'
  readonly key: KeySet
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly packs: readonly string[]
}

export interface PickPacksResult {
  /** The texts of the packs that were found, with commas between them. */
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly packs: readonly string[]
  readonly blobs: number
  /** What is wrong with the file; nothing was picked then. */
  readonly problem?: string
}

/** Makes an index file of such texts. */
export interface SealIndexJob {
  readonly kind: 'seal-index'
  readonly key: KeySet
  /** The texts, with commas between them. */
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly iv: Uint8Array
}

export interface SealIndexResult {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly id: string
}

export const pickPacks = ({ key, bytes, packs }: PickPacksJob): PickPacksResult => {
  try {
    const picked = packTexts(openDocumentBriefly(key, bytes), new Set(packs))
    release(bytes)
    return { bytes: picked.text, packs: picked.packs, blobs: picked.blobs }
  } catch (error) {
    if (!isHoldfastError(error, 'corrupt')) throw error
    return { bytes: new Uint8Array(0), packs: [], blobs: 0, problem: messageOf(error) }
  }
}

const HEAD = Buffer.from('{"packs":[')
const END = Buffer.from(']}')

export const sealIndex = ({ key, bytes, iv }: SealIndexJob): SealIndexResult => {
  const text = newBuffer(HEAD.length + bytes.length + END.length)
  text.set(HEAD)
  text.set(bytes, HEAD.length)
  text.set(END, HEAD.length + bytes.length)
  release(bytes)
  const sealed = ownBytes(sealDocumentText(key, text, iv))
  release(text)
  return { bytes: sealed, id: sha256Hex(sealed) }
}
