import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { QuickXorHash } from './quick-xor-hash.ts'

const hashOf = (...chunks: Uint8Array[]): string =>
  chunks.reduce((hash, chunk) => hash.update(chunk), new QuickXorHash()).digest()

describe('QuickXorHash', () => {
  it.each([
    ['', 'AAAAAAAAAAAAAAAAAAAAAAAAAAA='],
    ['a', 'YQAAAAAAAAAAAAAAAQAAAAAAAAA='],
    ['hello world', 'aCgDG9jwBhDc4Q1yawMZAAAAAAA='],
    ['The quick brown fox jumps over the lazy dog', 'bMSlbysmxJL6S75XwfMcQZOpcr4='],
    ['x'.repeat(1000), 'RS960Yte9KIXvehFx3nR8573vOc='],
  ])('agrees with the published value of %j', (text, expected) => {
    expect(hashOf(Buffer.from(text))).toBe(expected)
  })

  it('agrees with what other programs check theirs with', () => {
    const path = new URL('../../tests/data/quick-xor-hash.json', import.meta.url)
    const vectors = JSON.parse(readFileSync(path, 'utf8')) as { bytes: string; hash: string }[]
    const bytes = vectors.map((vector) => Buffer.from(vector.bytes, 'base64'))
    const expected = vectors.map(({ hash }) => hash)
    expect(bytes.map((each) => hashOf(each))).toEqual(expected)
    const byteByByte = (each: Buffer): string => hashOf(...Array.from(each, (byte) => Uint8Array.of(byte)))
    expect(bytes.map(byteByByte)).toEqual(expected)
  })

  it('agrees on every byte value', () => {
    expect(hashOf(Uint8Array.from({ length: 1024 }, (_, index) => index & 0xff))).toBe(
      'h7xr2dbCayZCQYR9KKhlwDuT4UI=',
    )
  })

  it('does not depend on how the bytes are cut or aligned', () => {
    const bytes = Uint8Array.from({ length: 100_003 }, (_, index) => (index * 31 + (index >> 7)) & 0xff)
    const whole = hashOf(bytes)
    for (const cuts of [[1], [159, 160, 161], [3, 7, 40_000], [99_999]]) {
      const edges = [0, ...cuts, bytes.length]
      const parts = edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge))
      expect(hashOf(...parts)).toBe(whole)
    }
    const shifted = new Uint8Array(bytes.length + 1)
    shifted.set(bytes, 1)
    expect(hashOf(shifted.subarray(1))).toBe(whole)
  })
})
