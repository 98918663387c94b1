import { describe, expect, it } from 'vitest'
import { seededRandom } from '#base'
import { memoryStorage } from '#storage'
import type { Repository, UsageOptions } from './contract.ts'
import { HashSet } from './hash-set.ts'
import { initRepository, openRepository } from './repository.ts'
import { TEST_OPTIONS } from './tests/fixtures.ts'

const AT = new Date('2026-01-02T03:04:05Z')
/** `users/<name>` is the user's. */
const ownerOf: UsageOptions['ownerOf'] = (path) => {
  if (path === 'users') return 'enter'
  return path.startsWith('users/') ? { owner: path.slice('users/'.length) } : undefined
}

/** By path, what a file holds. */
type Files = Readonly<Record<string, string>>

const random = seededRandom(5)
const text = (name: string, bytes = 2_000): string => {
  const noise = Buffer.from(random.bytes(bytes)).toString('base64')
  return `${name} ${noise}`
}

const repositoryWith = async (...points: readonly Files[]): Promise<Repository> => {
  const repository = await initRepository(memoryStorage(), TEST_OPTIONS)
  for (const [at, files] of points.entries()) await addPoint(repository, files, at)
  return repository
}

const addPoint = (repository: Repository, files: Files, at: number) =>
  repository.withWriter(async (writer) => {
    const tree = writer.edit()
    for (const [path, content] of Object.entries(files)) {
      const saved = await writer.saveFile([Buffer.from(content)])
      await tree.putFile(path, { ...saved, modifiedAt: AT })
    }
    const time = new Date(AT.getTime() + at * 1000)
    return writer.saveSnapshot({ time, tree: (await tree.save())!, paths: ['/o'], tags: [`n:${at}`] })
  })

describe('usage', () => {
  it('tells what each owner has alone, and what it shares', async () => {
    const [letter, both, own] = [text('letter'), text('both'), text('own')]
    await using repository = await repositoryWith({
      'users/ann/letter': letter,
      'users/ann/both': both,
      'users/bob/both too': both,
      'users/bob/own': own,
    })
    const { owners } = await repository.usage({ ownerOf })
    const [ann, bob] = [owners.get('ann')!, owners.get('bob')!]
    expect(ann.fileBytes).toBe(letter.length + both.length)
    expect(ann.dataBytes).toBe(letter.length + both.length)
    // What both have is stored once and nobody's alone.
    const shared = ann.storedBytes - ann.exclusiveBytes
    expect(shared).toBe(bob.storedBytes - bob.exclusiveBytes)
    expect(shared).toBeGreaterThan(2_000)
    expect(shared).toBeLessThan(both.length)
  })

  it('counts what an owner has twice once, and files by what is in them', async () => {
    const [same, added] = [text('same'), text('new', 50)]
    const file = { 'users/ann/a': same, 'users/ann/b': same }
    await using repository = await repositoryWith(file, { ...file, 'users/ann/c': added })
    const { owners, fileBytes } = await repository.usage({ ownerOf })
    expect(owners.get('ann')!.fileBytes).toBe(same.length + added.length)
    expect(fileBytes).toBe(same.length + added.length)
  })

  it('tells for each snapshot what it added and what would go with it alone', async () => {
    const steps = randomSteps(6)
    await using repository = await repositoryWith(...steps)
    const { snapshots, neededBytes } = await repository.usage({ ownerOf })
    expect(snapshots).toHaveLength(steps.length)
    expect(snapshots.reduce((sum, { grownBytes }) => sum + grownBytes, 0)).toBe(neededBytes)
    for (const { snapshot, exclusiveBytes, grownBytes } of snapshots) {
      expect(exclusiveBytes).toBeLessThanOrEqual(grownBytes)
      const at = snapshots.findIndex((each) => each.snapshot === snapshot)
      const without = await repositoryWith(...steps)
      await without.forget([(await without.snapshots())[at]!.id])
      expect((await without.usage({ ownerOf })).neededBytes, `without ${at}`).toBe(
        neededBytes - exclusiveBytes,
      )
      await without[Symbol.asyncDispose]()
    }
  })

  it('gives the same sums however the owners are told apart', async () => {
    await using repository = await repositoryWith(...randomSteps(4))
    const { owners, neededBytes, snapshots } = await repository.usage({ ownerOf })
    const ofNobody = await repository.usage({ ownerOf: () => undefined })
    expect(ofNobody).toMatchObject({ neededBytes, snapshots })
    expect(ofNobody.owners.size).toBe(0)
    for (const name of owners.keys()) {
      const alone = await repository.usage({
        ownerOf: (path) => (path === 'users' || path === `users/${name}` ? ownerOf(path) : undefined),
      })
      expect(alone.owners.get(name)!.storedBytes).toBe(owners.get(name)!.storedBytes)
      expect(alone).toMatchObject({ neededBytes, snapshots })
    }
  })

  it('tells waste: what no snapshot needs, but what a run that is under way does', async () => {
    await using repository = await repositoryWith({ 'users/ann/a': text('a') }, { 'users/ann/b': text('b') })
    const [first] = await repository.snapshots()
    const before = await repository.usage({ ownerOf })
    expect(before.wasteBytes).toBe(0)
    await repository.forget([first!.id])
    const after = await repository.usage({ ownerOf })
    expect(after.wasteBytes).toBe(before.snapshots[0]!.exclusiveBytes)
    expect(after.storedBytes).toBe(before.storedBytes)
    const kept = await repository.usage({ ownerOf, keepTrees: [first!.tree] })
    expect(kept.wasteBytes).toBe(0)
    expect(kept.fileBytes).toBe(after.fileBytes)
  })

  it('says when it could not read all', async () => {
    const storage = memoryStorage()
    await using repository = await initRepository(storage, TEST_OPTIONS)
    await addPoint(repository, { 'users/ann/a': text('a') }, 0)
    expect((await repository.usage({ ownerOf })).unreadable).toBe(0)
    for await (const { path } of storage.list('data')) await storage.remove(path)
    await using again = await openRepository(storage, TEST_OPTIONS)
    expect((await again.usage({ ownerOf })).unreadable).toBeGreaterThan(0)
  })
})

/** Files that come, change, move between users and go. */
const randomSteps = (count: number): readonly Files[] => {
  const pool = Array.from({ length: 12 }, (_, at) => text(`content ${at}`, 300))
  const steps: Record<string, string>[] = []
  for (let step = 0; step < count; step += 1) {
    const files: Record<string, string> = { ...steps.at(-1), 'run.json': `${step}` }
    for (let change = 0; change < 5; change += 1) {
      const [user, folder, file] = [3, 2, 4].map((most) => Math.floor(random.fraction() * most))
      const path = `users/u${user}/${folder}/${file}`
      if (random.fraction() < 0.3) delete files[path]
      else files[path] = pool[Math.floor(random.fraction() * pool.length)]!
    }
    steps.push(files)
  }
  return steps
}

describe('a set of hashes', () => {
  it('knows lists again, and no others', () => {
    const set = new HashSet()
    const lists = Array.from({ length: 5_000 }, (_, at) => [at, at % 7, ...(at % 2 === 0 ? [at] : [])])
    for (const list of lists) expect(set.add(list)).toBe(true)
    for (const list of lists) expect(set.add(list)).toBe(false)
    expect(set.add([])).toBe(true)
    expect(set.add([0])).toBe(true)
    expect(set.add([0, 7])).toBe(true)
  })
})
