import { chmod, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FixedClock, Secret } from '#base'
import { openDatabase } from '#database'
import { openSecret, sealSecret } from './envelope.ts'
import { rootKeyFrom, rootKeyOf } from './root-key.ts'
import { Secrets } from './secrets.ts'

const clock = new FixedClock('2026-03-01T10:00:00Z')
const rootKey = rootKeyFrom(new Secret(Buffer.alloc(32, 7).toString('base64')))
const place = { table: 'organizations', row: 'o1', field: 'password' }

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-secrets-'))
})
afterEach(() => rm(folder, { recursive: true }))

describe('an envelope', () => {
  it('opens with its root key at its place', () => {
    const envelope = sealSecret(rootKey, place, new Secret('pässword'))
    expect(openSecret(rootKey, place, envelope).reveal()).toBe('pässword')
  })

  it('is never the same twice', () => {
    const value = new Secret('x')
    expect(sealSecret(rootKey, place, value)).not.toBe(sealSecret(rootKey, place, value))
  })

  it.each([{ row: 'o2' }, { field: 'applicationSecret' }, { table: 'repositories' }])(
    'does not open at another place: %o',
    (change) => {
      const envelope = sealSecret(rootKey, place, new Secret('x'))
      expect(() => openSecret(rootKey, { ...place, ...change }, envelope)).toThrow('cannot be opened')
    },
  )

  it('does not open with another root key', () => {
    const other = new Secret(Buffer.alloc(32, 8).toString('base64'))
    expect(() => openSecret(other, place, sealSecret(rootKey, place, new Secret('x')))).toThrow(
      'cannot be opened',
    )
  })

  it('does not open when any byte was changed', () => {
    const [version, wrapped, sealed] = sealSecret(rootKey, place, new Secret('secret')).split('.') as [
      string,
      string,
      string,
    ]
    for (const part of [wrapped, sealed]) {
      const bytes = Buffer.from(part, 'base64')
      for (let at = 0; at < bytes.length; at += 1) {
        const changed = Buffer.from(bytes)
        changed[at]! ^= 1
        const text = changed.toString('base64')
        const envelope = [version, part === wrapped ? text : wrapped, part === sealed ? text : sealed].join(
          '.',
        )
        expect(() => openSecret(rootKey, place, envelope)).toThrow('cannot be opened')
      }
    }
  })
})

describe('the root key', () => {
  it('is made once, for its owner alone, and read again', async () => {
    const file = join(folder, 'keys', 'root.key')
    const first = await rootKeyOf(file, { mayMake: true })
    const second = await rootKeyOf(file, { mayMake: false })
    expect(first.equals(second)).toBe(true)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(await readdir(join(folder, 'keys'))).toEqual(['root.key'])
  })

  it('is the same for all that make it at once', async () => {
    const file = join(folder, 'root.key')
    const [first, ...others] = await Promise.all([1, 2, 3].map(() => rootKeyOf(file, { mayMake: true })))
    for (const other of others) expect(other.equals(first!)).toBe(true)
  })

  it('is not replaced when it is missing beside stored secrets', async () => {
    await expect(rootKeyOf(join(folder, 'gone.key'), { mayMake: false })).rejects.toMatchObject({
      code: 'corrupt',
    })
  })

  it('is refused when others can read it', async () => {
    const file = join(folder, 'root.key')
    await rootKeyOf(file, { mayMake: true })
    await chmod(file, 0o644)
    await expect(rootKeyOf(file, { mayMake: true })).rejects.toMatchObject({ code: 'denied' })
  })

  it('of another length is refused', () => {
    expect(() => rootKeyFrom(new Secret('c2hvcnQ='))).toThrow('32 bytes')
  })
})

describe('stored secrets', () => {
  it('come back, are replaced and removed', async () => {
    await using database = await openDatabase(':memory:', clock)
    const secrets = new Secrets({ rootKey, clock })
    await secrets.put(database.queries, place, new Secret('one'))
    await secrets.put(database.queries, place, new Secret('two'))
    expect((await secrets.find(database.queries, place))?.reveal()).toBe('two')
    await secrets.removeOf(database.queries, 'organizations', 'o1')
    expect(await secrets.find(database.queries, place)).toBeUndefined()
  })

  it('are nowhere in the clear in the files of the database', async () => {
    const canary = 'canary-7f31c0de-password'
    await using database = await openDatabase(join(folder, 'holdfast.db'), clock)
    const secrets = new Secrets({ rootKey, clock })
    await secrets.put(database.queries, place, new Secret(canary))
    await secrets.put(database.queries, place, new Secret(`${canary}-changed`))
    const files = await readdir(folder)
    expect(files).toContain('holdfast.db-wal')
    for (const file of files) {
      const bytes = await readFile(join(folder, file))
      for (const encoding of ['utf8', 'base64', 'hex'] as const)
        expect(bytes.includes(Buffer.from(canary).toString(encoding).replace(/=+$/, '').slice(0, 24))).toBe(
          false,
        )
    }
  })
})
