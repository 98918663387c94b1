import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { memoryStorage, type Storage } from '#storage'
import type { AffectedEntry, BlobId, BlobName, Problem, Repository, Snapshot } from './contract.ts'
import { initRepository, openRepository } from './repository.ts'
import { TEST_OPTIONS } from './tests/fixtures.ts'
import { backUp, cutOff, flip, noise, packsOf, pathsIn, replace, text } from './tests/damage.ts'

const affected = async (repository: Repository, blobs: readonly BlobName[]): Promise<AffectedEntry[]> => {
  const found: AffectedEntry[] = []
  for await (const entry of repository.affectedBy(blobs)) found.push(entry)
  return found
}

describe('verify', () => {
  let storage: Storage
  let repository: Repository
  let snapshots: Snapshot[]
  let running: Repository

  beforeAll(async () => {
    running = await initRepository(memoryStorage(), TEST_OPTIONS)
  })
  afterAll(() => running[Symbol.asyncDispose]())

  /** Two snapshots that share most of their files, each written on its own. */
  const setUp = async (): Promise<void> => {
    storage = memoryStorage()
    repository = await initRepository(storage, TEST_OPTIONS)
    const files = {
      'users/a/one': text('one'),
      'users/a/two': noise(1, 700_000),
      'users/b/three': text('three'),
    }
    snapshots = [
      await backUp(repository, files),
      await backUp(repository, { ...files, 'users/b/four': noise(2, 100_000) }),
    ]
  }
  /** What a new process finds. */
  const verified = async (data: 'none' | 'all' = 'all'): Promise<readonly Problem[]> => {
    await using again = await openRepository(storage, TEST_OPTIONS)
    const told: Problem[] = []
    const report = await again.verify({ data, onProblem: (problem) => told.push(problem) })
    expect(told).toEqual(report.problems)
    return report.problems
  }
  it('finds nothing in a sound repository, and counts what it read', async () => {
    await setUp()
    const report = await repository.verify({ data: 'all' })
    expect(report).toMatchObject({ packs: 4, snapshots: 2, readPacks: 4, problems: [] })
    expect(await repository.verify({ data: 'none' })).toMatchObject({ readPacks: 0, readBytes: 0 })
    await repository[Symbol.asyncDispose]()
  })

  it('reads every pack once over the slices of a rolling share', async () => {
    await setUp()
    const counts: number[] = []
    for (let index = 0; index < 3; index += 1)
      counts.push((await repository.verify({ data: { index, of: 3 } })).readPacks)
    expect(counts.reduce((sum, count) => sum + count)).toBe(4)
    await repository[Symbol.asyncDispose]()
  })

  it('names the blob of a flipped bit, and the item that needs it in each snapshot', async () => {
    await setUp()
    const [{ path } = { path: '' }] = await packsOf(storage, 'data')
    await flip(storage, path, 40)
    expect(await verified('none')).toEqual([])
    const [problem, ...others] = await verified()
    expect(others).toEqual([])
    expect(problem).toMatchObject({ kind: 'blob-damaged', file: path })
    expect(problem!.blobs).toHaveLength(1)
    const entries = await affected(repository, problem!.blobs)
    expect(entries.length).toBeGreaterThan(0)
    for (const entry of entries) {
      expect(entry.type).toBe('file')
      const { tree } = snapshots.find(({ id }) => id === entry.snapshot.id)!
      const file = await repository.entryAt(tree, entry.path)
      expect(file).toMatchObject({ content: expect.arrayContaining(entry.blobs.slice()) })
    }
    await repository[Symbol.asyncDispose]()
  })

  it.each([
    ['a flipped bit in a header', (path: string) => flip(storage, path, -10), 'pack-damaged'],
    ['a cut pack', (path: string) => cutOff(storage, path), 'pack-damaged'],
    ['a pack of no bytes', (path: string) => replace(storage, path, new Uint8Array(0)), 'pack-damaged'],
    ['a pack that is gone', (path: string) => storage.remove(path), 'pack-missing'],
  ])('finds %s without reading data', async (_what, damage, kind) => {
    await setUp()
    const [{ path } = { path: '' }] = await packsOf(storage, 'data')
    await damage(path)
    const problems = await verified('none')
    expect(problems).toMatchObject([{ kind, file: path }])
    await repository[Symbol.asyncDispose]()
  })

  it('finds damaged indexes, snapshots, keys and config, and indexes that are gone', async () => {
    await setUp()
    for (const [folder, kind] of [
      ['index', 'index-damaged'],
      ['snapshots', 'snapshot-damaged'],
    ] as const) {
      const [path] = await pathsIn(storage, folder)
      const before = await storage.read(path!)
      await flip(storage, path!, 30)
      const problems = await verified()
      expect(problems[0]).toMatchObject({ kind, file: path })
      await replace(storage, path!, before)
    }
    await storage.write(`keys/${'a'.repeat(64)}`, [text('no key')])
    expect(await verified('none')).toMatchObject([{ kind: 'key-damaged', file: `keys/${'a'.repeat(64)}` }])
    for (const path of await pathsIn(storage, 'index')) await storage.remove(path)
    const kinds = (await verified('none')).map(({ kind }) => kind)
    expect(new Set(kinds)).toEqual(new Set(['key-damaged', 'index-missing']))
    await repository[Symbol.asyncDispose]()
  })

  it('names a folder whose tree is lost', async () => {
    await setUp()
    const entry = await repository.entryAt(snapshots[0]!.tree, 'users/a')
    const tree: BlobName = {
      type: 'tree',
      id: entry!.type === 'folder' ? entry!.subtree : snapshots[0]!.tree,
    }
    const entries = await affected(repository, [tree])
    expect(entries.map(({ path, type }) => `${type} ${path}`)).toEqual(['folder users/a', 'folder users/a'])
    expect(await affected(repository, [{ type: 'data', id: 'f'.repeat(64) as BlobId }])).toEqual([])
    await repository[Symbol.asyncDispose]()
  })
})
