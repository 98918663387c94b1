import { zstdDecompressSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seededRandom, systemRandom } from '#base'
import type { BlobId, FileEntry, TreeEntry } from '../contract.ts'
import { chunkLength, gearTable, LARGEST_CHUNK, SMALLEST_CHUNK } from '../format/chunker.ts'
import { compress, decompress, decompressInto } from '../format/compression.ts'
import { goJsonString, goTime, parseGoTime } from '../format/go-json.ts'
import { bytesOfText, isPlainName, textOfBytes, unquoteName } from '../format/go-quote.ts'
import { blobIdOf } from '../format/ids.ts'
import { decodeIndex } from '../format/index-document.ts'
import { newKeySet, openKeyFile } from '../format/key-file.ts'
import { exactHeaderBytes, locateHeader, openHeader, sealHeader } from '../format/pack-header.ts'
import { isIrreducible, newPolynomial } from '../format/polynomial.ts'
import { open, seal } from '../format/sealing.ts'
import { ivsOf, ManySeals } from '../format/sealing-many.ts'
import { decodeTree, encodeTree } from '../format/tree.ts'

const key = newKeySet(seededRandom(1))
const bytes = (constraints?: fc.IntArrayConstraints) => fc.uint8Array(constraints)
const anyId = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((id) => Buffer.from(id).toString('hex') as BlobId)

const openedOf = (sealed: readonly Uint8Array[]) => {
  const seals = new ManySeals(key, ivsOf(sealed))
  return sealed.map((each, number) => {
    const target = Buffer.alloc(each.length)
    const length = seals.open(number, each, target)
    return length === undefined ? undefined : target.subarray(0, length)
  })
}

describe('sealing', () => {
  it('gives back what was sealed, and notices every flipped bit', () => {
    fc.assert(
      fc.property(bytes(), bytes({ minLength: 16, maxLength: 16 }), fc.nat(), (plain, iv, place) => {
        const sealed = seal(key, plain, iv)
        expect(Buffer.from(open(key, sealed)).equals(Buffer.from(plain))).toBe(true)
        const flipped = Uint8Array.from(sealed)
        const bit = place % (sealed.length * 8)
        flipped[bit >> 3]! ^= 1 << (bit & 7)
        expect(() => open(key, flipped)).toThrow('authentication')
      }),
    )
  })

  it('refuses what is too short, and what another key sealed', () => {
    expect(() => open(key, new Uint8Array(31))).toThrow('too short')
    const other = newKeySet(seededRandom(2))
    expect(() => open(other, seal(key, Buffer.from('x'), Buffer.alloc(16, 1)))).toThrow('authentication')
  })

  it('seals many to the same bytes as one after the other, also where a counter overflows', () => {
    const overflowing = [
      Buffer.from('ffffffffffffffffffffffffffffffff', 'hex'),
      Buffer.from('00000000000000000000000ffffffffe', 'hex'),
      Buffer.from('0000000000000001fffffffffffffffe', 'hex'),
      Buffer.from('12345678ffffffffffffffffffffffff', 'hex'),
    ]
    const iv = fc.oneof(fc.constantFrom(...overflowing), bytes({ minLength: 16, maxLength: 16 }))
    const text = fc.oneof(bytes({ maxLength: 200 }), fc.constant(Buffer.alloc(40_000, 7)))
    fc.assert(
      fc.property(fc.array(fc.tuple(iv, text), { maxLength: 8 }), (items) => {
        const ivs = Buffer.concat(items.map(([each]) => each))
        const texts = items.map(([, each]) => each)
        const one = items.map(([each, plain]) => seal(key, plain, each))
        const seals = new ManySeals(key, ivs)
        const many = texts.map((text, number) => {
          // In the memory of the text, as batches are.
          const memory = Buffer.concat([Buffer.alloc(16), text, Buffer.alloc(16)])
          return memory.subarray(0, seals.seal(number, memory.subarray(16, 16 + text.length), memory))
        })
        expect(Buffer.concat(many).equals(Buffer.concat(one))).toBe(true)
        const opened = openedOf(one)
        texts.forEach((plain, at) => expect(Buffer.compare(opened[at]!, plain)).toBe(0))
      }),
    )
  })

  it('opens the whole ones beside a damaged one', () => {
    const sealed = ['a', 'b', 'c'].map((text) => seal(key, Buffer.from(text), systemRandom.bytes(16)))
    sealed[1]![20]! ^= 1
    expect(openedOf([...sealed, new Uint8Array(3)]).map((plain) => plain?.toString())).toEqual([
      'a',
      undefined,
      'c',
      undefined,
    ])
  })
})

describe('compression', () => {
  it('does not unfold a bomb', () => {
    const bomb = compress(Buffer.alloc(50_000_000))
    expect(bomb.length).toBeLessThan(10_000)
    expect(() => decompress(bomb, 1_000_000)).toThrow('compressed')
    expect(() => decompress(bomb, 1_000_000, 1_000_000)).toThrow('compressed')
  })
})

describe('compression of one blob after the other', () => {
  it('gives frames that anybody can open, and opens them', () => {
    const text = fc.oneof(
      bytes({ minLength: 1, maxLength: 3000 }),
      fc.constant(Buffer.alloc(300_000, 'a b c')),
    )
    fc.assert(
      fc.property(text, (plain) => {
        const frame = compress(plain)
        expect(zstdDecompressSync(frame).equals(plain)).toBe(true)
        const target = new Uint8Array(plain.length + 1)
        decompressInto(frame, target)
        expect(Buffer.compare(target.subarray(0, -1), plain)).toBe(0)
      }),
    )
  })

  it('takes a damaged frame for damaged, and the next one for whole', () => {
    const plain = Buffer.from('a text that is long enough to be worth it, worth it, worth it'.repeat(9))
    const whole = compress(plain)
    const damaged = [
      whole.subarray(0, -1),
      whole.subarray(0, 9),
      Buffer.from('no frame, but some text'),
      Buffer.concat([whole, whole]),
      compress(plain.subarray(1)),
      new Uint8Array(0),
    ]
    for (const frame of damaged) {
      const target = new Uint8Array(plain.length + 1)
      expect(() => decompressInto(frame, target)).toThrow()
      decompressInto(whole, target)
      expect(Buffer.compare(target.subarray(0, -1), plain)).toBe(0)
    }
  })
})

describe('pack headers', () => {
  const blob = fc.record({
    id: anyId,
    length: fc.integer({ min: 32, max: 1 << 24 }),
    uncompressed: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 1 << 24 })),
    isTree: fc.boolean(),
  })

  it('come back as written', () => {
    fc.assert(
      fc.property(fc.array(blob, { minLength: 1, maxLength: 40 }), (described) => {
        let offset = 0
        const blobs = described.map(({ isTree, ...rest }) => {
          offset += rest.length
          return {
            ...rest,
            type: isTree ? ('tree' as const) : ('data' as const),
            offset: offset - rest.length,
          }
        })
        const end = sealHeader(key, blobs, systemRandom.bytes(16))
        expect(end.length).toBe(exactHeaderBytes(blobs))
        const found = locateHeader(offset + end.length, end)
        expect(found.offset).toBe(offset)
        expect(openHeader(key, end.subarray(0, found.length), offset)).toEqual(blobs)
        expect(() => openHeader(key, end.subarray(0, found.length), offset + 1)).toThrow('fit')
      }),
    )
  })

  it('are refused, whatever hostile bytes say', () => {
    fc.assert(
      fc.property(bytes({ maxLength: 200 }), fc.nat(1 << 26), (plain, packBytes) => {
        const sealed = seal(key, plain, systemRandom.bytes(16))
        try {
          const blobs = openHeader(key, sealed, packBytes)
          expect(blobs.reduce((sum, { length }) => sum + length, 0)).toBe(packBytes)
        } catch (error) {
          expect(error).toMatchObject({ code: 'corrupt' })
        }
      }),
    )
    for (const length of [0, 1, 32, 2 ** 24, 2 ** 31, 2 ** 32 - 1]) {
      const end = Buffer.alloc(4)
      end.writeUInt32LE(length)
      expect(() => locateHeader(100, end)).toThrow('header length')
    }
    expect(() => locateHeader(2, new Uint8Array(2))).toThrow('too short')
  })
})

describe('index files', () => {
  it('are refused for ids, offsets and lengths that cannot be', () => {
    const good = { id: 'a'.repeat(64), type: 'data', offset: 0, length: 40 }
    const pack = (blob: object) => ({ packs: [{ id: 'b'.repeat(64), blobs: [blob] }], unknown: 1 })
    expect(decodeIndex(pack(good))[0]!.blobs).toHaveLength(1)
    for (const bad of [
      { id: '../../etc/passwd' },
      { id: 'A'.repeat(64) },
      { type: 'node' },
      { offset: -1 },
      { offset: 1.5 },
      { offset: 2 ** 32 },
      { length: 31 },
      { length: '40' },
      { uncompressed_length: -1 },
    ]) {
      expect(() => decodeIndex(pack({ ...good, ...bad }))).toThrow()
    }
    for (const bad of [null, 1, 'x', { packs: 1 }, { packs: [1] }, { packs: [{ id: 'x' }] }]) {
      expect(() => decodeIndex(bad)).toThrow()
    }
  })
})

describe('key files', () => {
  it('that ask for too much memory or work are refused before any of it', async () => {
    const file = (cost: object) =>
      Buffer.from(
        JSON.stringify({
          kdf: 'scrypt',
          N: 1024,
          r: 8,
          p: 1,
          salt: Buffer.alloc(64).toString('base64'),
          data: '',
          ...cost,
        }),
      )
    for (const cost of [
      { N: 2 ** 31 },
      { N: 1000 },
      { r: 2 ** 20 },
      { p: 2 ** 20 },
      { N: 0 },
      { kdf: 'md5' },
      { salt: '' },
    ]) {
      await expect(openKeyFile(file(cost), 'x')).rejects.toMatchObject({ code: 'corrupt' })
    }
    expect(await openKeyFile(file({}), 'x')).toBeUndefined()
  })
})

describe('the polynomial', () => {
  it('is known to be irreducible or not', () => {
    for (const polynomial of ['3e6f96de979c91', '341efc11a7e6a9'])
      expect(isIrreducible(BigInt(`0x${polynomial}`))).toBe(true)
    // x² + 1 = (x + 1)²; x² + x + 1 is irreducible; an even one is divisible by x.
    expect([5n, 6n, 15n].map(isIrreducible)).toEqual([false, false, false])
    expect([7n, 11n, 13n, 19n].map(isIrreducible)).toEqual([true, true, true, true])
  })

  it('is made new with degree 53', () => {
    const made = BigInt(`0x${newPolynomial(seededRandom(5))}`)
    expect(made.toString(2)).toHaveLength(54)
    expect(isIrreducible(made)).toBe(true)
  })
})

describe('trees', () => {
  const name = fc
    .oneof(
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
      fc.constantFrom('R&D', '<a>', 'ｱ', '𝒳', 'ü'),
    )
    .filter(isPlainName)
  const time = fc.date({ min: new Date('1900-01-01'), max: new Date('2200-01-01'), noInvalidDate: true })
  const file: fc.Arbitrary<TreeEntry> = fc
    .record({ name, modifiedAt: time, sizeBytes: fc.nat(), content: fc.array(anyId, { maxLength: 3 }) })
    .map((entry): FileEntry => ({ ...entry, type: 'file' }))
  const folder: fc.Arbitrary<TreeEntry> = fc
    .record({ name, modifiedAt: time, subtree: anyId })
    .map((entry) => ({ ...entry, type: 'folder' as const }))
  const entries = fc.uniqueArray(fc.oneof(file, folder), { selector: (entry) => entry.name, maxLength: 20 })

  it('come back as saved, in the order of the names’ bytes, whatever order they were given in', () => {
    fc.assert(
      fc.property(entries, (given) => {
        const text = encodeTree(given)
        expect(encodeTree([...given].reverse()).equals(text)).toBe(true)
        const found = decodeTree(text).map(({ entry }) => entry!)
        const sorted = [...given].sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))
        expect(found).toEqual(sorted)
      }),
    )
  })

  it('of nothing have restic’s id', () => {
    expect(blobIdOf(encodeTree([]))).toBe('ac08ce34ba4f8123618661bef2425f7028ffb9ac740578a3ee88684d2523fee8')
  })

  it.each([
    '',
    '.',
    '..',
    'a/b',
    'a"b',
    'a\\b',
    'tab\t',
    'nul\0',
    '\u200b',
    'nbsp\u00a0',
    '\ud800',
    'x'.repeat(256),
  ])('do not take the name %j', (bad) => {
    expect(isPlainName(bad)).toBe(false)
    const entry = {
      type: 'folder',
      name: bad,
      modifiedAt: new Date(0),
      subtree: 'a'.repeat(64) as BlobId,
    } as const
    expect(() => encodeTree([entry])).toThrow('cannot be stored')
  })

  it('of hostile text are refused', () => {
    const node = { name: 'a', type: 'dir', mtime: '2026-01-05T12:34:56Z', subtree: 'a'.repeat(64) }
    const tree = (...nodes: object[]) => Buffer.from(JSON.stringify({ nodes }))
    expect(decodeTree(tree(node))).toHaveLength(1)
    for (const bad of [
      { name: '../up' },
      { name: '..' },
      { name: '' },
      { name: 'a\\x2fb' },
      { name: 'a\\q' },
      { name: 'a\\u12' },
      { name: 'a\\ud800' },
      { name: 7 },
      { mtime: 'yesterday' },
      { subtree: null },
      { type: 'file', size: -1 },
      { type: 'file', size: 1.5 },
      { type: 'file', content: ['x'] },
    ]) {
      expect(() => decodeTree(tree({ ...node, ...bad })), JSON.stringify(bad)).toThrow()
    }
    expect(() => decodeTree(tree({ ...node, name: 'b' }, node))).toThrow('order')
    expect(() => decodeTree(tree(node, node))).toThrow('order')
    for (const text of ['', 'null', '[]', '{"nodes":[', '{"nodes":7}']) {
      expect(() => decodeTree(Buffer.from(text)), text).toThrow()
    }
  })
})

describe('Go’s ways of writing', () => {
  it('unquotes names, and keeps bytes that are no text apart', () => {
    expect(unquoteName('quote \\" backslash \\\\ tab\\there')).toBe('quote " backslash \\ tab\there')
    expect(unquoteName('latin1-\\xe9')).not.toBe(unquoteName('latin1-\\xe8'))
    expect(unquoteName('zero\\u200bwidth \\U0001f600')).toBe('zero\u200bwidth 😀')
    fc.assert(
      fc.property(fc.uint8Array(), (raw) => {
        expect(bytesOfText(textOfBytes(raw)).equals(Buffer.from(raw))).toBe(true)
      }),
    )
  })

  it('writes times without trailing zeros and reads any zone and nine digits', () => {
    expect(goTime(new Date('2026-01-05T12:34:56.700Z'))).toBe('2026-01-05T12:34:56.7Z')
    expect(goTime(new Date('2026-01-05T12:34:56.000Z'))).toBe('2026-01-05T12:34:56Z')
    expect(goTime(new Date('2026-01-05T12:34:50.010Z'))).toBe('2026-01-05T12:34:50.01Z')
    expect(parseGoTime('2026-01-05T14:34:56.123456789+02:00')).toEqual(new Date('2026-01-05T12:34:56.123Z'))
    for (const bad of ['', '2026-01-05', '2026-13-05T00:00:00Z', 7, null])
      expect(parseGoTime(bad)).toBeUndefined()
    fc.assert(
      fc.property(
        fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }),
        (time) => {
          expect(parseGoTime(goTime(time))).toEqual(time)
        },
      ),
    )
  })

  it('escapes what Go escapes in JSON', () => {
    expect(goJsonString('R&D <ü>\u2028')).toBe('"R\\u0026D \\u003cü\\u003e\\u2028"')
  })
})

describe('the chunker', () => {
  const gear = gearTable('3e6f96de979c91')
  const noise = (seed: number, length: number): Uint8Array => {
    const random = seededRandom(seed)
    const words = Uint32Array.from({ length: Math.ceil(length / 4) }, () =>
      Math.floor(random.fraction() * 2 ** 32),
    )
    return new Uint8Array(words.buffer, 0, length)
  }
  /** Cuts as a stream does that learns of its bytes in slices. */
  const cut = (input: Uint8Array, slice: () => number): number[] => {
    const lengths: number[] = []
    let start = 0
    for (let known = 0; start < input.length;) {
      known = Math.min(input.length, known + slice())
      const isLast = known === input.length
      for (let length = 1; start < known && length > 0;) {
        length = chunkLength(gear, input, start, { end: known, isLast })
        if (length > 0) lengths.push(length)
        start += length
      }
    }
    return lengths
  }
  const input = noise(1, 12_000_000)
  const whole = cut(input, () => input.length)

  it('loses nothing, and keeps to its sizes', () => {
    expect(whole.reduce((sum, length) => sum + length, 0)).toBe(input.length)
    for (const length of whole.slice(0, -1)) {
      expect(length).toBeGreaterThan(SMALLEST_CHUNK)
      expect(length).toBeLessThanOrEqual(LARGEST_CHUNK)
    }
    expect(whole.length).toBeGreaterThan(6)
    expect(whole.length).toBeLessThan(20)
  })

  it('cuts the same however the input is sliced', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 5_000_000 }), { minLength: 1, maxLength: 5 }),
        (slices) => {
          let at = 0
          expect(cut(input, () => Math.max(200_000, slices[at++ % slices.length]!))).toEqual(whole)
        },
      ),
      { numRuns: 15 },
    )
  })

  it('cuts the same again soon behind an insertion', () => {
    const longer = new Uint8Array(input.length + 7)
    longer.set(input.subarray(0, 3_000_000))
    longer.set(input.subarray(3_000_000), 3_000_007)
    const endsOf = (lengths: readonly number[]): number[] => {
      let end = 0
      return lengths.map((length) => (end += length))
    }
    const before = new Set(endsOf(whole))
    const after = endsOf(cut(longer, () => longer.length))
    const kept = after.filter((end) => before.has(end > 3_000_000 ? end - 7 : end))
    expect(kept.length).toBeGreaterThanOrEqual(whole.length - 4)
  })

  it('cuts zeros at the largest size', () => {
    const zeros = new Uint8Array(LARGEST_CHUNK * 2)
    expect(chunkLength(gear, zeros, 0, { end: zeros.length, isLast: true })).toBe(LARGEST_CHUNK)
    expect(chunkLength(gear, zeros, 0, { end: LARGEST_CHUNK - 1, isLast: false })).toBe(0)
  })
})
