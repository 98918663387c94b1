import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FixedClock, Secret } from '#base'
import { auditRows, holdAlone, openDatabase } from '#database'
import { Audit, rootKeyFrom, rootKeyOf, sealAnew, Secrets, systemPrincipal } from '#engine'
import { openDataFolder } from '../data-folder.ts'
import { rootKeyFor, rotateRootKey } from '../root-key.ts'

const clock = new FixedClock('2026-03-01T10:00:00Z')
const place = (row: string) => ({ table: 'repositories', row, field: 'password' })
const keyOf = (byte: number): Secret => rootKeyFrom(new Secret(Buffer.alloc(32, byte).toString('base64')))

let path: string
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'holdfast-root-key-'))
})
afterEach(() => rm(path, { recursive: true }))

/** A data folder with secrets and an audit. */
const used = async (key?: Secret): Promise<Secret> => {
  const folder = await openDataFolder(path)
  await using database = await openDatabase(folder.database, clock)
  const rootKey = key ?? (await rootKeyOf(folder.rootKey, { mayMake: true }))
  const secrets = new Secrets({ rootKey, clock })
  for (const row of ['a', 'b'])
    await secrets.put(database.queries, place(row), new Secret(`secret of ${row}`))
  const audit = new Audit({ database, clock, rootKey })
  for (const action of ['one', 'two', 'three'])
    await audit.record({ actor: systemPrincipal, action, object: '', result: 'done' })
  return rootKey
}

/** What a key opens: secrets, and the first row of the audit that does not fit it. */
const openedBy = async (rootKey: Secret) => {
  const folder = await openDataFolder(path)
  await using database = await openDatabase(folder.database, clock)
  const secrets = new Secrets({ rootKey, clock })
  const found = async (row: string) =>
    (await secrets.find(database.queries, place(row)).catch(() => undefined))?.reveal()
  const firstBroken = await new Audit({ database, clock, rootKey }).firstBroken()
  return { secrets: [await found('a'), await found('b')], firstBroken }
}
const ALL = { secrets: ['secret of a', 'secret of b'], firstBroken: undefined }
const NOTHING = { secrets: [undefined, undefined], firstBroken: 1 }

const inForce = async (): Promise<Secret> => {
  const folder = await openDataFolder(path)
  await using database = await openDatabase(folder.database, clock)
  return await rootKeyFor({}, folder, database)
}

describe('a new root key', () => {
  it('opens every secret and the audit, which the old one does not', async () => {
    const old = await used()
    expect(await rotateRootKey({ dataFolder: path }, { clock })).toEqual({ secrets: 2, auditRows: 3 })
    const now = await inForce()
    expect(now.equals(old)).toBe(false)
    expect(await openedBy(now)).toEqual(ALL)
    expect(await openedBy(old)).toEqual(NOTHING)
    expect((await stat(join(path, 'root.key'))).mode & 0o777).toBe(0o600)
    const file = await readFile(join(path, 'holdfast.sqlite'))
    expect(file.includes(Buffer.from(old.reveal()))).toBe(false)
  })

  it('is given up where it was cut off before everything was sealed with it', async () => {
    const old = await used()
    await writeFile(join(path, 'root.key.next'), `${keyOf(9).reveal()}\n`, { mode: 0o600 })
    expect((await inForce()).equals(old)).toBe(true)
    await expect(stat(join(path, 'root.key.next'))).rejects.toThrow('ENOENT')
    expect(await openedBy(old)).toEqual(ALL)
  })

  it('is in force where it was cut off after everything was sealed with it', async () => {
    const [old, to] = [await used(), keyOf(9)]
    await writeFile(join(path, 'root.key.next'), `${to.reveal()}\n`, { mode: 0o600 })
    {
      await using database = await openDatabase(join(path, 'holdfast.sqlite'), clock)
      await sealAnew(database, { from: old, to, clock })
    }
    expect((await inForce()).equals(to)).toBe(true)
    expect((await readFile(join(path, 'root.key'), 'utf8')).trim()).toBe(to.reveal())
    expect(await openedBy(to)).toEqual(ALL)
  })

  it('changes nothing where one secret does not open', async () => {
    const old = await used()
    {
      await using database = await openDatabase(join(path, 'holdfast.sqlite'), clock)
      await new Secrets({ rootKey: keyOf(8), clock }).put(database.queries, place('c'), new Secret('c'))
    }
    await expect(rotateRootKey({ dataFolder: path }, { clock })).rejects.toMatchObject({ code: 'corrupt' })
    expect((await inForce()).equals(old)).toBe(true)
    expect(await openedBy(old)).toEqual(ALL)
  })

  it('hides no row of the audit that somebody changed', async () => {
    const old = await used()
    {
      await using database = await openDatabase(join(path, 'holdfast.sqlite'), clock)
      await auditRows.putHash(database.queries, 2, 'f'.repeat(64))
    }
    expect((await openedBy(old)).firstBroken).toBe(2)
    await rotateRootKey({ dataFolder: path }, { clock })
    expect((await openedBy(await inForce())).firstBroken).toBe(2)
  })

  it('of the environment is given, and tells when it is in force already', async () => {
    const [old, to] = [await used(keyOf(7)), keyOf(9)]
    const options = { dataFolder: path, rootKey: old }
    await expect(rotateRootKey(options, { clock })).rejects.toThrow('--new-key-file')
    await expect(rotateRootKey(options, { clock, newKey: old })).rejects.toThrow(
      'is the one that is in force',
    )
    await rotateRootKey(options, { clock, newKey: to })
    expect(await openedBy(to)).toEqual(ALL)
    await expect(rotateRootKey(options, { clock, newKey: to })).rejects.toThrow('in force already')
  })

  it('is refused while a server runs', async () => {
    await used()
    using _server = holdAlone(join(path, 'server.lock'))
    await expect(rotateRootKey({ dataFolder: path }, { clock })).rejects.toMatchObject({ code: 'conflict' })
  })
})
