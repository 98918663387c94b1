import { describe, expect, it } from 'vitest'
import { Type } from 'typebox'
import { parseForm } from '../reading/form.ts'
import { parseLenientJson } from '../reading/lenient-json.ts'
import { readerFor } from './read-input.ts'
import {
  contractOf,
  flag,
  integer,
  listOf,
  moment,
  needed,
  object,
  oneOf,
  part,
  secret,
  text,
  uuid,
} from './schema.ts'
import { schemaFor } from './schema-for.ts'
import type { Version } from './versions.ts'

const Settings = object('Settings', { account: text(), password: secret(), useMfa: flag() })
const Thing = object('Thing', {
  id: uuid({ readOnly: true }),
  kind: needed(oneOf(['Small', 'Large'])),
  region: oneOf(['USgovDefence', 'China'], { values: { v6: { USgovDefence: 'USDefence' } } }),
  size: integer({ minimum: 0, maximum: 10 }),
  at: moment(),
  owner: uuid(),
  tags: listOf(Type.String()),
  settings: part(Settings),
  isSharePoint: flag({ names: { v6: 'isSharepoint' } }),
  newer: text({ since: 'v7' }),
  older: text({ until: 'v6' }),
})

const read = (source: string, version: Version = 'v4') =>
  readerFor(schemaFor(version, contractOf(Thing), 'input'))(parseLenientJson(source), '')

describe('understands', () => {
  it.each([
    [
      'names in any letter case',
      '{"KIND":"small","Settings":{"ACCOUNT":"a"}}',
      { kind: 'Small', settings: { account: 'a' } },
    ],
    [
      'words of other versions',
      '{"kind":"large","region":"usdefence"}',
      { kind: 'Large', region: 'USgovDefence' },
    ],
    [
      'numbers and booleans as text',
      '{"kind":"small","size":"7","settings":{"useMfa":"True"}}',
      { kind: 'Small', size: 7, settings: { useMfa: true } },
    ],
    [
      'dates as programs write them',
      '{"kind":"small","at":"2026.01.02 15:04"}',
      { kind: 'Small', at: '2026-01-02T15:04:00.000Z' },
    ],
    ['null as absent', '{"kind":"small","size":null,"settings":null}', { kind: 'Small' }],
    ['an empty text as no number', '{"kind":"small","size":""}', { kind: 'Small' }],
    ['the last of two names', '{"kind":"small","size":1,"SIZE":2}', { kind: 'Small', size: 2 }],
  ])('%s', (_claim, source, value) => {
    expect(read(source)).toEqual(value)
  })
})

it('drops what the version does not know and what only the server sets', () => {
  const body = '{"kind":"small","id":"x","newer":"n","older":"o","isAdmin":true,"__proto__":{"a":1}}'
  expect(read(body, 'v4')).toEqual({ kind: 'Small', older: 'o' })
  expect(read(body, 'v7')).toEqual({ kind: 'Small', newer: 'n' })
})

describe('refuses, and names the property as the caller knows it', () => {
  it.each([
    ['{}', 'kind is missing'],
    ['{"kind":"constructor"}', 'kind must be one of Small, Large'],
    ['{"kind":"__proto__"}', 'kind must be one of'],
    ['{"kind":"small "}', 'kind must be one of'],
    ['{"kind":["small"]}', 'kind must be one of'],
    ['{"kind":"small","size":"seven"}', 'size must be a number'],
    ['{"kind":"small","size":1.5}', 'size must be a whole number'],
    ['{"kind":"small","size":11}', 'size must be at most 10'],
    ['{"kind":"small","size":-1}', 'size must be at least 0'],
    ['{"kind":"small","at":"soon"}', 'at must be a date'],
    ['{"kind":"small","owner":"{11111111-1111-4111-8111-111111111111}"}', 'owner must be a GUID'],
    ['{"kind":"small","settings":[]}', 'settings must be an object'],
    ['{"kind":"small","settings":{"useMfa":1}}', 'settings.useMfa must be true or false'],
    ['{"kind":"small","settings":{"account":"a\\u0000b"}}', 'settings.account holds characters'],
    ['{"kind":"small","settings":{"account":"\\ud800"}}', 'settings.account holds characters'],
    ['{"kind":"small","tags":{"a":1}}', 'tags must be a list'],
    ['{"kind":"small","settings":{"password":"a","Password":"b"}}', 'settings.password is given twice'],
  ])('%s', (source, message) => {
    expect(() => read(source)).toThrow(message)
  })
})

it('takes the same secret twice', () => {
  expect(read('{"kind":"small","settings":{"password":"a","Password":"a"}}')).toEqual({
    kind: 'Small',
    settings: { password: 'a' },
  })
})

it('never repeats a value in a refusal', () => {
  expect(() => read('{"kind":"canary"}')).not.toThrow('canary')
})

it('reads a form with nested names in brackets, with dots, or as JSON text', () => {
  const reader = readerFor(schemaFor('v4', contractOf(Thing), 'input'))
  const expected = { kind: 'Small', settings: { account: 'a', useMfa: true } }
  expect(reader(parseForm('kind=small&settings[account]=a&settings[useMfa]=true'), '')).toEqual(expected)
  expect(reader(parseForm('kind=small&settings.account=a&settings.useMfa=true'), '')).toEqual(expected)
  const json = encodeURIComponent('{"account":"a","useMfa":"true"}')
  expect(reader(parseForm(`kind=small&settings=${json}`), '')).toEqual(expected)
})

it('follows the spelling of the version in its messages', () => {
  expect(() => read('{"kind":"small","isSharePoint":"x"}', 'v6')).toThrow('isSharepoint must be')
})
