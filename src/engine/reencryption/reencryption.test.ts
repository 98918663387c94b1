import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { FixedClock, HoldfastError, Secret, seededRandom, silentLogger } from '#base'
import { openDatabase, organizationFolderRows, repositoryOrganizationRows, type Database } from '#database'
import { initRepository, openRepository, type Repository, type Snapshot } from '#repository'
import { faulty, memoryStorage, subfolder, type Storage } from '#storage'
import { Audit } from '../access/audit.ts'
import { systemPrincipal, type Principal } from '../access/principal.ts'
import { EncryptionKeys } from '../encryption-keys/encryption-keys.ts'
import { BackupRepositories } from '../repositories/backup-repositories.ts'
import { rootKeyFrom } from '../secrets/root-key.ts'
import { Secrets } from '../secrets/secrets.ts'
import { RepositoryGate } from '../tasks/repository-gate.ts'
import { TableTaskQueue } from '../tasks/task-queue.ts'
import { ManualClock } from '../tests/manual-clock.ts'
import { ReencryptionRunner } from './reencryption-runner.ts'
import { Reencryptions } from './reencryptions.ts'

const administrator: Principal = { kind: 'administrator', userId: 'u', name: 'administrator' }
const contoso = { id: '0c0ffee0-1111-4222-8333-444444444444', name: 'contoso.example' }
const FOLDER = 'contoso.example~0c0ffee0'
const CHOSEN = 'what the administrator chose'
const START = '2026-03-01T10:00:00Z'
const DAY_MS = 86_400_000
const scrypt = { N: 256, r: 1, p: 1 }
const random = seededRandom(5)

type Through = (storage: Storage) => Storage

interface Server extends AsyncDisposable {
  readonly repositories: BackupRepositories
  readonly reencryptions: Reencryptions
  readonly runner: ReencryptionRunner
  readonly encryptionKeys: EncryptionKeys
  readonly gate: RepositoryGate
  readonly looked: string[]
}

let folder: string
/** Where the repository is; its folder on the disk stays empty. */
let disk: Storage
/** Of repositories, whose sleep takes no time; and of tasks. */
let clock: FixedClock
let taskClock: ManualClock
let database: Database
let held: Repository

// Threads are started once, not for each repository.
beforeAll(async () => {
  held = await initRepository(memoryStorage(), {
    password: 'p',
    clock: new FixedClock(START),
    random,
    scrypt,
  })
})
afterAll(() => held[Symbol.asyncDispose]())
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-reencrypt-'))
  await mkdir(place())
  disk = memoryStorage()
  clock = new FixedClock(START)
  taskClock = new ManualClock(START)
  database = await openDatabase(':memory:', clock)
})
afterEach(async () => {
  await database[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

const place = (): string => join(folder, 'data')

/** A server that has just started. */
const start = async (through: Through = (storage) => storage, of = database): Promise<Server> => {
  const rootKey = rootKeyFrom(new Secret(Buffer.alloc(32, 7).toString('base64')))
  const parts = {
    ...{ database: of, clock, random },
    secrets: new Secrets({ rootKey, clock }),
    audit: new Audit({ database: of, clock, rootKey }),
  }
  const encryptionKeys = new EncryptionKeys(parts)
  const repositories = new BackupRepositories({
    ...parts,
    ...{ encryptionKeys, scrypt },
    log: silentLogger,
    openStorage: () => through(disk),
    reserved: [],
  })
  const tasks = new TableTaskQueue({ database: of, clock: taskClock, random })
  await tasks.takeOver()
  const gate = new RepositoryGate(taskClock)
  const looked: string[] = []
  const runner = new ReencryptionRunner({
    ...{ database: of, tasks, gate, repositories, clock: taskClock, log: silentLogger },
    isRestoring: async () => Promise.resolve(false),
    lookAgain: async (id) => void looked.push(id),
  })
  const reencryptions = new Reencryptions({ ...parts, tasks, runner, clock: taskClock })
  return {
    ...{ repositories, reencryptions, runner, encryptionKeys, gate, looked },
    [Symbol.asyncDispose]: async () => {
      await runner[Symbol.asyncDispose]()
      await repositories[Symbol.asyncDispose]()
    },
  }
}

let saved = 0
const save = (repository: Repository, name: string, text = name): Promise<Snapshot> =>
  repository.withWriter(async (writer) => {
    const { content, sizeBytes } = await writer.saveFile([Buffer.from(text)])
    const file = { type: 'file', name, modifiedAt: clock.now(), content, sizeBytes } as const
    const tree = await writer.saveTree([file])
    saved += 1
    const time = new Date(clock.nowMs() + saved * 1_000)
    return writer.saveSnapshot({ time, tree, paths: ['/'], tags: ['holdfast', `run:${name}`] })
  })

/** A repository with two points in each shard. */
const made = async (
  { repositories }: Server,
  { shards = 1, ...input }: { readonly shards?: number; readonly encryptionKeyId?: string } = {},
): Promise<string> => {
  const { id } = await repositories.add(administrator, { name: 'Main', path: place(), ...input })
  const opened = await repositories.shards(id, contoso, { shardCount: shards })
  for (let index = 0; index < shards; index += 1)
    for (const name of ['a', 'b']) await save(await opened.open(index), `${name}${index}`)
  return id
}

const run = async (server: Server, id: string, request: { readonly fresh?: boolean } = {}) => {
  const begun = await server.reencryptions.start(administrator, id, request)
  await server.runner.drain()
  return server.reencryptions.run(administrator, begun.id)
}

/** What points hold: time, tags and text, of all shards. */
const pointsOf = async ({ repositories }: Server, id: string): Promise<string[]> => {
  const told: string[] = []
  for (const { repository } of await (await repositories.shards(id, contoso)).existing()) {
    await repository.refresh()
    for (const { tree, time, tags } of await repository.snapshots())
      for (const entry of await repository.tree(tree)) {
        if (entry.type !== 'file') continue
        const bytes = await Array.fromAsync(repository.readFile(entry))
        told.push(`${time.toISOString()} ${tags.join(' ')} ${Buffer.concat(bytes).toString()}`)
      }
  }
  return told.sort()
}

const kitOf = async ({ repositories }: Server, id: string) => {
  const { shards } = await repositories.recoveryKit(id)
  return { paths: shards.map(({ path }) => path), password: shards[0]!.password.reveal() }
}

const shardAt = (path: string): Storage => subfolder(disk, path.slice(place().length + 1))

const opens = async (path: string, password: string): Promise<boolean> => {
  try {
    const options = { ...{ password, clock, random, scrypt }, log: silentLogger }
    await using _repository = await openRepository(shardAt(path), options)
    return true
  } catch {
    return false
  }
}

const filesIn = async (name: string): Promise<string[]> =>
  (await Array.fromAsync(disk.list(name))).map(({ path }) => path)
const foldersThere = async (): Promise<string[]> => {
  const folders = (await filesIn('')).map((path) => path.split('/')[0]!)
  return [...new Set(folders)].filter((name) => name.startsWith(FOLDER)).sort()
}
const copied = async (from: string, to: string): Promise<void> => {
  for (const path of await filesIn(from))
    await disk.write(to + path.slice(from.length), [await disk.read(path)])
}

const around = (storage: Storage, changes: Partial<Storage>): Storage => ({
  name: storage.name,
  write: (path, parts, signal) => storage.write(path, parts, signal),
  read: (path, range, signal, into) => storage.read(path, range, signal, into),
  stat: (path, signal) => storage.stat(path, signal),
  list: (path, signal) => storage.list(path, signal),
  remove: (path, signal) => storage.remove(path, signal),
  space: (signal) => storage.space(signal),
  [Symbol.asyncDispose]: () => storage[Symbol.asyncDispose](),
  ...changes,
})

describe('a new master key', () => {
  it('opens everything that was there, which the old one does not; an own password goes on', async () => {
    await using server = await start()
    const { id: encryptionKeyId } = await server.encryptionKeys.add(administrator, { password: CHOSEN })
    const id = await made(server, { shards: 2, encryptionKeyId })
    const before = await pointsOf(server, id)
    const old = await kitOf(server, id)
    await copied(FOLDER, 'kept')
    const ended = await run(server, id)
    expect(ended).toMatchObject({
      status: 'Success',
      organizations: [{ organizationId: contoso.id, step: 'Done', snapshots: 4 }],
    })
    expect(before).toHaveLength(4)
    expect(await pointsOf(server, id)).toEqual(before)
    expect(await foldersThere()).toEqual([`${FOLDER}.2`])
    const { paths, password } = await kitOf(server, id)
    for (const path of paths) {
      expect([await opens(path, password), await opens(path, CHOSEN)]).toEqual([true, true])
      expect(await opens(path, old.password)).toBe(false)
    }
    // Whoever kept a key file of before has the master key of before: it opens no file of now.
    await copied('kept/s00/keys', `${FOLDER}.2/s00/keys`)
    expect(await opens(paths[0]!, old.password)).toBe(false)
    expect(server.looked).toEqual([contoso.id])
  })

  it('is written beside backups, and what they add meanwhile is under it too', async () => {
    let adding: Promise<unknown> | undefined
    await using server = await start((storage) =>
      around(storage, {
        write: async (path, parts, signal) => {
          await storage.write(path, parts, signal)
          if (!path.startsWith(`${FOLDER}.2/s00/snapshots`)) return
          adding ??= open.then((shard) => save(shard, 'late'))
          await adding
        },
      }),
    )
    const id = await made(server)
    const open = server.repositories.shards(id, contoso).then((shards) => shards.open(0))
    expect(await run(server, id)).toMatchObject({ status: 'Success', organizations: [{ snapshots: 3 }] })
    expect((await pointsOf(server, id)).join('\n')).toContain('late')
  })

  it('does not bring back what was removed meanwhile', async () => {
    let removing: Promise<unknown> | undefined
    await using server = await start((storage) =>
      around(storage, {
        write: async (path, parts, signal) => {
          await storage.write(path, parts, signal)
          if (!path.startsWith(`${FOLDER}.2/s00/snapshots`)) return
          removing ??= open.then(async (shard) => shard.forget([(await shard.snapshots())[0]!.id]))
          await removing
        },
      }),
    )
    const id = await made(server)
    const open = server.repositories.shards(id, contoso).then((shards) => shards.open(0))
    expect(await run(server, id)).toMatchObject({ status: 'Success', organizations: [{ snapshots: 1 }] })
    const [left, ...others] = await pointsOf(server, id)
    expect([left?.endsWith('b0'), others]).toEqual([true, []])
  })

  it('waits for who is at work in the repository, and keeps others waiting while it comes into force', async () => {
    await using server = await start()
    const id = await made(server)
    const signal = new AbortController().signal
    const inside = await server.gate.enter([id], signal)
    const { id: runId } = await server.reencryptions.start(administrator, id)
    await server.runner.tick()
    const step = async () => (await server.reencryptions.run(administrator, runId)).organizations[0]?.step
    await expect.poll(step).toBe('Waiting')
    expect(await foldersThere()).toEqual([FOLDER, `${FOLDER}.2`])
    inside[Symbol.dispose]()
    taskClock.advance(1_000)
    await server.runner.idle()
    expect(await step()).toBe('Done')
    using _again = await server.gate.enter([id], signal)
  })

  it.each([
    [1, 17],
    [2, 41],
  ])(
    'costs nothing whichever call fails in %i shards: a restart goes on',
    { timeout: 60_000 },
    async (shards, step) => {
      await using first = await start()
      const id = await made(first, { shards })
      const before = await pointsOf(first, id)
      let isHit = true
      let stopped = 0
      for (let call = shards; isHit; call += step) {
        expect(call).toBeLessThan(2_000)
        isHit = false
        taskClock.advance(1_000)
        const onFault = (): void => void (isHit = true)
        const moment = call % 2 === 0 ? 'before' : 'after'
        {
          await using server = await start((storage) => faulty(storage, { call, moment, onFault }))
          await run(server, id).catch(() => undefined)
        }
        await using again = await start()
        const between = await kitOf(again, id)
        expect(await Promise.all(between.paths.map((path) => opens(path, between.password)))).not.toContain(
          false,
        )
        expect(await pointsOf(again, id)).toEqual(before)
        // What was cut off is taken up after a minute; what failed is asked for again.
        taskClock.advance(61_000)
        await again.runner.drain()
        const [last] = (await again.reencryptions.runs(administrator, id)).items
        if (last?.status !== 'Success') {
          stopped += 1
          expect(await run(again, id)).toMatchObject({ status: 'Success' })
        }
        expect(await pointsOf(again, id)).toEqual(before)
        expect(await foldersThere()).toHaveLength(1)
        const { folder: inForce } = (await repositoryOrganizationRows.find(database.queries, id, contoso.id))!
        expect(await foldersThere()).toEqual([inForce])
        expect(await filesIn(inForce)).toContain(`${inForce}/organization.json`)
      }
      expect(stopped).toBeGreaterThan(3)
    },
  )

  it('is not put into force where something cannot be read', async () => {
    await using server = await start()
    const id = await made(server)
    const old = await kitOf(server, id)
    const [path] = await filesIn(`${FOLDER}/s00/snapshots`)
    await disk.remove(path!)
    await disk.write(path!, [Buffer.from('damaged')])
    const ended = await run(server, id)
    expect(ended.status).toBe('Failed')
    expect(ended.details).toContain('cannot be encrypted anew before it is repaired')
    expect(await kitOf(server, id)).toEqual(old)
  })

  it('is refused where a second copy of the data does not fit, with what it needs', async () => {
    const space = async () => Promise.resolve({ totalBytes: 1_000_000, freeBytes: 1_000 })
    await using server = await start((storage) => around(storage, { space }))
    await using roomy = await start()
    const id = await made(roomy)
    expect(await run(server, id)).toMatchObject({ status: 'Failed' })
    const [ended] = (await server.reencryptions.runs(administrator, id)).items
    expect(ended?.details).toContain('is written a second time, which needs 0.1 GB; 0.0 GB are free in Main')
    expect(await pointsOf(roomy, id)).toHaveLength(2)
  })

  it('leaves the earlier data where the storage keeps it, says until when, and removes it then', async () => {
    disk = memoryStorage('immutable', { clock, immutable: { periodMs: 9 * DAY_MS, windowMs: DAY_MS } })
    const keeping: Through = (storage) => Object.assign(around(storage, {}), { retention: disk.retention })
    await using server = await start(keeping)
    const id = await made(server)
    const ended = await run(server, id)
    expect(ended).toMatchObject({
      status: 'Warning',
      organizations: [{ step: 'Done', formerFolder: FOLDER }],
    })
    expect(ended.organizations[0]?.formerKeptUntil).toContain('2026-03-11')
    expect(ended.details).toContain('the storage keeps what the earlier key opens until 2026-03-11')
    taskClock.advance(DAY_MS)
    await server.runner.drain()
    expect(await foldersThere()).toEqual([FOLDER, `${FOLDER}.2`])
    taskClock.advance(10 * DAY_MS)
    clock.advance(11 * DAY_MS)
    await server.runner.drain()
    expect(await foldersThere()).toEqual([`${FOLDER}.2`])
    expect(await organizationFolderRows.list(database.queries, { repositoryId: id })).toEqual([])
    expect(await pointsOf(server, id)).toHaveLength(2)
  })

  it('goes on from what a run that was stopped has written, or begins afresh when told', async () => {
    let isFull = true
    const filling: Through = (storage) =>
      around(storage, {
        write: async (path, parts, signal) => {
          if (isFull && /\.[23]\/s01\/snapshots/.test(path)) throw new HoldfastError('full', 'no space left')
          await storage.write(path, parts, signal)
        },
      })
    await using server = await start(filling)
    const id = await made(server, { shards: 2 })
    expect(await run(server, id)).toMatchObject({ status: 'Failed' })
    const first = await filesIn(`${FOLDER}.2/s00/snapshots`)
    expect(first).toHaveLength(2)
    isFull = false
    const ended = await run(server, id)
    expect(ended).toMatchObject({ status: 'Success', organizations: [{ snapshots: 4 }] })
    expect(await filesIn(`${FOLDER}.2/s00/snapshots`)).toEqual(first)
    isFull = true
    expect(await run(server, id)).toMatchObject({ status: 'Failed' })
    isFull = false
    expect(await run(server, id, { fresh: true })).toMatchObject({ status: 'Success' })
    expect(await foldersThere()).toEqual([`${FOLDER}.4`])
  })

  it('is found by a server without the database, also while the earlier data is there', async () => {
    await using server = await start()
    const id = await made(server)
    const before = await pointsOf(server, id)
    await copied(FOLDER, 'kept')
    await run(server, id)
    const { password } = await kitOf(server, id)
    await copied('kept', FOLDER)
    for (const path of await filesIn('kept')) await disk.remove(path)
    await using empty = await openDatabase(':memory:', clock)
    await using other = await start(undefined, empty)
    const input = { path: place(), passwords: [{ password }] }
    const attached = await other.repositories.attach(administrator, input)
    expect(attached.organizations).toMatchObject([{ folder: `${FOLDER}.2`, isAttached: true }])
    expect(await pointsOf(other, attached.repository.id)).toEqual(before)
  })

  it('is asked for by administrators alone, once at a time', async () => {
    await using server = await start()
    const id = await made(server)
    const tenant: Principal = { kind: 'organization', name: 't', organizationId: contoso.id }
    await expect(server.reencryptions.start(tenant, id)).rejects.toMatchObject({ code: 'denied' })
    await server.reencryptions.start(systemPrincipal, id)
    await expect(server.reencryptions.start(administrator, id)).rejects.toMatchObject({ code: 'conflict' })
    await expect(server.reencryptions.runs(tenant, id)).rejects.toMatchObject({ code: 'denied' })
  })
})
