import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { memoryStorage, type Storage } from '#storage'
import type { Repository } from './contract.ts'
import { initRepository, openRepository } from './repository.ts'
import { backUp, flip, noise, packsOf, text } from './tests/damage.ts'
import { collect, TEST_OPTIONS } from './tests/fixtures.ts'

let running: Repository
beforeAll(async () => {
  running = await initRepository(memoryStorage(), TEST_OPTIONS)
})
afterAll(() => running[Symbol.asyncDispose]())

const FILES = { 'users/a/one': text('one'), 'users/a/large': noise(1, 900_000), 'users/b/two': text('two') }
const TAGS = ['holdfast', 'org:one', 'job:nightly', 'run:1']
const OTHER = { ...TEST_OPTIONS, password: 'another' }

/** Fails the so-manyth write, as when the process is killed. */
const dying = (storage: Storage, writes: number): Storage => {
  let left = writes
  return {
    name: storage.name,
    write: async (path, parts, signal) => {
      left -= 1
      if (left < 0) throw new Error('killed')
      await storage.write(path, parts, signal)
    },
    read: (path, range, signal) => storage.read(path, range, signal),
    stat: (path, signal) => storage.stat(path, signal),
    list: (folder, signal) => storage.list(folder, signal),
    remove: (path, signal) => storage.remove(path, signal),
    space: (signal) => storage.space(signal),
    [Symbol.asyncDispose]: async () => {},
  }
}

describe('copying between repositories', () => {
  it('keeps what a snapshot tells, names its original, and copies only what is new', async () => {
    const storage = memoryStorage()
    await using source = await initRepository(storage, TEST_OPTIONS)
    await using target = await initRepository(memoryStorage(), OTHER)
    const first = await backUp(source, FILES, { tags: TAGS })
    const report = await target.copyFrom(source, {})
    expect(report.copied.map(({ from }) => from)).toEqual([first.id])
    const { id: _id, ...told } = first
    expect(await target.snapshots()).toMatchObject([{ ...told, original: first.id }])
    expect((await target.check({ readData: true })).problems).toEqual([])
    expect(await target.copyFrom(source, {})).toMatchObject({ copied: [], alreadyThere: 1, readBytes: 0 })

    await backUp(source, { ...FILES, 'users/b/new': text('new') }, { time: new Date('2026-02-01T00:00:00Z') })
    const second = await target.copyFrom(source, {})
    expect(second).toMatchObject({ alreadyThere: 1 })
    expect(second.readBytes).toBeLessThan(10_000)
    const entry = await target.entryAt((await target.snapshots())[1]!.tree, 'users/a/large')
    if (entry?.type !== 'file') throw new Error('it is gone')
    expect((await collect(target.readFile(entry))).equals(FILES['users/a/large'])).toBe(true)
  })

  it('goes on sharing chunks where the target cuts alike, though nothing of the source opens it', async () => {
    await using source = await initRepository(memoryStorage(), TEST_OPTIONS)
    const storage = memoryStorage()
    await using target = await initRepository(storage, { ...OTHER, cutLike: source })
    await backUp(source, { large: noise(3, 9_000_000) }, { tags: TAGS })
    await target.copyFrom(source, {})
    const before = await target.usage({ ownerOf: () => undefined })
    await backUp(target, { again: noise(3, 9_000_000) }, { time: new Date('2026-02-01T00:00:00Z') })
    const after = await target.usage({ ownerOf: () => undefined })
    expect(after.dataBytes).toBe(before.dataBytes)
    expect(target.id).not.toBe(source.id)
    await expect(openRepository(storage, TEST_OPTIONS)).rejects.toMatchObject({ reason: 'wrong-password' })
  })

  it('copies one object alone where a filter says so, and no name of the others', async () => {
    await using source = await initRepository(memoryStorage(), TEST_OPTIONS)
    const storage = memoryStorage()
    await using target = await initRepository(storage, TEST_OPTIONS)
    await backUp(source, FILES)
    await target.copyFrom(source, {
      filter: (path) => (path === 'users' ? 'part' : path === 'users/b' ? 'all' : 'none'),
    })
    const [snapshot] = await target.snapshots()
    const names = (await target.tree(snapshot!.tree)).map(({ name }) => name)
    expect(names).toEqual(['users'])
    expect(await target.entryAt(snapshot!.tree, 'users/a')).toBeUndefined()
    expect(await target.entryAt(snapshot!.tree, 'users/b/two')).toMatchObject({ type: 'file', sizeBytes: 3 })
    const blobs = [...(await packsOf(storage, 'tree')), ...(await packsOf(storage, 'data'))]
    expect(blobs.flatMap((pack) => pack.blobs)).toHaveLength(4)
    expect((await target.check({ readData: true })).problems).toEqual([])
  })

  it('goes on where it was killed, and never leaves a snapshot without its blobs', async () => {
    await using source = await initRepository(memoryStorage(), TEST_OPTIONS)
    await backUp(source, FILES)
    for (let writes = 0; writes < 20; writes += 1) {
      const storage = memoryStorage()
      await using target = await initRepository(storage, TEST_OPTIONS)
      await using victim = await openRepository(dying(storage, writes), TEST_OPTIONS)
      const outcome = await victim.copyFrom(source, {}).catch(() => undefined)
      await target.refresh()
      expect((await target.check({ readData: true })).problems).toEqual([])
      await target.copyFrom(source, {})
      expect(await target.snapshots()).toHaveLength(1)
      expect((await target.check({ readData: true })).problems).toEqual([])
      if (outcome !== undefined) return
    }
    throw new Error('it never came to its end')
  })

  it('copies the rest where a blob is damaged, names what lacks it, and takes it up once it is healed', async () => {
    const storage = memoryStorage()
    await using source = await initRepository(storage, TEST_OPTIONS)
    const sound = await backUp(source, FILES)
    const [before] = await packsOf(storage, 'data')
    const time = new Date('2026-02-01T00:00:00Z')
    const hurt = await backUp(source, { ...FILES, 'users/b/new': noise(7, 3000) }, { time })
    const later = await backUp(
      source,
      { 'users/c/three': text('three') },
      { time: new Date('2026-03-01T00:00:00Z') },
    )
    const damaged = (await packsOf(storage, 'data')).find(
      ({ path, blobs }) => path !== before!.path && blobs.some(({ length }) => length > 2000),
    )!
    const bytes = await storage.read(damaged.path)
    await using copy = await initRepository(memoryStorage(), TEST_OPTIONS)
    for (const damage of [
      () => flip(storage, damaged.path, 40),
      () => storage.remove(damaged.path),
      () => storage.write(damaged.path, [bytes.subarray(0, 20)]),
    ]) {
      await damage()
      await using hurtSource = await openRepository(storage, TEST_OPTIONS)
      const report = await copy.copyFrom(hurtSource, {})
      expect(report).toMatchObject({
        notCopied: [{ snapshot: hurt.id }],
        lostBlobs: damaged.blobs.map(({ type, id }) => ({ type, id })),
      })
      expect((await copy.snapshots()).map(({ original }) => original)).toEqual([sound.id, later.id])
      expect((await copy.check({ readData: true })).problems).toEqual([])
    }
    await storage.remove(damaged.path)
    await storage.write(damaged.path, [bytes])
    expect(await copy.copyFrom(source, {})).toMatchObject({ notCopied: [], copied: [{ from: hurt.id }] })
    expect((await copy.check({ readData: true })).problems).toEqual([])
  })

  it('looks only into folders that the copy does not have', async () => {
    const storage = memoryStorage()
    await using source = await initRepository(storage, TEST_OPTIONS)
    const many = Object.fromEntries(
      Array.from({ length: 40 }, (_, at) => [`users/u${at}/mail/m`, text(`mail ${at}`)]),
    )
    const base = await backUp(source, many, { tags: TAGS })
    await using target = await initRepository(memoryStorage(), OTHER)
    await target.copyFrom(source, {})
    // Without the pack that holds the trees of the first run, what is new can be copied still.
    const first = new Set((await packsOf(storage, 'tree')).map(({ path }) => path))
    await source.withWriter(async (writer) => {
      const tree = writer.edit(base.tree)
      const time = new Date('2026-02-01T00:00:00Z')
      await tree.putFile('users/u7/mail/n', { ...(await writer.saveFile([text('new')])), modifiedAt: time })
      await writer.saveSnapshot({ time, tree: (await tree.save())!, paths: ['/'], tags: [...TAGS, 'run:2'] })
    })
    for (const path of first) await storage.remove(path)
    await using again = await openRepository(storage, TEST_OPTIONS)
    expect(await again.verify({ data: 'none' })).not.toMatchObject({ problems: [] })
    expect(await target.copyFrom(again, {})).toMatchObject({ copiedBlobs: 5, notCopied: [], alreadyThere: 1 })
    expect((await target.check({ readData: true })).problems).toEqual([])
  })
})
