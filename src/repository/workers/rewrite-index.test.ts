import { describe, expect, it } from 'vitest'
import { systemRandom } from '#base'
import type { BlobId } from '../contract.ts'
import { openDocument, sealDocument } from '../format/document.ts'
import { decodeIndex, encodeIndex, type IndexedPack } from '../format/index-document.ts'
import { newKeySet } from '../format/key-file.ts'
import { IV_BYTES } from '../format/sealing.ts'
import { type OldIndexFile, rewriteIndex } from './rewrite-index.ts'

const key = newKeySet(systemRandom)
const newId = (): string => Buffer.from(systemRandom.bytes(32)).toString('hex')

const pack = (blobs: number): IndexedPack => ({
  id: newId(),
  blobs: Array.from({ length: blobs }, (_, at) => ({
    id: newId() as BlobId,
    type: at % 3 === 0 ? 'tree' : 'data',
    offset: at * 100,
    length: 100,
    uncompressed: at % 2 === 0 ? 0 : 300,
  })),
})

const file = (text: string, packs: readonly IndexedPack[]): OldIndexFile => ({
  id: newId(),
  bytes: Uint8Array.from(sealDocument(key, text, systemRandom.bytes(IV_BYTES))),
  packs: packs.map(({ id }) => id),
})

const rewrite = (files: readonly OldIndexFile[]) =>
  rewriteIndex({ kind: 'rewrite-index', key, files, iv: systemRandom.bytes(IV_BYTES) })

describe('an index file made of others', () => {
  it('says of each pack what they say of it, in whatever form they are, and nothing of others', () => {
    const packs = Array.from({ length: 9 }, (_, at) => pack(at === 8 ? 0 : 5 + at * 400))
    const files = [
      file(encodeIndex(packs.slice(0, 4)), [packs[1]!, packs[3]!]),
      file(
        JSON.stringify({ more: 1, ...JSON.parse(encodeIndex(packs.slice(4, 6))) }, undefined, 1),
        packs.slice(4, 6),
      ),
      file(encodeIndex(packs.slice(6)), [packs[7]!, packs[8]!]),
    ]
    const { bytes, problem } = rewrite(files)
    expect(problem).toBeUndefined()
    expect(decodeIndex(openDocument(key, bytes))).toEqual([1, 3, 4, 5, 7, 8].map((at) => packs[at]))
  })

  it('is not made where one of them is damaged or lacks a pack', () => {
    const [one, other] = [pack(3), pack(3)]
    const damaged = file(encodeIndex([one]), [one])
    damaged.bytes[40]! ^= 1
    expect(rewrite([file(encodeIndex([other]), [other]), damaged]).problem).toMatch(/authentication/)
    expect(rewrite([file(encodeIndex([one]), [one, other])]).problem).toMatch(/does not name/)
  })
})
