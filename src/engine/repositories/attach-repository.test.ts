import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { FixedClock, isHoldfastError, Secret, seededRandom, silentLogger } from '#base'
import { openDatabase, type Database } from '#database'
import { localStorage } from '#storage'
import { Audit } from '../access/audit.ts'
import type { Principal } from '../access/principal.ts'
import { EncryptionKeys } from '../encryption-keys/encryption-keys.ts'
import { rootKeyFrom } from '../secrets/root-key.ts'
import { Secrets } from '../secrets/secrets.ts'
import { BackupRepositories } from './backup-repositories.ts'

const administrator: Principal = { kind: 'administrator', userId: 'u', name: 'administrator' }
const contoso = { id: '0c0ffee0-1111-4222-8333-444444444444', name: 'contoso.example' }
const fabrikam = { id: '1c0ffee0-1111-4222-8333-444444444444', name: 'fabrikam.example' }
const CHOSEN = 'what the administrator chose'

interface Installation extends AsyncDisposable {
  readonly repositories: BackupRepositories
  readonly keyId: string
}

let folder: string
let seed = 0
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-attach-'))
})
afterEach(() => rm(folder, { recursive: true }))

/** A server with a database and a root key of its own. */
const install = async (): Promise<Installation> => {
  seed += 1
  const clock = new FixedClock('2026-03-01T10:00:00Z')
  const random = seededRandom(seed)
  const database: Database = await openDatabase(':memory:', clock)
  const rootKey = rootKeyFrom(new Secret(Buffer.alloc(32, seed).toString('base64')))
  const parts = {
    database,
    secrets: new Secrets({ rootKey, clock }),
    audit: new Audit({ database, clock, rootKey }),
    clock,
    random,
  }
  const encryptionKeys = new EncryptionKeys(parts)
  const repositories = new BackupRepositories({
    ...parts,
    encryptionKeys,
    log: silentLogger,
    openStorage: (path) => localStorage(path),
    reserved: [],
    scrypt: { N: 1024, r: 1, p: 1 },
  })
  const { id: keyId } = await encryptionKeys.add(administrator, { password: CHOSEN })
  return {
    repositories,
    keyId,
    [Symbol.asyncDispose]: async () => {
      await repositories[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
    },
  }
}

const place = () => join(folder, 'data')

/** Two organizations of two shards each; gives their passwords, and the ids of the shards. */
const backedUp = async (encrypted = false) => {
  await using first = await install()
  const { id } = await first.repositories.add(administrator, {
    name: 'Old',
    path: place(),
    ...(encrypted ? { encryptionKeyId: first.keyId, objectStorageEncryptionEnabled: true } : {}),
  })
  const ids: string[] = []
  for (const owner of [contoso, fabrikam]) {
    const shards = await first.repositories.shards(id, owner, { expectedObjects: 2_001 })
    for (const index of [0, 1]) ids.push((await shards.open(index)).id)
  }
  const kit = await first.repositories.recoveryKit(id)
  const passwordOf = (owner: typeof contoso) =>
    kit.shards.find(({ organizationId }) => organizationId === owner.id)!.password.reveal()
  return { id, ids, passwordOf }
}

const shardIds = async ({ repositories }: Installation, id: string): Promise<string[]> => {
  const found: string[] = []
  for (const owner of [contoso, fabrikam])
    for (const { repository } of await (await repositories.shards(id, owner)).existing())
      found.push(repository.id)
  return found
}

const keyFiles = async (): Promise<number> =>
  (await readdir(place(), { recursive: true })).filter((name) => /\/keys\/./.test(name)).length

const refusal = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: unknown) => {
      if (!isHoldfastError(error)) throw error
      return `${error.code}: ${error.message}`
    },
  )

it('takes up all organizations with the passwords of the kit, under a key of its own', async () => {
  const { id, ids, passwordOf } = await backedUp()
  await using second = await install()
  const attached = await second.repositories.attach(administrator, {
    path: place(),
    passwords: [
      { organization: contoso.name, password: passwordOf(contoso) },
      { organization: fabrikam.id, password: passwordOf(fabrikam) },
    ],
  })
  expect(attached.repository).toMatchObject({ id, name: 'Old', isOutOfOrder: false })
  expect(attached.organizations).toMatchObject([
    { organizationId: contoso.id, name: contoso.name, shards: 2, isAttached: true },
    { organizationId: fabrikam.id, isAttached: true },
  ])
  expect(await shardIds(second, id)).toEqual(ids)
  const kit = await second.repositories.recoveryKit(id)
  expect(kit.shards).toHaveLength(4)
  expect(kit.shards[0]!.password.reveal()).not.toBe(passwordOf(contoso))
  expect(await keyFiles()).toBe(8)
})

it('changes nothing for a wrong password, and says where it is wrong', async () => {
  const { id, passwordOf } = await backedUp()
  await using second = await install()
  const attach = (passwords: { organization?: string; password: string }[]) =>
    refusal(second.repositories.attach(administrator, { path: place(), passwords }))
  expect(await attach([])).toContain('a password is needed for contoso.example~0c0ffee0, fabrikam')
  expect(await attach([{ password: 'something else' }])).toContain('the password does not open contoso')
  const mixed = await attach([
    { password: passwordOf(contoso) },
    { organization: fabrikam.name, password: passwordOf(contoso) },
  ])
  expect(mixed).toBe('invalid: the password does not open fabrikam.example~1c0ffee0')
  expect(await attach([{ organization: 'nobody', password: 'x' }])).toContain('no organization nobody')
  expect(await keyFiles()).toBe(4)
  expect((await second.repositories.list(administrator)).totalCount).toBe(0)
  expect(await refusal(second.repositories.get(administrator, id))).toContain('not-found')
})

it('takes up those alone that a password is given for, and the others later', async () => {
  const { id, ids, passwordOf } = await backedUp()
  await using second = await install()
  const { organizations } = await second.repositories.attach(administrator, {
    name: 'New',
    path: place(),
    passwords: [{ password: passwordOf(fabrikam) }],
  })
  expect(organizations.map(({ isAttached }) => isAttached)).toEqual([false, true])
  const backup = second.repositories.shards(id, contoso, { expectedObjects: 1 })
  expect(await refusal(backup)).toContain('attach it first')
  await second.repositories.attachOrganizations(administrator, id, {
    passwords: [{ organization: contoso.id, password: passwordOf(contoso) }],
  })
  expect(await shardIds(second, id)).toEqual(ids)
})

it("takes up everything with an administrator's own password, and adds no second key for it", async () => {
  const { id, ids } = await backedUp(true)
  await using second = await install()
  await second.repositories.attach(administrator, { path: place(), encryptionKeyId: second.keyId })
  expect(await shardIds(second, id)).toEqual(ids)
  expect(await keyFiles()).toBe(12)
})

it('refuses a place that holds none, and one that is here already', async () => {
  const { passwordOf } = await backedUp()
  await using second = await install()
  const passwords = [{ organization: contoso.id, password: passwordOf(contoso) }]
  const nothing = { path: join(folder, 'nothing'), passwords }
  expect(await refusal(second.repositories.attach(administrator, nothing))).toContain(
    'no repository of Holdfast',
  )
  await second.repositories.attach(administrator, { path: place(), passwords })
  expect(await refusal(second.repositories.attach(administrator, { path: place(), passwords }))).toContain(
    'inside another repository',
  )
  expect(await refusal(second.repositories.add(administrator, { name: 'x', path: place() }))).not.toBe('done')
})
