import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FixedClock, HoldfastError, Secret, seededRandom, silentLogger } from '#base'
import { jobRows, openDatabase, type Database } from '#database'
import { openRepository } from '#repository'
import { Bandwidth, localStorage, subfolder } from '#storage'
import { Audit } from '../access/audit.ts'
import { systemPrincipal, type Principal } from '../access/principal.ts'
import { Proxies } from '../proxies/proxies.ts'
import { rootKeyFrom } from '../secrets/root-key.ts'
import { Secrets } from '../secrets/secrets.ts'
import { BackupRepositories } from './backup-repositories.ts'
import type { BackupRepositoryInput } from './backup-repository.ts'
import { prepareFirstStart } from './first-start.ts'

const rootKey = rootKeyFrom(new Secret(Buffer.alloc(32, 7).toString('base64')))
const administrator: Principal = { kind: 'administrator', userId: 'u', name: 'administrator' }
const contoso = { id: '0c0ffee0-1111-4222-8333-444444444444', name: 'contoso.example' }

let folder: string
let clock: FixedClock
let database: Database
let repositories: BackupRepositories

const build = (changes: { readonly shardsPerOrganization?: number } = {}): BackupRepositories => {
  const secrets = new Secrets({ rootKey, clock })
  return new BackupRepositories({
    database,
    secrets,
    audit: new Audit({ database, clock, rootKey }),
    clock,
    random: seededRandom(9),
    log: silentLogger,
    openStorage: (path) => localStorage(path),
    reserved: [join(folder, 'data')],
    scrypt: { N: 1024, r: 1, p: 1 },
    ...changes,
  })
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-repositories-'))
  clock = new FixedClock('2026-03-01T10:00:00Z')
  database = await openDatabase(':memory:', clock)
  repositories = build()
})
afterEach(async () => {
  await repositories[Symbol.asyncDispose]()
  await database[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

const input = (changes: BackupRepositoryInput = {}): BackupRepositoryInput => ({
  name: 'First',
  path: join(folder, 'first'),
  retentionType: 'ItemLevel',
  ...changes,
})
const refusal = async (work: Promise<unknown>): Promise<[string, string | undefined]> =>
  work.then(
    () => ['done', undefined],
    (error: unknown) => {
      if (!(error instanceof HoldfastError)) throw error
      return [error.code, error.property]
    },
  )
const add = (changes: BackupRepositoryInput = {}) => repositories.add(administrator, input(changes))

describe('adding', () => {
  it('makes the folder and says whose it is', async () => {
    const repository = await add({ description: 'd' })
    expect(repository).toMatchObject({
      name: 'First',
      description: 'd',
      retentionType: 'ItemLevel',
      retentionPeriodType: 'Yearly',
      yearlyRetentionPeriod: 'Keep',
      isOutOfOrder: false,
    })
    expect(repository.freeSpaceBytes).toBeGreaterThan(0)
    expect(repository.capacityBytes).toBeGreaterThanOrEqual(repository.freeSpaceBytes!)
    const file = JSON.parse(await readFile(join(folder, 'first', 'repo.json'), 'utf8')) as unknown
    expect(file).toMatchObject({ format: 'holdfast', version: 1, id: repository.id, name: 'First' })
  })

  it('keeps what the retention needs', async () => {
    const repository = await add({
      retentionType: 'snapshotbased',
      retentionPeriodType: 'Daily',
      dailyRetentionPeriod: 30,
      retentionFrequencyType: 'monthly',
      monthlyTime: '3:05',
      monthlyDaynumber: 'last',
      monthlyDayofweek: 'SUNDAY',
    })
    expect(repository).toMatchObject({
      retentionType: 'SnapshotBased',
      dailyRetentionPeriod: 30,
      monthlyTime: '03:05:00',
      monthlyDaynumber: 'Last',
      monthlyDayofweek: 'Sunday',
    })
    for (const name of ['yearlyRetentionPeriod', 'monthlyRetentionPeriod', 'dailyTime', 'dailyType'])
      expect(repository).not.toHaveProperty(name)
  })

  it.each([
    [{ name: '' }, 'name'],
    [{ path: '' }, 'path'],
    [{ path: 'relative/folder' }, 'path'],
    [{ path: '/etc/holdfast' }, 'path'],
    [{ path: '/usr/share/holdfast' }, 'path'],
    [{ path: '/' }, 'path'],
    [{ path: '/var/' }, 'path'],
    [{ path: '/tmp' }, 'path'],
    [{ path: '/proc/self/cwd' }, 'path'],
    [{ path: '/srv/../etc' }, 'path'],
    [{ path: 's3://bucket/folder' }, 'path'],
    [{ path: '/srv/a\u0000b' }, 'path'],
    [{ path: '/srv/\u202efolder' }, 'path'],
    [{ path: `/srv/${'a'.repeat(2_000)}` }, 'path'],
    [{ proxyId: '01234567-89ab-4def-8123-456789abcdef' }, 'proxyId'],
    [{ retentionType: 'Never' }, 'retentionType'],
    [{ retentionPeriodType: 'Daily' }, 'dailyRetentionPeriod'],
    [{ retentionPeriodType: 'Daily', dailyRetentionPeriod: 0 }, 'dailyRetentionPeriod'],
    [{ yearlyRetentionPeriod: 'Years4' }, 'yearlyRetentionPeriod'],
    [{ dailyTime: '25:00' }, 'dailyTime'],
  ] as [BackupRepositoryInput, string][])('refuses %o', async (changes, property) => {
    expect(await refusal(add(changes))).toEqual(['invalid', property])
    expect((await repositories.list(administrator)).totalCount).toBe(0)
    expect(await readdir(folder)).toEqual([])
  })

  it("refuses a path inside another repository, around one, or in the server's folder, links followed", async () => {
    await add()
    await mkdir(join(folder, 'data'))
    await symlink(join(folder, 'first'), join(folder, 'link'))
    await symlink('/etc', join(folder, 'to-etc'))
    for (const path of ['first', 'first/inside', 'link/inside', 'data/x', 'to-etc/x', '.'])
      expect(await refusal(add({ name: path, path: join(folder, path) }))).toEqual(['invalid', 'path'])
  })

  it('refuses a folder with other files, and takes one that is as good as empty', async () => {
    await mkdir(join(folder, 'full'))
    await writeFile(join(folder, 'full', 'thesis.txt'), 'x')
    expect(await refusal(add({ path: join(folder, 'full') }))).toEqual(['invalid', 'path'])
    expect(await readdir(join(folder, 'full'))).toEqual(['thesis.txt'])
    await mkdir(join(folder, 'disk', 'lost+found'), { recursive: true })
    expect(await refusal(add({ path: join(folder, 'disk') }))).toEqual(['done', undefined])
  })

  it('refuses a name in use, in any letter case, and leaves no folder', async () => {
    await add()
    expect(await refusal(add({ name: 'FIRST', path: join(folder, 'second') }))).toEqual([
      'conflict',
      undefined,
    ])
    expect(await readdir(folder)).toEqual(['first'])
  })

  it('is for administrators alone', async () => {
    const tenant: Principal = { kind: 'organization', organizationId: 'o', name: 't' }
    expect(await refusal(repositories.add(tenant, input()))).toEqual(['denied', undefined])
  })
})

describe('changing and removing', () => {
  it('keeps what is left out and refuses another path', async () => {
    const { id } = await add({ description: 'kept' })
    const changed = await repositories.update(administrator, id, {
      name: 'Other',
      path: `${join(folder, 'first')}/`,
    })
    expect(changed).toMatchObject({ name: 'Other', description: 'kept', yearlyRetentionPeriod: 'Keep' })
    expect(await repositories.get(administrator, id)).toEqual(changed)
    const moved = repositories.update(administrator, id, { path: join(folder, 'elsewhere') })
    expect(await refusal(moved)).toEqual(['invalid', 'path'])
  })

  it('is refused for one that a job uses', async () => {
    const { id } = await add()
    await jobRows.insert(database.queries, {
      id: 'j',
      organizationId: 'o',
      repositoryId: id,
      name: 'Nightly',
      nameKey: 'nightly',
      description: '',
      backupType: 'EntireOrganization',
      isEnabled: false,
      schedulePolicy: {},
      eTag: 1,
      createdAt: clock.now(),
    })
    expect(await refusal(repositories.remove(administrator, id))).toEqual(['conflict', undefined])
  })

  it('leaves the data, which comes back when the folder is added again', async () => {
    const { id } = await add()
    const shards = await repositories.shards(id, contoso, { expectedObjects: 3 })
    const before = (await shards.open(0)).id
    await repositories.remove(administrator, id)
    expect(await refusal(repositories.get(administrator, id))).toEqual(['not-found', undefined])
    const again = await add({ name: 'Again' })
    expect(again.id).toBe(id)
    const found = await (await repositories.shards(id, contoso)).existing()
    expect(found.map(({ repository }) => repository.id)).toEqual([before])
  })

  it("refuses another server's folder", async () => {
    const { id } = await add()
    await (await repositories.shards(id, contoso, { expectedObjects: 1 })).open(0)
    await repositories[Symbol.asyncDispose]()
    await database[Symbol.asyncDispose]()
    database = await openDatabase(':memory:', clock)
    repositories = build()
    expect(await refusal(add())).toEqual(['conflict', undefined])
  })
})

describe('shards', () => {
  it('are made at first use, in the public format, with a password that is kept', async () => {
    const { id } = await add()
    const shards = await repositories.shards(id, contoso, { expectedObjects: 5 })
    expect(shards.count).toBe(1)
    const repository = await shards.open(0)
    expect(await shards.open(0)).toBe(repository)
    const { shards: kit, instructions } = await repositories.recoveryKit(id)
    expect(kit).toHaveLength(1)
    expect(kit[0]!.path).toBe(join(folder, 'first', 'contoso.example~0c0ffee0', 's00'))
    expect(instructions).toContain(kit[0]!.path)
    expect(instructions).not.toContain(kit[0]!.password.reveal())
    await using opened = await openRepository(localStorage(kit[0]!.path), {
      password: kit[0]!.password.reveal(),
      clock,
      random: seededRandom(1),
    })
    expect(opened.id).toBe(repository.id)
  })

  it.each([
    [1, 1],
    [2_000, 1],
    [2_001, 2],
    [100_000, 50],
    [1_000_000, 64],
  ])('for %i objects are %i, and stay as many', async (expectedObjects, count) => {
    const { id } = await add()
    expect((await repositories.shards(id, contoso, { expectedObjects })).count).toBe(count)
    expect((await repositories.shards(id, contoso, { expectedObjects: 1 })).count).toBe(count)
  })

  it.each([1, 4, 16])(
    'are %i where the administrator says so, for organizations that are new',
    async (count) => {
      const { id } = await repositories.add(administrator, input())
      expect((await repositories.shards(id, contoso, { expectedObjects: 5000 })).count).toBe(3)
      await repositories[Symbol.asyncDispose]()
      repositories = build({ shardsPerOrganization: count })
      const other = { id: '1c0ffee0-1111-4222-8333-444444444444', name: 'fabrikam.example' }
      expect((await repositories.shards(id, other, { expectedObjects: 5000 })).count).toBe(count)
      expect((await repositories.shards(id, contoso, { expectedObjects: 5000 })).count).toBe(3)
    },
  )

  it('asked for twice at once are the same', async () => {
    const { id } = await add()
    const both = await Promise.all([1, 2].map(() => repositories.shards(id, contoso, { expectedObjects: 1 })))
    const opened = await Promise.all(both.map((shards) => shards.open(0)))
    expect(opened[0]).toBe(opened[1])
  })

  it('of an organization without data are none, and none are made by reading', async () => {
    const { id } = await add()
    const shards = await repositories.shards(id, contoso)
    expect([shards.count, await shards.existing()]).toEqual([0, []])
    expect(await readdir(join(folder, 'first'))).toEqual(['repo.json'])
  })

  it('are made anew where a process died before the first one was whole', async () => {
    const { id } = await add()
    const shards = await repositories.shards(id, contoso, { expectedObjects: 1 })
    const stray = subfolder(localStorage(join(folder, 'first')), 'contoso.example~0c0ffee0/s00')
    await stray.write('keys/00', [Buffer.from('{}')])
    expect(await shards.existing()).toEqual([])
    await shards.open(0)
    expect((await readdir(join(folder, 'first', 'contoso.example~0c0ffee0', 's00', 'keys'))).length).toBe(1)
  })

  it('of a folder that is not mounted are an error, not a new repository', async () => {
    const { id } = await add()
    await rename(join(folder, 'first'), join(folder, 'away'))
    expect(await refusal(repositories.shards(id, contoso, { expectedObjects: 1 }))).toEqual([
      'not-found',
      undefined,
    ])
    await mkdir(join(folder, 'first'))
    expect(await refusal(repositories.shards(id, contoso, { expectedObjects: 1 }))).toEqual([
      'not-found',
      undefined,
    ])
    expect(await repositories.get(administrator, id)).toMatchObject({ isOutOfOrder: true })
    expect(await readdir(join(folder, 'first'))).toEqual([])
  })
})

describe('used space', () => {
  it('is summed up for each organization and shown to its tenant alone', async () => {
    const { id } = await add()
    await add({ name: 'Second', path: join(folder, 'second') })
    await (await repositories.shards(id, contoso, { expectedObjects: 1 })).open(0)
    const [used] = await repositories.usedBy(contoso.id)
    expect(used).toMatchObject({ repositoryId: id, repositoryName: 'First', isAvailable: true })
    expect(used!.usedSpaceBytes).toBeGreaterThan(300)
    const tenant: Principal = { kind: 'organization', organizationId: contoso.id, name: 't' }
    const stranger: Principal = { kind: 'organization', organizationId: 'other', name: 's' }
    const seen = (await repositories.list(tenant)).items
    expect(seen.map(({ name, path }) => [name, path])).toEqual([['First', '']])
    expect(await repositories.get(tenant, id)).toEqual(seen[0])
    expect(await refusal(repositories.get(stranger, id))).toEqual(['not-found', undefined])
    expect(await repositories.backedUpOrganizations(tenant, id)).toEqual([
      {
        organizationId: contoso.id,
        name: contoso.name,
        isInObjectStorage: false,
        usedSpaceBytes: used!.usedSpaceBytes,
      },
    ])
  })
})

describe('the first start', () => {
  it('makes the built-in proxy and the default repository, once', async () => {
    const start = () =>
      prepareFirstStart({
        database,
        repositories,
        defaultPath: join(folder, 'data', 'repositories', 'default'),
        hostName: 'backup.example',
        clock,
        random: seededRandom(2),
      })
    await start()
    const proxies = new Proxies({
      database,
      audit: new Audit({ database, clock, rootKey }),
      bandwidth: new Bandwidth(clock),
      repositories,
      version: '0.1.0',
    })
    const [proxy] = (await proxies.list(systemPrincipal)).items
    expect(proxy).toMatchObject({ type: 'Local', hostName: 'backup.example', port: 9193, status: 'Online' })
    const [repository] = await proxies.repositories(systemPrincipal, proxy!.id)
    expect(repository).toMatchObject({ name: 'Default Backup Repository', proxyId: proxy!.id })
    await repositories.remove(administrator, repository!.id)
    await start()
    expect((await repositories.list(administrator)).totalCount).toBe(0)
  })
})
