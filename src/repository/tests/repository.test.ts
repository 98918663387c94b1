import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FixedClock, seededRandom, systemRandom, unavailable } from '#base'
import { faulty, memoryStorage, readOnly, type Storage } from '#storage'
import { BlobIndex } from '../blob-index.ts'
import { newPrintFactors } from '../format/id-print.ts'
import type { BlobId, FilePart, Repository, RepositoryWriter, SnapshotId } from '../contract.ts'
import { blobIdOf } from '../format/ids.ts'
import { initRepository, openRepository } from '../repository.ts'
import { collect, TEST_OPTIONS } from './fixtures.ts'

const AT = new Date('2026-01-05T12:00:00Z')
const text = (value: string): Buffer => Buffer.from(value)
const noise = (seed: number, length: number): Buffer => {
  const random = seededRandom(seed)
  const words = Uint32Array.from({ length: Math.ceil(length / 4) }, () =>
    Math.floor(random.fraction() * 2 ** 32),
  )
  return Buffer.from(words.buffer, 0, length)
}
const pathsIn = async (storage: Storage, folder: string): Promise<string[]> => {
  const paths: string[] = []
  for await (const { path } of storage.list(folder)) paths.push(path)
  return paths
}
async function* sliced(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}
const saveAs = async (writer: RepositoryWriter, files: Record<string, FilePart[]>): Promise<BlobId> => {
  const tree = writer.edit()
  for (const [path, parts] of Object.entries(files)) {
    await tree.putFile(path, { ...(await writer.saveFile(parts)), modifiedAt: AT })
  }
  return (await tree.save())!
}
const backUp = (repository: Repository, files: Record<string, FilePart[]>) =>
  repository.withWriter(async (writer) =>
    writer.saveSnapshot({ time: AT, tree: await saveAs(writer, files), paths: ['/'], tags: [] }),
  )
const readPath = async (repository: Repository, tree: BlobId, path: string): Promise<Buffer> => {
  const entry = await repository.entryAt(tree, path)
  if (entry?.type !== 'file') throw new Error(`${path} is no file`)
  return collect(repository.readFile(entry))
}

// While one repository is open, the worker threads of all stay.
let running: Repository
beforeAll(async () => {
  running = await initRepository(memoryStorage(), TEST_OPTIONS)
})
afterAll(() => running[Symbol.asyncDispose]())

describe('opening', () => {
  it('says not-found, denied and conflict for none, a wrong password and a second init', async () => {
    const storage = memoryStorage()
    await expect(openRepository(storage, TEST_OPTIONS)).rejects.toMatchObject({ code: 'not-found' })
    await using repository = await initRepository(storage, TEST_OPTIONS)
    await expect(initRepository(storage, TEST_OPTIONS)).rejects.toMatchObject({ code: 'conflict' })
    const wrong = openRepository(storage, { ...TEST_OPTIONS, password: 'wrong' })
    await expect(wrong).rejects.toMatchObject({ code: 'denied', reason: 'wrong-password' })
    await using again = await openRepository(readOnly(storage), TEST_OPTIONS)
    expect(again.id).toBe(repository.id)
  })
})

describe('saving files', () => {
  it('stores equal parts of different files once, large and small, in one run and in the next', async () => {
    const storage = memoryStorage()
    await using repository = await initRepository(storage, TEST_OPTIONS)
    const attachment = noise(1, 3_000_000)
    await repository.withWriter(async (writer) => {
      const first = await writer.saveFile([text('one'), attachment, text('end')])
      const second = await writer.saveFile([text('two'), sliced(attachment, 70_001), text('end')])
      expect(first.sizeBytes).toBe(3_000_006)
      expect(first.newBytes).toBe(3_000_006)
      expect(second.content.slice(1)).toEqual(first.content.slice(1))
      expect(second.newBytes).toBe(3)
      expect(writer.stats).toMatchObject({ files: 2, readBytes: 6_000_012, newBytes: 3_000_009 })
      expect(writer.stats.newBlobs).toBe(first.content.length + 1)
    })
    await using again = await openRepository(storage, TEST_OPTIONS)
    await again.withWriter(async (writer) => {
      expect((await writer.saveFile([attachment])).newBytes).toBe(0)
      expect(writer.stats).toMatchObject({ newBlobs: 0, storedBytes: 0 })
    })
  })

  it('gives an empty file no blob, and a file of any slices the same blobs', async () => {
    await using repository = await initRepository(memoryStorage(), TEST_OPTIONS)
    await repository.withWriter(async (writer) => {
      expect(await writer.saveFile([])).toEqual({ content: [], sizeBytes: 0, newBytes: 0 })
      expect(await writer.saveFile([text('')])).toEqual({ content: [], sizeBytes: 0, newBytes: 0 })
      for (const size of [1000, 600_000]) {
        const whole = noise(size, size)
        const { content } = await writer.saveFile([whole])
        expect((await writer.saveFile([sliced(whole, 777)])).content).toEqual(content)
      }
    })
  })

  it('keeps what was taken over, whatever happens to the caller’s buffer', async () => {
    await using repository = await initRepository(memoryStorage(), TEST_OPTIONS)
    const buffer = noise(3, 900_000)
    const kept = Buffer.from(buffer)
    async function* reusing(): AsyncGenerator<Uint8Array> {
      const one = Buffer.alloc(1000)
      for (let at = 0; at < kept.length; at += 1000) {
        kept.copy(one, 0, at, at + 1000)
        yield one
      }
    }
    const snapshot = await repository.withWriter(async (writer) => {
      const files = { a: [buffer.subarray(0, 1000), buffer], b: [reusing()] }
      const tree = await saveAs(writer, files)
      buffer.fill(0)
      return writer.saveSnapshot({ time: AT, tree, paths: ['/'], tags: [] })
    })
    expect(
      (await readPath(repository, snapshot.tree, 'a')).equals(Buffer.concat([kept.subarray(0, 1000), kept])),
    ).toBe(true)
    expect((await readPath(repository, snapshot.tree, 'b')).equals(kept)).toBe(true)
  })

  it('takes 3,000 small files and many writers at once', async () => {
    const storage = memoryStorage()
    await using repository = await initRepository(storage, TEST_OPTIONS)
    await Promise.all(
      [0, 1, 2].map((number) =>
        repository.withWriter(async (writer) => {
          for (let at = 0; at < 1000; at += 1)
            await writer.saveFile([text(`mail ${at} ${at % 2 ? number : 'shared'}`)])
        }),
      ),
    )
    expect(await repository.check({ readData: true })).toMatchObject({ blobs: 500 + 1500, problems: [] })
    expect(await pathsIn(storage, 'locks')).toEqual([])
  })

  it('lets a writer read what it saved before it is stored', async () => {
    await using repository = await initRepository(memoryStorage(), TEST_OPTIONS)
    await repository.withWriter(async (writer) => {
      const tree = await saveAs(writer, { 'a/b': [text('early')], big: [noise(4, 2_000_000)] })
      expect((await readPath(repository, tree, 'a/b')).toString()).toBe('early')
      expect((await readPath(repository, tree, 'big')).equals(noise(4, 2_000_000))).toBe(true)
      expect(repository.hasBlob('tree', tree)).toBe(true)
    })
  })
})

describe('failure', () => {
  it('of the storage fails the writer, and leaves what was there readable and the rest to a next run', async () => {
    const storage = memoryStorage()
    await using first = await initRepository(storage, TEST_OPTIONS)
    const snapshot = await backUp(first, { kept: [text('kept')] })
    let isBroken = true
    const fragile: Storage = {
      ...wrapped(storage),
      write: async (path, parts) => {
        if (isBroken && path.startsWith('data/')) throw unavailable('the storage is gone')
        await storage.write(path, parts)
      },
    }
    await using repository = await openRepository(fragile, TEST_OPTIONS)
    const lost = backUp(repository, { lost: [noise(5, 1_000_000)] })
    await expect(lost).rejects.toMatchObject({ code: 'unavailable' })
    expect(repository.hasBlob('data', blobIdOf(noise(5, 1_000_000)))).toBe(false)
    expect((await readPath(repository, snapshot.tree, 'kept')).toString()).toBe('kept')
    isBroken = false
    const found = await backUp(repository, { lost: [noise(5, 1_000_000)] })
    expect((await readPath(repository, found.tree, 'lost')).equals(noise(5, 1_000_000))).toBe(true)
    expect((await repository.check({ readData: true })).problems).toEqual([])
  })

  it('of an index file never leaves a snapshot without its blobs', async () => {
    const storage = memoryStorage()
    await (await initRepository(storage, TEST_OPTIONS))[Symbol.asyncDispose]()
    let isBroken = true
    const fragile: Storage = {
      ...wrapped(storage),
      write: async (path, parts) => {
        if (isBroken && path.startsWith('index/')) throw unavailable('the storage is gone')
        await storage.write(path, parts)
      },
    }
    await using repository = await openRepository(fragile, TEST_OPTIONS)
    await expect(backUp(repository, { a: [text('a')] })).rejects.toMatchObject({ code: 'unavailable' })
    isBroken = false
    await backUp(repository, { a: [text('a')] })
    expect(await repository.check({ readData: true })).toMatchObject({ snapshots: 1, problems: [] })
  })

  it('of the work keeps what was saved for the next run, and releases the lock', async () => {
    const storage = memoryStorage()
    await using repository = await initRepository(storage, TEST_OPTIONS)
    const failed = repository.withWriter(async (writer) => {
      await writer.saveFile([text('paid for')])
      await writer.flush()
      throw new Error('the mailbox is gone')
    })
    await expect(failed).rejects.toThrow('the mailbox is gone')
    expect(await pathsIn(storage, 'locks')).toEqual([])
    await repository.withWriter(async (writer) => {
      expect((await writer.saveFile([text('paid for')])).newBytes).toBe(0)
    })
  })

  it('of a source stream fails its file alone', async () => {
    await using repository = await initRepository(memoryStorage(), TEST_OPTIONS)
    const [begun, good] = [noise(6, 6_000_000), noise(7, 5_000_000)]
    async function* breaking(): AsyncGenerator<Uint8Array> {
      yield begun
      throw new Error('connection lost')
    }
    const snapshot = await repository.withWriter(async (writer) => {
      for (let attempt = 0; attempt < 14; attempt += 1) {
        await expect(writer.saveFile([breaking()])).rejects.toThrow('connection lost')
      }
      const tree = await saveAs(writer, { good: [good] })
      return writer.saveSnapshot({ time: AT, tree, paths: ['/'], tags: [] })
    })
    expect((await readPath(repository, snapshot.tree, 'good')).equals(good)).toBe(true)
  })

  it('stops when the signal fires', async () => {
    await using repository = await initRepository(memoryStorage(), TEST_OPTIONS)
    const controller = new AbortController()
    const stopped = repository.withWriter(async (writer) => {
      await writer.saveFile([text('x')])
      controller.abort()
      await writer.saveFile([text('y')])
    }, controller.signal)
    await expect(stopped).rejects.toMatchObject({ name: 'AbortError' })
  })

  it('of every tenth call leaves a repository that passes its check', async () => {
    const storage = memoryStorage()
    await (await initRepository(storage, TEST_OPTIONS))[Symbol.asyncDispose]()
    const random = seededRandom(11)
    let saved = 0
    for (let attempt = 0; attempt < 25; attempt += 1) {
      try {
        const shaky = faulty(storage, { random, rate: 0.1 })
        await using repository = await openRepository(shaky, { ...TEST_OPTIONS, clock: new FixedClock(AT) })
        await backUp(repository, { [`f${attempt}`]: [text(`content ${attempt}`), noise(attempt, 700_000)] })
        saved += 1
      } catch (error) {
        expect(error).toMatchObject({ code: 'unavailable' })
      }
    }
    expect(saved).toBeGreaterThan(2)
    expect(saved).toBeLessThan(25)
    await using repository = await openRepository(storage, TEST_OPTIONS)
    const report = await repository.check({ readData: true })
    expect(report.problems).toEqual([])
    expect(report.snapshots).toBeGreaterThanOrEqual(saved)
  })
})

describe('damage', () => {
  it('of any byte of a pack is found, and never gives wrong data', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 20 }, (_, at) => [`f${at}`, [text(`content ${at} `.repeat(99))]]),
    )
    const storage = memoryStorage()
    await using repository = await initRepository(storage, TEST_OPTIONS)
    const snapshot = await backUp(repository, files)
    for (const pack of await pathsIn(storage, 'data')) {
      const whole = await storage.read(pack)
      for (let at = 0; at < whole.length; at += 211) {
        const damaged = whole.slice()
        damaged[at]! ^= 1 << (at & 7)
        await storage.remove(pack)
        await storage.write(pack, [damaged])
        await using reopened = await openRepository(storage, TEST_OPTIONS)
        for (const path of Object.keys(files)) {
          const found = await readPath(reopened, snapshot.tree, path).catch((error: unknown) => error)
          if (found instanceof Buffer) expect(found.equals(Buffer.concat(files[path]!))).toBe(true)
          else expect(found).toMatchObject({ code: 'corrupt' })
        }
      }
      await storage.remove(pack)
      await storage.write(pack, [whole])
    }
    expect((await repository.check({ readData: true })).problems).toEqual([])
  })

  it.each(['data', 'index', 'snapshots', 'keys'])(
    'of a file in %s is reported by the check',
    async (folder) => {
      const storage = memoryStorage()
      await using repository = await initRepository(storage, TEST_OPTIONS)
      await repository.addKey('second')
      await backUp(repository, { a: [text('a')] })
      const path = (await pathsIn(storage, folder))[0]!
      const whole = await storage.read(path)
      whole[whole.length - 20]! ^= 1
      await storage.remove(path)
      await storage.write(path, [whole])
      const { problems } = await repository.check({ readData: true })
      expect(problems.length).toBeGreaterThan(0)
      expect(problems.join()).toContain(path.split('/').at(-1))
    },
  )

  it('is corrupt, not a crash, where a pack is missing or cut off', async () => {
    const storage = memoryStorage()
    await using repository = await initRepository(storage, TEST_OPTIONS)
    const snapshot = await backUp(repository, { a: [noise(8, 2_000_000)] })
    const packs = await pathsIn(storage, 'data')
    for (const pack of packs) {
      const whole = await storage.read(pack)
      await storage.remove(pack)
      await using missing = await openRepository(storage, TEST_OPTIONS)
      await expect(readPath(missing, snapshot.tree, 'a')).rejects.toMatchObject({ code: 'corrupt' })
      expect((await missing.check({ readData: false })).problems.join()).toContain('not stored')
      await storage.write(pack, [whole.subarray(0, 40)])
      await using cut = await openRepository(storage, TEST_OPTIONS)
      await expect(readPath(cut, snapshot.tree, 'a')).rejects.toMatchObject({ code: 'corrupt' })
      expect((await cut.check({ readData: true })).problems.length).toBeGreaterThan(0)
      await storage.remove(pack)
      await storage.write(pack, [whole])
    }
  })
})

describe('pruning', () => {
  it('keeps what snapshots and checkpoints need, and nothing else', async () => {
    const storage = memoryStorage()
    await using repository = await initRepository(storage, TEST_OPTIONS)
    const shared = noise(20, 700_000)
    const old = await backUp(repository, { shared: [shared], old: [noise(21, 5_000_000)] })
    const kept = await backUp(repository, { shared: [shared], kept: [noise(22, 700_000)] })
    const checkpoint = await repository.withWriter((writer) => saveAs(writer, { half: [noise(23, 700_000)] }))
    await storage.write(`data/aa/${'a'.repeat(64)}`, [text('left by a crash')])

    await repository.forget([old.id])
    const { removedBytes } = await repository.prune({ keepTrees: [checkpoint] })
    expect(removedBytes).toBeGreaterThan(4_900_000)
    expect(await repository.snapshots()).toMatchObject([{ id: kept.id }])
    expect((await readPath(repository, kept.tree, 'shared')).equals(shared)).toBe(true)
    expect((await readPath(repository, checkpoint, 'half')).equals(noise(23, 700_000))).toBe(true)
    expect(repository.hasBlob('tree', old.tree)).toBe(false)
    expect(await pathsIn(storage, 'data')).not.toContain(`data/aa/${'a'.repeat(64)}`)
    expect((await repository.check({ readData: true })).problems).toEqual([])

    await repository.prune({ keepTrees: [] })
    await using reopened = await openRepository(storage, TEST_OPTIONS)
    expect(reopened.hasBlob('tree', checkpoint)).toBe(false)
    expect((await reopened.check({ readData: true })).problems).toEqual([])
  })

  it('is seen by another reader that has the old index', async () => {
    const storage = memoryStorage()
    await using repository = await initRepository(storage, TEST_OPTIONS)
    const old = await backUp(repository, { a: [noise(30, 600_000)], b: [noise(31, 500_000)] })
    const kept = await backUp(repository, { b: [noise(31, 500_000)] })
    await using reader = await openRepository(storage, TEST_OPTIONS)
    await repository.forget([old.id])
    await repository.prune({ keepTrees: [] })
    expect((await readPath(reader, kept.tree, 'b')).equals(noise(31, 500_000))).toBe(true)
  })

  it('merges many small packs', async () => {
    const storage = memoryStorage()
    await using repository = await initRepository(storage, TEST_OPTIONS)
    for (let at = 0; at < 12; at += 1) await backUp(repository, { [`f${at}`]: [text(`content ${at}`)] })
    expect((await pathsIn(storage, 'data')).length).toBe(24)
    await repository.prune({ keepTrees: [] })
    expect((await pathsIn(storage, 'data')).length).toBe(2)
    expect(await repository.check({ readData: true })).toMatchObject({ snapshots: 12, problems: [] })
  })

  it('removes nothing when something needed cannot be read', async () => {
    const storage = memoryStorage()
    await using repository = await initRepository(storage, TEST_OPTIONS)
    await backUp(repository, { a: [text('a')] })
    const before = await pathsIn(storage, '')
    const unknown = 'f'.repeat(64) as BlobId
    await expect(repository.prune({ keepTrees: [unknown] })).rejects.toMatchObject({ code: 'corrupt' })
    expect(await pathsIn(storage, '')).toEqual(before)
  })

  it('killed at any write or removal loses nothing', async () => {
    const [large, both] = [noise(40, 600_000), noise(41, 400_000)]
    for (let limit = 0; limit < 9; limit += 1) {
      const storage = memoryStorage()
      let left = Number.POSITIVE_INFINITY
      const spend = (): void => {
        left -= 1
        if (left < 0) throw unavailable('killed')
      }
      const mortal: Storage = {
        ...wrapped(storage),
        write: async (path, parts) => {
          spend()
          await storage.write(path, parts)
        },
        remove: async (path) => {
          if (!path.startsWith('locks/')) spend()
          await storage.remove(path)
        },
      }
      await using repository = await initRepository(mortal, { ...TEST_OPTIONS, clock: new FixedClock(AT) })
      const old = await backUp(repository, { old: [large], both: [both] })
      const kept = await backUp(repository, { both: [both] })
      await repository.forget([old.id])
      left = limit
      await repository.prune({ keepTrees: [] }).catch(() => undefined)
      await using after = await openRepository(storage, { ...TEST_OPTIONS, clock: new FixedClock(AT) })
      expect((await readPath(after, kept.tree, 'both')).equals(both)).toBe(true)
      expect((await after.check({ readData: true })).problems).toEqual([])
    }
  })
})

describe('locks', () => {
  it('keep pruning and writing apart, and are gone afterwards', async () => {
    const storage = memoryStorage()
    await using repository = await initRepository(storage, TEST_OPTIONS)
    await repository.withWriter((writer) => saveAs(writer, { waste: [text('waste')] }))
    await using other = await openRepository(storage, TEST_OPTIONS)
    await repository.withWriter(async () => {
      expect((await other.prune({ keepTrees: [] })).postponed).toContain('locked by process')
      await other.withWriter(async (writer) => void (await writer.saveFile([text('beside')])))
    })
    await other.prune({ keepTrees: [] })
    expect(await pathsIn(storage, 'locks')).toEqual([])
  })

  it('of a process that was killed are removed by who comes next', async () => {
    const storage = memoryStorage()
    const dead = deadPid()
    await using first = await initRepository(storage, TEST_OPTIONS)
    await first.withWriter((writer) => saveAs(writer, { waste: [text('waste')] }))
    await leaveLock(storage, { ...TEST_OPTIONS.host, pid: dead, time: new Date() })
    expect(await first.prune({ keepTrees: [] })).not.toHaveProperty('postponed')
    await leaveLock(storage, { ...TEST_OPTIONS.host, pid: dead, time: new Date() })
    await using _again = await openRepository(storage, TEST_OPTIONS)
    expect(await pathsIn(storage, 'locks')).toEqual([])
  })

  it('of another machine stay, and the refusal says whose and how old', async () => {
    const storage = memoryStorage()
    await using repository = await initRepository(storage, TEST_OPTIONS)
    const hourAgo = new Date(TEST_OPTIONS.clock.nowMs() - 60 * 60 * 1000)
    await repository.withWriter((writer) => saveAs(writer, { waste: [text('waste')] }))
    await leaveLock(storage, { hostname: 'elsewhere', username: 'x', pid: 7, time: hourAgo })
    await using again = await openRepository(storage, TEST_OPTIONS)
    const { postponed } = await again.prune({ keepTrees: [] })
    expect(postponed).toMatch(/process 7 on elsewhere, 60 minutes ago; the lock is stale/)
    await expect(repository.withWriter(async () => 'beside it')).resolves.toBe('beside it')
  })
})

describe('snapshots', () => {
  it('are listed by time with all they were given', async () => {
    await using repository = await initRepository(memoryStorage(), TEST_OPTIONS)
    const first = await backUp(repository, { a: [text('a')] })
    const second = await repository.withWriter(async (writer) =>
      writer.saveSnapshot({
        time: new Date('2026-01-04T00:00:00.5Z'),
        tree: first.tree,
        paths: ['/a & b'],
        tags: ['job:1', 'ü'],
        parent: first.id,
      }),
    )
    expect((await repository.snapshots()).map(({ id }) => id)).toEqual([second.id, first.id])
    expect(await repository.snapshot(second.id)).toEqual({
      id: second.id,
      time: new Date('2026-01-04T00:00:00.5Z'),
      tree: first.tree,
      paths: ['/a & b'],
      hostname: 'test-host',
      username: 'tester',
      tags: ['job:1', 'ü'],
      parent: first.id,
    })
    await expect(repository.snapshot('../config' as SnapshotId)).rejects.toMatchObject({ code: 'not-found' })
  })
})

describe('the index', () => {
  it.each([
    { held: 'prints', bytes: 45, index: new BlobIndex(newPrintFactors(systemRandom)) },
    { held: 'whole ids', bytes: 61, index: new BlobIndex() },
  ])('holds a blob in at most $bytes bytes with $held, and finds every one', ({ bytes, index }) => {
    const ids = Array.from(
      { length: 130_000 },
      () => Buffer.from(systemRandom.bytes(32)).toString('hex') as BlobId,
    )
    for (let from = 0; from < ids.length; from += 1000) {
      const blobs = ids.slice(from, from + 1000).map((id, at) => ({
        id,
        type: at % 2 === 0 ? ('data' as const) : ('tree' as const),
        offset: at * 100,
        length: 100,
        uncompressed: at,
      }))
      index.addPack({ id: `${from}`.padStart(64, '0'), blobs })
    }
    expect(index.size).toBe(130_000)
    expect(index.memoryBytes / index.size).toBeLessThanOrEqual(bytes)
    ids.forEach((id, at) => {
      const type = at % 2 === 0 ? 'data' : 'tree'
      if (index.find(type, id)?.offset !== (at % 1000) * 100) throw new Error(`blob ${at} is lost`)
      if (index.has(type === 'data' ? 'tree' : 'data', id)) throw new Error(`blob ${at} has two types`)
    })
  })
})

const wrapped = (storage: Storage): Storage => ({
  name: storage.name,
  write: (path, parts, signal) => storage.write(path, parts, signal),
  read: (path, range, signal) => storage.read(path, range, signal),
  stat: (path, signal) => storage.stat(path, signal),
  list: (folder, signal) => storage.list(folder, signal),
  remove: (path, signal) => storage.remove(path, signal),
  space: (signal) => storage.space(signal),
  [Symbol.asyncDispose]: () => storage[Symbol.asyncDispose](),
})

/** The number of a process that ran and is gone. */
const deadPid = (): number => Number(execFileSync('sh', ['-c', 'echo $$']).toString())

const leaveLock = async (
  storage: Storage,
  lock: { hostname: string; username: string; pid: number; time: Date },
): Promise<void> => {
  const { openKeyFile } = await import('../format/key-file.ts')
  const { sealDocument } = await import('../format/document.ts')
  const [file] = await pathsIn(storage, 'keys')
  const key = (await openKeyFile(await storage.read(file!), TEST_OPTIONS.password))!
  const sealed = sealDocument(key, JSON.stringify({ ...lock, exclusive: false }), systemRandom.bytes(16))
  const { sha256Hex } = await import('../format/ids.ts')
  await storage.write(`locks/${sha256Hex(sealed)}`, [sealed])
}
