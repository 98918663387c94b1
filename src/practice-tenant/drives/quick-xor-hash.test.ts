import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { QuickXorHash, quickXorHash } from './quick-xor-hash.ts'

const VECTORS: readonly (readonly [string, Uint8Array, string])[] = [
  ['nothing', Buffer.alloc(0), 'AAAAAAAAAAAAAAAAAAAAAAAAAAA='],
  ['one letter', Buffer.from('a'), 'YQAAAAAAAAAAAAAAAQAAAAAAAAA='],
  ['two words', Buffer.from('hello world'), 'aCgDG9jwBhDc4Q1yawMZAAAAAAA='],
  ['a sentence', Buffer.from('The quick brown fox jumps over the lazy dog'), 'bMSlbysmxJL6S75XwfMcQZOpcr4='],
  ['1000 letters', Buffer.alloc(1000, 'x'), 'RS960Yte9KIXvehFx3nR8573vOc='],
  [
    'every byte four times',
    Uint8Array.from({ length: 1024 }, (_, i) => i % 256),
    'h7xr2dbCayZCQYR9KKhlwDuT4UI=',
  ],
]

/** The definition, bit by bit. */
const slowHash = (data: Uint8Array): string => {
  const register = Buffer.alloc(20)
  data.forEach((byte, i) => {
    for (let bit = 0; bit < 8; bit += 1) {
      const at = (i * 11 + bit) % 160
      register[at >> 3]! ^= ((byte >> bit) & 1) << (at & 7)
    }
  })
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(data.length))
  for (let i = 0; i < 8; i += 1) register[12 + i]! ^= length[i]!
  return register.toString('base64')
}

describe('quickXorHash', () => {
  it.each(VECTORS)('gives the published value of %s', (_, data, hash) => {
    expect(quickXorHash(data)).toBe(hash)
  })

  it('gives what other programs check theirs with', () => {
    const path = new URL('../../../tests/data/quick-xor-hash.json', import.meta.url)
    const vectors = JSON.parse(readFileSync(path, 'utf8')) as { bytes: string; hash: string }[]
    expect(vectors.map(({ bytes }) => quickXorHash(Buffer.from(bytes, 'base64')))).toEqual(
      vectors.map(({ hash }) => hash),
    )
  })

  it('does not depend on how the bytes are cut or aligned', () => {
    const data = Uint8Array.from({ length: 100_003 }, (_, i) => (i * 7919) >> 3)
    const expected = slowHash(data)
    for (const step of [1, 3, 159, 160, 161, 4096, 65_537, data.length]) {
      const hash = new QuickXorHash()
      for (let at = 0; at < data.length; at += step) hash.update(data.subarray(at, at + step))
      expect(hash.digest()).toBe(expected)
    }
  })

  it('goes on from a copy without changing the first', () => {
    const first = new QuickXorHash().update(Buffer.from('hello '))
    const second = first.copy().update(Buffer.from('world'))
    expect(second.digest()).toBe('aCgDG9jwBhDc4Q1yawMZAAAAAAA=')
    expect(first.digest()).toBe(quickXorHash(Buffer.from('hello ')))
  })
})
