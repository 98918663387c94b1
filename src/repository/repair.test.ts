import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { memoryStorage, type Storage } from '#storage'
import type { BlobId, RepairOptions, RepairReport, Repository, Snapshot } from './contract.ts'
import { rebuildConfig } from './rebuild-config.ts'
import { initRepository, openRepository } from './repository.ts'
import { backUp, cutOff, flip, noise, packsOf, pathsIn, replace, text } from './tests/damage.ts'
import { collect, TEST_OPTIONS } from './tests/fixtures.ts'

type Files = Readonly<Record<string, Uint8Array>>

const FIRST: Files = {
  '.holdfast/run.json': text('{"format":1,"jobId":"nightly","sessionId":"s-1"}'),
  'users/a/mail': text('mail of a'),
  'users/a/large': noise(1, 900_000),
  'users/b/mail': text('mail of b'),
}
const SECOND: Files = {
  ...FIRST,
  '.holdfast/run.json': text('{"format":1,"jobId":"nightly","sessionId":"s-2"}'),
  'users/b/later': noise(2, 200_000),
}
const TAGS = ['holdfast', 'org:one', 'job:nightly']

let running: Repository
beforeAll(async () => {
  running = await initRepository(memoryStorage(), TEST_OPTIONS)
})
afterAll(() => running[Symbol.asyncDispose]())

describe('repair', () => {
  let storage: Storage
  let snapshots: Snapshot[]

  beforeEach(async () => {
    storage = memoryStorage()
    await using repository = await initRepository(storage, TEST_OPTIONS)
    snapshots = [
      await backUp(repository, FIRST, { time: new Date('2026-01-01T01:00:00Z'), tags: [...TAGS, 'run:s-1'] }),
      await backUp(repository, SECOND, {
        time: new Date('2026-01-02T01:00:00Z'),
        tags: [...TAGS, 'run:s-2'],
      }),
    ]
  })

  const repaired = async (options: RepairOptions = {}): Promise<RepairReport> => {
    await using repository = await openRepository(storage, TEST_OPTIONS)
    return repository.repair(options)
  }
  const expectWhole = async (): Promise<void> => {
    await using repository = await openRepository(storage, TEST_OPTIONS)
    expect((await repository.check({ readData: true })).problems).toEqual([])
    const found = await repository.snapshots()
    expect(found.map(({ tree, time }) => ({ tree, time }))).toEqual(
      snapshots.map(({ tree, time }) => ({ tree, time })),
    )
    for (const [at, files] of [FIRST, SECOND].entries()) await expectFiles(repository, found[at]!.tree, files)
    expect(await pathsIn(storage, 'damaged')).toEqual([])
    expect(await pathsIn(storage, 'locks')).toEqual([])
  }
  const firstDataPack = async (): Promise<string> => (await packsOf(storage, 'data'))[0]!.path
  /** The pack that holds the larger part of the first run. */
  const largePack = async (): Promise<string> =>
    (await packsOf(storage, 'data')).find(({ blobs }) => blobs.some(({ length }) => length > 300_000))!.path

  it('does nothing to a sound repository', async () => {
    const before = await contentOf(storage)
    const report = await repaired({ data: 'all' })
    expect(report).toMatchObject({ problems: [], lostBlobs: [], rescuedPacks: [], movedAside: [], notes: [] })
    expect(await contentOf(storage)).toEqual(before)
  })

  it.each([
    ['one index file is gone', async () => storage.remove((await pathsIn(storage, 'index'))[0]!)],
    ['all index files are gone', async () => removeAll(storage, 'index')],
    ['an index file has a flipped bit', async () => flip(storage, (await pathsIn(storage, 'index'))[0]!, 40)],
    [
      'an index file has no bytes',
      async () => replace(storage, (await pathsIn(storage, 'index'))[0]!, Buffer.alloc(0)),
    ],
    ['a header has a flipped bit', async () => flip(storage, await firstDataPack(), -9)],
    ['the length of a header is wrong', async () => flip(storage, await firstDataPack(), -1)],
    [
      'a pack was written beyond its end',
      async () => {
        const path = await firstDataPack()
        await replace(storage, path, Buffer.concat([await storage.read(path), text('more')]))
      },
    ],
    [
      'garbage has the name of a pack',
      async () => storage.write(`data/aa/${'a'.repeat(64)}`, [noise(9, 5000)]),
    ],
    [
      'files of no bytes have the names of packs, indexes, snapshots and keys',
      async () => {
        for (const folder of ['data/aa', 'index', 'snapshots', 'keys'])
          await storage.write(`${folder}/${'a'.repeat(64)}`, [Buffer.alloc(0)])
      },
    ],
  ])('brings everything back when %s', async (_what, damage) => {
    await damage()
    const report = await repaired()
    expect(report.lostBlobs).toEqual([])
    await expectWhole()
    // A second repair finds nothing to do.
    expect((await repaired({ data: 'all' })).problems).toEqual([])
  })

  it('finds the snapshots again whose files were lost, with time, tags and paths', async () => {
    await storage.remove(`snapshots/${snapshots[0]!.id}`)
    expect((await repaired()).foundSnapshots).toMatchObject([{ snapshot: { tree: snapshots[0]!.tree } }])
    await using repository = await openRepository(storage, TEST_OPTIONS)
    expect(await repository.snapshots()).toHaveLength(1)
    const { foundSnapshots } = await repaired({ lostSnapshots: 'restore' })
    expect(foundSnapshots).toHaveLength(1)
    const found = await repository.snapshots()
    const { id: _id, ...wanted } = snapshots[0]!
    expect(found[0]).toMatchObject({ ...wanted, id: foundSnapshots[0]!.restored })
    await expectWhole()
  })

  it('replaces a damaged snapshot file by the one that its tree tells of', async () => {
    await flip(storage, `snapshots/${snapshots[1]!.id}`, 30)
    const report = await repaired({ lostSnapshots: 'restore' })
    expect(report.problems.map(({ kind }) => kind)).toEqual(['snapshot-damaged'])
    await expectWhole()
  })

  it('writes a lost config again while the repository is open', async () => {
    await using repository = await openRepository(storage, TEST_OPTIONS)
    await flip(storage, 'config', 20)
    expect((await repository.repair({})).problems.map(({ kind }) => kind)).toEqual(['config-damaged'])
    await expectWhole()
  })

  it('lists the other snapshots beside a damaged one, names it, and prunes nothing until it is repaired', async () => {
    await storage.remove(`snapshots/${snapshots[0]!.id}`)
    await storage.write(`snapshots/${snapshots[0]!.id}`, [text('not a snapshot')])
    await using repository = await openRepository(storage, TEST_OPTIONS)
    expect((await repository.snapshots()).map(({ id }) => id)).toEqual([snapshots[1]!.id])
    expect(await repository.damagedSnapshots()).toEqual([snapshots[0]!.id])
    await expect(repository.prune({ keepTrees: [] })).rejects.toMatchObject({
      code: 'corrupt',
      message: expect.stringMatching(new RegExp(`${snapshots[0]!.id}.*repair`)) as string,
    })
    // What it names was found and is only listed: it goes on to stop prune.
    await repository.repair({})
    expect(await repository.damagedSnapshots()).toEqual([snapshots[0]!.id])
    await repository.repair({ lostSnapshots: 'restore' })
    await repository.prune({ keepTrees: [] })
    await expectWhole()
  })

  it('makes a config anew that was lost while nobody had the repository open', async () => {
    const config = await storage.read('config')
    await expect(rebuildConfig(storage, TEST_OPTIONS)).rejects.toMatchObject({ code: 'conflict' })
    await storage.remove('config')
    await expect(rebuildConfig(storage, { ...TEST_OPTIONS, password: 'wrong' })).rejects.toMatchObject({
      code: 'denied',
    })
    const { id } = await rebuildConfig(storage, TEST_OPTIONS)
    {
      await using repository = await openRepository(storage, TEST_OPTIONS)
      expect(repository).toMatchObject({ id, version: 2 })
      expect((await repository.verify({ data: 'all' })).problems).toEqual([])
    }
    await expectWhole()
    await replace(storage, 'config', config.subarray(1))
    const told = 'c'.repeat(64)
    expect(await rebuildConfig(storage, { ...TEST_OPTIONS, id: told })).toEqual({
      id: told,
      movedAside: 'damaged/config',
    })
    await using repository = await openRepository(storage, TEST_OPTIONS)
    expect(repository.id).toBe(told)
  })

  it.each([
    ['has a flipped bit', async (path: string) => flip(storage, path, 100)],
    ['is cut off', async (path: string) => cutOff(storage, path)],
    ['is gone', async (path: string) => storage.remove(path)],
  ])('takes what is lost from a copy when a pack %s', async (_what, damage) => {
    const copy = memoryStorage()
    for (const [path, bytes] of await contentOf(storage)) await copy.write(path, [Buffer.from(bytes, 'hex')])
    await using other = await openRepository(copy, TEST_OPTIONS)
    for (const { path } of [...(await packsOf(storage, 'data')), ...(await packsOf(storage, 'tree'))])
      await damage(path)
    const dry = await repaired({ data: 'all', sources: [other], dryRun: true })
    const report = await repaired({ data: 'all', sources: [other] })
    expect(report.healedBlobs.length).toBeGreaterThan(0)
    expect({ ...report, movedAside: [] }).toEqual(dry)
    expect(report.lostBlobs).toEqual([])
    await expectWhole()
  })

  it('takes nothing from a source that is not what it should be', async () => {
    await storage.remove(await largePack())
    const report = await repaired({ sources: [async () => text('something else')] })
    expect(report.healedBlobs).toEqual([])
    expect(report.lostBlobs.length).toBeGreaterThan(0)
  })

  it('saves what a damaged pack still holds, names what is lost, and a next run stores it again', async () => {
    const path = await largePack()
    await flip(storage, path, 100)
    const report = await repaired({ data: [path.split('/').at(-1)!] })
    expect(report.rescuedPacks).toEqual([path.split('/').at(-1)])
    expect(report.lostBlobs).toHaveLength(1)
    expect(report.movedAside).toContain(`damaged/${path}`)
    await using repository = await openRepository(storage, TEST_OPTIONS)
    expect(repository.hasBlob('data', report.lostBlobs[0]!.id)).toBe(false)
    const kinds = (await repository.verify({ data: 'all' })).problems.map(({ kind }) => kind)
    expect(kinds).toEqual(['blob-missing'])
    await repository.withWriter(async (writer) => {
      for (const bytes of Object.values({ one: FIRST['.holdfast/run.json']!, ...SECOND }))
        await writer.saveFile([bytes])
    })
    expect((await repaired()).problems).toEqual([])
    await expectWhole()
  })

  it('marks blobs as missing that are damaged, and leaves the sound ones alone', async () => {
    const path = await largePack()
    const { blobs } = (await packsOf(storage, 'data')).find((pack) => pack.path === path)!
    await flip(storage, path, blobs[1]!.offset + 20)
    await using repository = await openRepository(storage, TEST_OPTIONS)
    const forgotten = await repository.markMissing(blobs)
    expect(forgotten.map(({ id }) => id)).toEqual([blobs[1]!.id])
    expect(blobs.map(({ type, id }) => repository.hasBlob(type, id))).toEqual(
      blobs.map((_blob, at) => at !== 1),
    )
    await using again = await openRepository(storage, TEST_OPTIONS)
    expect(again.hasBlob('data', blobs[1]!.id)).toBe(false)
    await again.withWriter(async (writer) => {
      for (const bytes of Object.values({ one: FIRST['.holdfast/run.json']!, ...SECOND }))
        await writer.saveFile([bytes])
    })
    expect(again.hasBlob('data', blobs[1]!.id)).toBe(true)
    await repaired()
    await expectWhole()
  })

  it('leaves lost files out of their snapshots when it is asked to, and names each', async () => {
    const path = await largePack()
    const { blobs } = (await packsOf(storage, 'data')).find((pack) => pack.path === path)!
    await flip(storage, path, blobs.find(({ length }) => length > 300_000)!.offset + 20)
    const report = await repaired({ data: 'all', leaveOutLost: true })
    expect(report.rewrittenSnapshots.map(({ from }) => from).sort()).toEqual(
      snapshots.map(({ id }) => id).sort(),
    )
    const left = report.rewrittenSnapshots.flatMap(({ leftOut }) => leftOut)
    expect(left).toContain('users/a/large')
    await using repository = await openRepository(storage, TEST_OPTIONS)
    expect((await repository.check({ readData: true })).problems).toEqual([])
    const found = await repository.snapshots()
    expect(found.map(({ original, time, tags }) => ({ original, time, tags }))).toEqual(
      snapshots.map(({ id, time, tags }) => ({ original: id, time, tags })),
    )
    expect(await repository.entryAt(found[0]!.tree, 'users/a/large')).toBeUndefined()
    const later = await repository.entryAt(found[1]!.tree, 'users/b/later')
    expect(later).toMatchObject({ type: 'file', sizeBytes: 200_000 })
  })

  it('killed at any write or removal goes on when it is called again', async () => {
    const pristine = await contentOf(storage)
    let calls = 0
    for (let killAt = 1; killAt < 60; killAt += 1) {
      storage = memoryStorage()
      for (const [path, bytes] of pristine) await storage.write(path, [Buffer.from(bytes, 'hex')])
      const copy = memoryStorage()
      for (const [path, bytes] of pristine) await copy.write(path, [Buffer.from(bytes, 'hex')])
      await using other = await openRepository(copy, TEST_OPTIONS)
      await flip(storage, await largePack(), 100)
      const holdsRoot = ({ blobs }: { readonly blobs: readonly { readonly id: string }[] }): boolean =>
        blobs.some(({ id }) => id === snapshots[1]!.tree)
      await flip(storage, (await packsOf(storage, 'tree')).find(holdsRoot)!.path, 30)
      await flip(storage, (await pathsIn(storage, 'index'))[0]!, 40)
      await storage.remove(`snapshots/${snapshots[0]!.id}`)
      calls = 0
      const options: RepairOptions = { data: 'all', sources: [other], lostSnapshots: 'restore' }
      const dying = dyingStorage(storage, () => (calls += 1) >= killAt)
      await using victim = await openRepository(dying, TEST_OPTIONS)
      const outcome = await victim.repair(options).catch(() => undefined)
      await removeAll(storage, 'locks')
      await repaired(options)
      await expectWhole()
      if (outcome !== undefined) return
    }
    throw new Error(`not at its end after ${calls} calls`)
  })

  it('stops, and takes nothing for damaged, when the storage does not answer', async () => {
    const before = await contentOf(storage)
    await using repository = await openRepository(
      {
        ...forwarding(storage),
        read: async (path, range, signal) => {
          if (path.startsWith('data/')) throw Object.assign(new Error('away'), { code: 'unavailable' })
          return storage.read(path, range, signal)
        },
      },
      TEST_OPTIONS,
    )
    await expect(repository.repair({ data: 'all' })).rejects.toThrow('away')
    expect(await contentOf(storage)).toEqual(before)
  })
})

const removeAll = async (storage: Storage, folder: string): Promise<void> => {
  for (const path of await pathsIn(storage, folder)) await storage.remove(path)
}

const contentOf = async (storage: Storage): Promise<Map<string, string>> => {
  const content = new Map<string, string>()
  for (const path of await pathsIn(storage, ''))
    content.set(path, Buffer.from(await storage.read(path)).toString('hex'))
  return content
}

const expectFiles = async (repository: Repository, tree: BlobId, files: Files): Promise<void> => {
  for (const [path, bytes] of Object.entries(files)) {
    const entry = await repository.entryAt(tree, path)
    if (entry?.type !== 'file') throw new Error(`${path} is no file`)
    expect((await collect(repository.readFile(entry))).equals(bytes), path).toBe(true)
  }
}

const forwarding = (storage: Storage): Storage => ({
  name: storage.name,
  write: (path, parts, signal) => storage.write(path, parts, signal),
  read: (path, range, signal) => storage.read(path, range, signal),
  stat: (path, signal) => storage.stat(path, signal),
  list: (folder, signal) => storage.list(folder, signal),
  remove: (path, signal) => storage.remove(path, signal),
  space: (signal) => storage.space(signal),
  [Symbol.asyncDispose]: async () => {},
})

/** Changes nothing any more once it is dead, as when the process was killed. */
const dyingStorage = (storage: Storage, isKilled: () => boolean): Storage => {
  let isDead = false
  const change = async (work: () => Promise<void>): Promise<void> => {
    isDead ||= isKilled()
    if (isDead) throw new Error('killed')
    await work()
  }
  return {
    ...forwarding(storage),
    write: (path, parts, signal) => change(() => storage.write(path, parts, signal)),
    remove: (path, signal) => change(() => storage.remove(path, signal)),
  }
}
