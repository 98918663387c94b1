import { expect, it } from 'vitest'
import { Type } from 'typebox'
import { contractOf, count, flag, listOf, moment, object, oneOf, secret, text } from './schema.ts'
import { schemaFor } from './schema-for.ts'
import type { Version } from './versions.ts'
import { writerFor } from './write-output.ts'

const Thing = object('Thing', {
  id: Type.String(),
  region: oneOf(['USgovDefence', 'China'], { values: { v6: { USgovDefence: 'USDefence' } } }),
  every: oneOf(['Hours8', 'Hours12'], { valueLifetimes: { Hours12: { since: 'v8' } } }),
  password: secret(),
  at: moment({ changes: { v7: { nullable: true } } }),
  size: count(),
  isSharePoint: flag({ names: { v6: 'isSharepoint' } }),
  newer: text({ since: 'v7' }),
  parts: listOf(object('Part', { name: text() })),
})

const write = (value: unknown, version: Version) =>
  writerFor(schemaFor(version, contractOf(Thing), 'output'))(value)

it('writes each version its own fields, names and words', () => {
  const value = { id: 'a', region: 'USgovDefence', isSharePoint: true, newer: 'n' }
  expect(write(value, 'v4')).toEqual({ id: 'a', region: 'USgovDefence', isSharePoint: true })
  expect(write(value, 'v6')).toEqual({ id: 'a', region: 'USDefence', isSharepoint: true })
  expect(write(value, 'v7')).toMatchObject({ newer: 'n', region: 'USDefence' })
})

it('never writes a secret, nor what no schema names', () => {
  const value = { id: 'a', password: 'canary', hidden: 'canary', parts: [{ name: 'n', hidden: 'canary' }] }
  expect(JSON.stringify(write(value, 'v8'))).not.toContain('canary')
})

it('leaves out what is not there, and says null only where the version has null', () => {
  expect(write({ id: 'a', at: undefined, size: null }, 'v6')).toEqual({ id: 'a' })
  expect(write({ id: 'a', at: undefined }, 'v7')).toEqual({ id: 'a', at: null })
})

it('leaves out a word that a client of the version does not know', () => {
  expect(write({ id: 'a', every: 'Hours12' }, 'v7')).not.toHaveProperty('every')
  expect(write({ id: 'a', every: 'Hours12' }, 'v8')).toHaveProperty('every', 'Hours12')
})

it('writes dates as ISO 8601 in UTC', () => {
  const at = new Date('2026-01-02T03:04:05.678Z')
  expect(write({ id: 'a', at }, 'v4')).toHaveProperty('at', '2026-01-02T03:04:05.678Z')
})
