import { cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FixedClock, Secret, seededRandom, silentLogger } from '#base'
import { openDatabase, type Database } from '#database'
import { openRepository } from '#repository'
import { faulty, localStorage, type Storage } from '#storage'
import { Audit } from '../access/audit.ts'
import type { Principal } from '../access/principal.ts'
import { EncryptionKeys } from '../encryption-keys/encryption-keys.ts'
import { rootKeyFrom } from '../secrets/root-key.ts'
import { Secrets } from '../secrets/secrets.ts'
import { BackupRepositories } from './backup-repositories.ts'

const administrator: Principal = { kind: 'administrator', userId: 'u', name: 'administrator' }
const contoso = { id: '0c0ffee0-1111-4222-8333-444444444444', name: 'contoso.example' }
const CHOSEN = 'what the administrator chose'
const scrypt = { N: 256, r: 1, p: 1 }

let folder: string
let clock: FixedClock
let database: Database
let encryptionKeys: EncryptionKeys
const random = seededRandom(5)

/** A server that has just started. */
const start = (through: (storage: Storage) => Storage = (storage) => storage): BackupRepositories => {
  const rootKey = rootKeyFrom(new Secret(Buffer.alloc(32, 7).toString('base64')))
  const parts = {
    ...{ database, clock, random },
    secrets: new Secrets({ rootKey, clock }),
    audit: new Audit({ database, clock, rootKey }),
  }
  encryptionKeys = new EncryptionKeys(parts)
  return new BackupRepositories({
    ...parts,
    ...{ encryptionKeys, scrypt },
    log: silentLogger,
    openStorage: (path) => through(localStorage(path)),
    reserved: [],
  })
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-rotate-'))
  clock = new FixedClock('2026-03-01T10:00:00Z')
  database = await openDatabase(':memory:', clock)
})
afterEach(async () => {
  await database[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

const place = () => join(folder, 'data')

const made = async (shardCount: number, input: object = {}): Promise<string> => {
  await using first = start()
  const { id } = await first.add(administrator, { name: 'Main', path: place(), ...input })
  const shards = await first.shards(id, contoso, { shardCount })
  for (let index = 0; index < shardCount; index += 1) await shards.open(index)
  return id
}

/** The shards by path, and the one password that opens them. */
const kitOf = async (repositories: BackupRepositories, id: string) => {
  const { shards } = await repositories.recoveryKit(id)
  expect(new Set(shards.map(({ password }) => password.reveal())).size).toBe(1)
  return { paths: shards.map(({ path }) => path), password: shards[0]!.password.reveal() }
}

const opens = async (path: string, password: string): Promise<boolean> => {
  try {
    await using _repository = await openRepository(localStorage(path), {
      ...{ password, clock, random, scrypt },
      log: silentLogger,
    })
    return true
  } catch {
    return false
  }
}
const openedBy = (paths: readonly string[], password: string): Promise<boolean[]> =>
  Promise.all(paths.map((path) => opens(path, password)))
const keyFiles = async (): Promise<number> =>
  (await readdir(place(), { recursive: true })).filter((name) => /\/keys\/./.test(name)).length

const allOf = (storage: Storage): Storage => ({
  name: storage.name,
  write: (path, parts, signal) => storage.write(path, parts, signal),
  read: (path, range, signal, into) => storage.read(path, range, signal, into),
  stat: (path, signal) => storage.stat(path, signal),
  list: (path, signal) => storage.list(path, signal),
  remove: (path, signal) => storage.remove(path, signal),
  space: (signal) => storage.space(signal),
  [Symbol.asyncDispose]: () => storage[Symbol.asyncDispose](),
})

describe('new passwords of a repository', () => {
  it('open every shard, where the old one opens none; an own password goes on', async () => {
    await using first = start()
    const { id: encryptionKeyId } = await encryptionKeys.add(administrator, { password: CHOSEN })
    const id = await made(2, { encryptionKeyId, objectStorageEncryptionEnabled: true })
    const before = await kitOf(first, id)
    expect(await first.rotatePasswords(administrator, id)).toEqual({
      repositoryId: id,
      repositoryName: 'Main',
      organizations: [
        { organizationId: contoso.id, name: contoso.name, shards: 2, shardsWithEarlierPassword: 0 },
      ],
    })
    const after = await kitOf(first, id)
    expect(after.paths).toEqual(before.paths)
    expect(await openedBy(after.paths, before.password)).toEqual([false, false])
    expect(await openedBy(after.paths, after.password)).toEqual([true, true])
    expect(await openedBy(after.paths, CHOSEN)).toEqual([true, true])
    expect(await keyFiles()).toBe(4)
  })

  it('are had by shards that are open, and by those made later', async () => {
    await using server = start()
    const { id } = await server.add(administrator, { name: 'Main', path: place() })
    const shards = await server.shards(id, contoso, { shardCount: 2 })
    const open = await shards.open(0)
    await server.rotatePasswords(administrator, id)
    expect(await shards.open(0)).toBe(open)
    await shards.open(1)
    const { paths, password } = await kitOf(server, id)
    expect(await openedBy(paths, password)).toEqual([true, true])
    expect(await keyFiles()).toBe(2)
  })

  it('are had by a shard that is made meanwhile', async () => {
    let making: Promise<unknown> | undefined
    await using server = start((storage) => ({
      ...allOf(storage),
      list: (path, signal) => {
        if (path.endsWith('s00/keys')) making ??= shards.open(1)
        return storage.list(path, signal)
      },
    }))
    const { id } = await server.add(administrator, { name: 'Main', path: place() })
    const shards = await server.shards(id, contoso, { shardCount: 2 })
    await shards.open(0)
    making = undefined
    await server.rotatePasswords(administrator, id)
    await making
    const { paths, password } = await kitOf(server, id)
    expect(await openedBy(paths, password)).toEqual([true, true])
  })

  it.each([
    [1, 1],
    [2, 5],
  ])('open %i shards when any call fails, and a restart finishes what was cut off', async (shards, step) => {
    const id = await made(shards)
    const all = (opens: boolean) => Array.from({ length: shards }, () => opens)
    let isHit = true
    let stopped = 0
    for (let call = 1; isHit; call += step) {
      expect(call).toBeLessThan(200)
      isHit = false
      await using before = start()
      const old = await kitOf(before, id)
      const onFault = () => {
        isHit = true
      }
      const moment = call % 2 === 0 ? 'before' : 'after'
      await using server = start((storage) => faulty(storage, { call, moment, onFault }))
      const left = await server.rotatePasswords(administrator, id).catch(() => undefined)
      await using again = start()
      const between = await kitOf(again, id)
      expect(await openedBy(between.paths, between.password)).toEqual(all(true))
      if (left?.organizations[0]?.shardsWithEarlierPassword !== 0) stopped += 1
      await again.begin()
      const after = await kitOf(again, id)
      expect(await openedBy(after.paths, after.password)).toEqual(all(true))
      const isChanged = after.password !== old.password
      expect(await openedBy(after.paths, old.password)).toEqual(all(!isChanged))
      expect(await keyFiles()).toBe(shards)
      if (!isHit) expect(isChanged).toBe(true)
    }
    expect(stopped).toBeGreaterThan(3)
  })

  it('are renewed in a place that was brought back to an earlier moment', async () => {
    const id = await made(1)
    const saved = join(folder, 'saved')
    await cp(place(), saved, { recursive: true })
    await using server = start()
    const old = await kitOf(server, id)
    await server.rotatePasswords(administrator, id)
    await rm(place(), { recursive: true })
    await cp(saved, place(), { recursive: true })
    await using again = start()
    expect(await (await again.shards(id, contoso)).existing()).toHaveLength(1)
    const { paths, password } = await kitOf(again, id)
    expect([await opens(paths[0]!, password), await opens(paths[0]!, old.password)]).toEqual([true, false])
  })

  it('are tried again where the old ones cannot be removed yet', async () => {
    const id = await made(1)
    await using server = start((storage) => ({
      ...allOf(storage),
      remove: async (path, signal) => {
        if (path.includes('/keys/')) throw new Error('kept until its date')
        await storage.remove(path, signal)
      },
    }))
    const old = await kitOf(server, id)
    const { organizations } = await server.rotatePasswords(administrator, id)
    expect(organizations).toMatchObject([{ shards: 1, shardsWithEarlierPassword: 1 }])
    const { paths, password } = await kitOf(server, id)
    expect([await opens(paths[0]!, password), await opens(paths[0]!, old.password)]).toEqual([true, true])
    await using later = start()
    await later.begin()
    expect([await opens(paths[0]!, password), await opens(paths[0]!, old.password)]).toEqual([true, false])
  })

  it('are not changed twice at a time, nor by anybody but an administrator', async () => {
    const id = await made(1)
    await using server = start()
    const both = await Promise.allSettled([
      server.rotatePasswords(administrator, id),
      server.rotatePasswords(administrator, id),
    ])
    const reasons = both.map((each) => (each.status === 'rejected' ? (each.reason as Error).message : 'done'))
    expect(reasons.sort()).toEqual(['done', 'the passwords of Main are being changed already'])
    const tenant: Principal = { kind: 'organization', name: 't', organizationId: contoso.id }
    await expect(server.rotatePasswords(tenant, id)).rejects.toMatchObject({ code: 'denied' })
  })
})

describe('another password of an encryption key', () => {
  const NEXT = 'what the administrator chose later'
  const withKey = async (shards: number): Promise<{ readonly id: string; readonly keyId: string }> => {
    await using _server = start()
    const { id: keyId } = await encryptionKeys.add(administrator, { password: CHOSEN })
    const encrypted = { encryptionKeyId: keyId, objectStorageEncryptionEnabled: true }
    return { id: await made(shards, encrypted), keyId }
  }
  const change = async (server: BackupRepositories, keyId: string, password: string) => {
    await encryptionKeys.changePassword(administrator, keyId, { password })
    return server.renewEncryptionKey(administrator, keyId)
  }

  it('opens every shard, where the earlier one opens none; the own password of shards goes on', async () => {
    const { id, keyId } = await withKey(2)
    await using server = start()
    const { paths, password } = await kitOf(server, id)
    expect(await change(server, keyId, NEXT)).toEqual([
      { repositoryId: id, name: 'Main', shards: 2, shardsWithEarlierPassword: 0 },
    ])
    expect(await openedBy(paths, NEXT)).toEqual([true, true])
    expect(await openedBy(paths, CHOSEN)).toEqual([false, false])
    expect(await openedBy(paths, password)).toEqual([true, true])
    expect(await keyFiles()).toBe(4)
    const wrong = { password: NEXT, oldPassword: CHOSEN }
    await expect(encryptionKeys.changePassword(administrator, keyId, wrong)).rejects.toThrow('oldPassword')
  })

  it('is finished when the repository is opened next, whichever call failed', async () => {
    const { id, keyId } = await withKey(1)
    let [isHit, earlier] = [true, CHOSEN]
    for (let call = 1; isHit; call += 3) {
      expect(call).toBeLessThan(100)
      isHit = false
      const onFault = () => {
        isHit = true
      }
      const moment = call % 2 === 0 ? 'before' : 'after'
      const next = earlier === CHOSEN ? NEXT : CHOSEN
      {
        await using server = start((storage) => faulty(storage, { call, moment, onFault }))
        await change(server, keyId, next)
      }
      await using again = start()
      await (await again.shards(id, contoso)).existing()
      const { paths } = await kitOf(again, id)
      expect([await opens(paths[0]!, next), await opens(paths[0]!, earlier)]).toEqual([true, false])
      expect(await keyFiles()).toBeGreaterThanOrEqual(2)
      earlier = next
    }
  })

  it('leaves the earlier one where nothing can be removed yet, and takes it away later', async () => {
    const { id, keyId } = await withKey(1)
    await using server = start((storage) => ({
      ...allOf(storage),
      remove: async (path, signal) => {
        if (path.includes('/keys/')) throw new Error('kept until its date')
        await storage.remove(path, signal)
      },
    }))
    expect(await change(server, keyId, NEXT)).toMatchObject([{ shards: 1, shardsWithEarlierPassword: 1 }])
    const { paths } = await kitOf(server, id)
    expect([await opens(paths[0]!, NEXT), await opens(paths[0]!, CHOSEN)]).toEqual([true, true])
    await using later = start()
    await (await later.shards(id, contoso)).existing()
    expect([await opens(paths[0]!, NEXT), await opens(paths[0]!, CHOSEN)]).toEqual([true, false])
  })
})
