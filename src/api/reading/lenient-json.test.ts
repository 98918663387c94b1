import { describe, expect, it } from 'vitest'
import { plainValue } from './body-node.ts'
import { parseLenientJson } from './lenient-json.ts'

const read = (source: string) => plainValue(parseLenientJson(source))

describe('reads what real programs send', () => {
  it.each([
    ['{"a":1,"b":[true,null,"x"],}', { a: 1, b: [true, null, 'x'] }],
    ['[{"Id":"a"}, ]', [{ Id: 'a' }]],
    ['{"targetApplicationId":"x",}', { targetApplicationId: 'x' }],
    ['{"start": null}', { start: null }],
    ['{"a": True, "b": False, "c": None}', { a: true, b: false, c: null }],
    ['\uFEFF {"a":"\\u00fc\\n"} ', { a: 'ü\n' }],
    ['-1.5e3', -1500],
    ['""', ''],
  ])('%s', (source, value) => {
    expect(read(source)).toEqual(value)
  })
})

describe('refuses what is no JSON', () => {
  it.each([
    '{',
    '{"a"}',
    '{"a":}',
    '{"a":1 "b":2}',
    '[1 2]',
    '{"a":1} x',
    '{a:1}',
    '"open',
    '"\\x"',
    '"\u0001"',
    'undefined',
    ',',
    '{,}',
    '1e999',
    '01x',
  ])('%s', (source) => {
    expect(() => parseLenientJson(source)).toThrow('not JSON')
  })
})

it('refuses 100,000 nested lists at once instead of running out of stack', () => {
  expect(() => parseLenientJson('['.repeat(100_000))).toThrow('nested deeper than 32')
})

it('refuses more than 10,000 values', () => {
  expect(() => parseLenientJson(`[${'1,'.repeat(10_001)}]`)).toThrow('more than 10000 values')
})

it('reads a text of 7 million characters', () => {
  expect(read(`{"c":"${'A'.repeat(7_000_000)}"}`)).toEqual({ c: 'A'.repeat(7_000_000) })
})

it('does not let __proto__ become the prototype of anything', () => {
  const value = read('{"__proto__":{"isAdmin":true},"a":1}') as Record<string, unknown>
  expect(value).toEqual({ a: 1 })
  expect(value['isAdmin']).toBeUndefined()
})
