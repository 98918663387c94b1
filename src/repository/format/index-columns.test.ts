import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { systemRandom } from '#base'
import type { BlobId } from '../contract.ts'
import { newPrintFactors } from './id-print.ts'
import { columnsIn, parseIndex, type ReadColumns, scanIndex } from './index-columns.ts'
import { encodeIndex, type IndexedPack } from './index-document.ts'

const factors = newPrintFactors(systemRandom)
const id = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex'))
const count = fc.integer({ min: 0, max: 0xffffffff })
const blob = fc.record({
  id: id.map((text) => text as BlobId),
  type: fc.constantFrom('data' as const, 'tree' as const),
  offset: count,
  length: fc.integer({ min: 32, max: 0xffffffff }),
  uncompressed: fc.oneof(fc.constant(0), count),
})
const packs = fc.array(fc.record({ id, blobs: fc.array(blob, { maxLength: 4 }) }), { maxLength: 4 })

/** What was read. */
const rowsOf = (read: ReadColumns) => {
  const { ids, ...columns } = columnsIn(read)
  return { ...columns, ids: Buffer.from(Uint32Array.from(ids).buffer).toString('hex') }
}

const textOf = (value: readonly IndexedPack[]): Buffer => Buffer.from(encodeIndex(value))

describe('reading an index file byte by byte', () => {
  it('gives what JSON.parse gives, for any index', () => {
    fc.assert(
      fc.property(packs, (value) => {
        const scanned = scanIndex(textOf(value), factors)
        expect(scanned).toBeDefined()
        expect(rowsOf(scanned!)).toEqual(rowsOf(parseIndex(textOf(value), factors)))
      }),
    )
  })

  it('gives nothing or the same where bytes of the text are changed, lost or added', () => {
    const change = fc.record({
      at: fc.nat(),
      cut: fc.integer({ min: 0, max: 3 }),
      put: fc.constantFrom('', '0', '9', '-', '.', 'e', 'A', '"', ',', ' ', '}', ']', '\n', '{"a":1}'),
    })
    fc.assert(
      fc.property(packs, change, (value, { at, cut, put }) => {
        const whole = textOf(value).toString()
        const place = at % (whole.length + 1)
        const text = Buffer.from(whole.slice(0, place) + put + whole.slice(place + cut))
        const scanned = scanIndex(text, factors)
        if (scanned !== undefined) expect(rowsOf(scanned)).toEqual(rowsOf(parseIndex(text, factors)))
      }),
      { numRuns: 2000 },
    )
  })

  it.each(['{}', '[]', '', '{"packs":null}', '{"supersedes":["a"],"packs":[]}'])(
    'leaves %s to JSON.parse',
    (text) => {
      expect(scanIndex(Buffer.from(text), factors)).toBeUndefined()
    },
  )
})
