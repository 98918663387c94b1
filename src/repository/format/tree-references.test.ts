import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isHoldfastError } from '#base'
import type { BlobId, TreeEntry } from '../contract.ts'
import { decodeTree, encodeTree } from './tree.ts'
import { addReferences, IdList } from './tree-references.ts'

const id = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => Buffer.from(bytes).toString('hex') as BlobId)
const name = fc.oneof(
  fc.stringMatching(/^[a-z0-9-]{1,6}$/),
  fc.constantFrom('ä', '.x', 'a b', '<&>', '€.eml', 'x', 'xy'),
)
const time = fc.date({ min: new Date('1970-01-01'), max: new Date('2099-12-31'), noInvalidDate: true })
const entry: fc.Arbitrary<TreeEntry> = fc.oneof(
  fc.record({
    type: fc.constant('file' as const),
    name,
    modifiedAt: time,
    sizeBytes: fc.nat(),
    content: fc.array(id, { maxLength: 3 }),
  }),
  fc.record({ type: fc.constant('folder' as const), name, modifiedAt: time, subtree: id }),
)
const tree = fc.uniqueArray(entry, { selector: (each) => each.name, maxLength: 5 }).map(encodeTree)

const isCorrupt = (error: unknown): 'corrupt' => {
  if (!isHoldfastError(error, 'corrupt')) throw error
  return 'corrupt'
}

const read = (text: Uint8Array): unknown => {
  const references = { trees: new IdList(), data: new IdList() }
  try {
    addReferences(text, references)
  } catch (error) {
    return isCorrupt(error)
  }
  const ids = (list: IdList): string => Buffer.from(list.bytes).toString('hex')
  return { trees: ids(references.trees), data: ids(references.data) }
}

const decoded = (text: Uint8Array): unknown => {
  try {
    const entries = decodeTree(text).flatMap((node) => node.entry ?? [])
    const trees = entries.map((each) => (each.type === 'folder' ? each.subtree : '')).join('')
    const data = entries.map((each) => (each.type === 'file' ? each.content.join('') : '')).join('')
    return { trees, data }
  } catch (error) {
    return isCorrupt(error)
  }
}

describe('what a tree names', () => {
  it('is what its nodes name', () => {
    fc.assert(
      fc.property(tree, (text) => {
        expect(read(text)).toEqual(decoded(text))
      }),
    )
  })

  it('is the same, or an error the same, where bytes of the text are changed, lost or added', () => {
    const change = fc.record({
      at: fc.nat(),
      cut: fc.integer({ min: 0, max: 3 }),
      put: fc.constantFrom('', '0', '9', '-', '.', '"', '\\', '/', ',', ' ', '}', ']', '\n', 'Z', 'a'),
    })
    fc.assert(
      fc.property(tree, change, (text, { at, cut, put }) => {
        const whole = text.toString()
        const place = at % (whole.length + 1)
        const changed = Buffer.from(whole.slice(0, place) + put + whole.slice(place + cut))
        expect(read(changed)).toEqual(decoded(changed))
      }),
      { numRuns: 3000 },
    )
  })
})
