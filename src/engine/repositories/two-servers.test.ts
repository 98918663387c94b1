import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { FixedClock, Secret, seededRandom, silentLogger } from '#base'
import { openDatabase } from '#database'
import { localStorage } from '#storage'
import { Audit } from '../access/audit.ts'
import type { Principal } from '../access/principal.ts'
import { rootKeyFrom } from '../secrets/root-key.ts'
import { Secrets } from '../secrets/secrets.ts'
import { BackupRepositories } from './backup-repositories.ts'
import { RENEW_MS } from './owner-lease.ts'

const administrator: Principal = { kind: 'administrator', userId: 'u', name: 'administrator' }
const contoso = { id: '0c0ffee0-1111-4222-8333-444444444444', name: 'contoso.example' }
const once = { expectedObjects: 1 }

let folder: string
let seed = 0
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-owners-'))
})
afterEach(() => rm(folder, { recursive: true }))

/** A server with a database of its own, whose process cannot be seen by the others. */
const install = async (server: string) => {
  seed += 1
  const clock = new FixedClock('2026-03-01T10:00:00Z')
  const random = seededRandom(seed)
  const database = await openDatabase(':memory:', clock)
  const rootKey = rootKeyFrom(new Secret(Buffer.alloc(32, seed).toString('base64')))
  const repositories = new BackupRepositories({
    ...{ database, clock, random, log: silentLogger },
    secrets: new Secrets({ rootKey, clock }),
    audit: new Audit({ database, clock, rootKey }),
    owner: { server, name: `host-of-${server}`, instance: random.uuid(), pid: 1 },
    openStorage: (path) => localStorage(path),
    reserved: [],
    scrypt: { N: 1024, r: 1, p: 1 },
  })
  return {
    repositories,
    clock,
    [Symbol.asyncDispose]: async () => {
      await repositories[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
    },
  }
}

type Server = Awaited<ReturnType<typeof install>>

const place = () => join(folder, 'data')

/** A server with a repository, and what opens it. */
const backedUp = async (first: Server) => {
  const { id } = await first.repositories.add(administrator, { name: 'Main', path: place() })
  const shards = await first.repositories.shards(id, contoso, once)
  const shard = await shards.open(0)
  const kit = await first.repositories.recoveryKit(id)
  return { id, shard, passwords: [{ password: kit.shards[0]!.password.reveal() }] }
}

const write = async (shard: Awaited<ReturnType<typeof backedUp>>['shard']): Promise<void> => {
  await shard.withWriter(async (writer) => void (await writer.saveFile([Buffer.from('some mail')])))
}

it('refuses a second server, which takes over only when told; the first one notices and stops', async () => {
  await using first = await install('one')
  await using second = await install('two')
  const { id, shard, passwords } = await backedUp(first)
  await write(shard)
  const attach = (takeOver?: boolean) =>
    second.repositories.attach(administrator, { path: place(), passwords, ...(takeOver ? { takeOver } : {}) })
  await expect(attach()).rejects.toThrow(/Main belongs to the server on host-of-one .* attach with takeOver/)
  expect((await second.repositories.list(administrator)).totalCount).toBe(0)
  expect(await first.repositories.owner(administrator, id)).toMatchObject({
    isThisServer: true,
    isAtWork: true,
  })

  await attach(true)
  expect(await second.repositories.owner(administrator, id)).toMatchObject({
    ...{ serverId: 'two', isThisServer: true },
  })
  // The one that lost it finds out when it begins something, and in the midst of work.
  first.clock.advance(RENEW_MS)
  await expect(write(shard)).rejects.toThrow(/has been taken over by the server on host-of-two/)
  const refused = { code: 'conflict', reason: 'owned' }
  await expect(first.repositories.shards(id, contoso, once)).rejects.toMatchObject(refused)
  await expect(first.repositories.shards(id, contoso, { givesBack: true })).rejects.toMatchObject(refused)
  const [read] = await (await first.repositories.shards(id, contoso)).existing()
  expect(await read!.repository.snapshots()).toEqual([])

  const shards = await second.repositories.shards(id, contoso, once)
  await write(await shards.open(0))
  await first.repositories.takeOver(administrator, id)
  await write(shard)
  await expect(second.repositories.shards(id, contoso, once)).rejects.toMatchObject(refused)
})

it('gives a repository that its server has left to another one without a word', async () => {
  await using second = await install('two')
  let passwords
  {
    await using first = await install('one')
    passwords = (await backedUp(first)).passwords
  }
  const { repository } = await second.repositories.attach(administrator, { path: place(), passwords })
  await write(await (await second.repositories.shards(repository.id, contoso, once)).open(0))
})

it('lets go of a repository that is removed, and takes it back when it is added again', async () => {
  await using first = await install('one')
  const { id } = await backedUp(first)
  await first.repositories.remove(administrator, id)
  expect((await first.repositories.add(administrator, { name: 'Again', path: place() })).id).toBe(id)
  await write(await (await first.repositories.shards(id, contoso, once)).open(0))
})

it('changes nothing for a wrong password, also with a take-over', async () => {
  await using first = await install('one')
  await using second = await install('two')
  const { shard } = await backedUp(first)
  const input = { path: place(), passwords: [{ password: 'something else' }], takeOver: true }
  await expect(second.repositories.attach(administrator, input)).rejects.toThrow(/does not open/)
  first.clock.advance(RENEW_MS)
  await write(shard)
})
