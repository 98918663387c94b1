import { expect } from 'vitest'
import { FixedClock, isHoldfastError, seededRandom } from '#base'
import { initRepository, openRepository, type Repository, type Snapshot } from '#repository'
import { memoryStorage, type Storage } from '#storage'

export const START = '2026-11-24T10:00:00Z'
export const PASSWORD = 'secret'

/** Names of the files of each point. */
export const POINTS: readonly (readonly string[])[] = [
  ['a', 'b', 'shared'],
  ['b', 'c', 'shared'],
  ['c', 'd', 'shared'],
]

export interface SmallGround {
  readonly storage: Storage
  readonly clock: FixedClock
  /** Another repository with the same points, or the one that they are copied to. */
  readonly other?: Storage
}

export const optionsAt = (clock: FixedClock, { seed = 7, password = PASSWORD } = {}) => ({
  password,
  clock,
  random: seededRandom(seed),
  scrypt: { N: 2, r: 1, p: 1 },
})

/** Each opening takes other chances: what is left behind is not found again under the same name. */
let openings = 1_000
export const nextSeed = (): number => (openings += 1)

/** With the first of the passwords that opens it. */
export const openWithAny = async (
  { storage, clock }: SmallGround,
  passwords: readonly string[],
): Promise<Repository> => {
  for (const password of passwords.slice(0, -1)) {
    try {
      return await openRepository(storage, optionsAt(clock, { seed: nextSeed(), password }))
    } catch (error) {
      if (!isHoldfastError(error, 'denied')) throw error
    }
  }
  return openRepository(storage, optionsAt(clock, { seed: nextSeed(), password: passwords.at(-1)! }))
}

const contentOf = (name: string): Buffer => Buffer.from(`${name} `.repeat(500))

export const backUp = (repository: Repository, files: readonly string[], time: Date): Promise<Snapshot> =>
  repository.withWriter(async (writer) => {
    const tree = writer.edit()
    for (const name of files) {
      const saved = await writer.saveFile([contentOf(name)])
      await tree.putFile(`folder/${name}`, { ...saved, modifiedAt: time })
    }
    await writer.flush()
    return writer.saveSnapshot({ time, tree: (await tree.save())!, paths: ['/x'], tags: [] })
  })

/** Every file of every point reads as it was saved; answers the names by point. */
export const contents = async (repository: Repository): Promise<string[][]> => {
  const points: string[][] = []
  for (const { tree } of await repository.snapshots()) {
    const names: string[] = []
    const folder = await repository.entryAt(tree, 'folder')
    if (folder?.type !== 'folder') throw new Error('the folder of a point is gone')
    for (const entry of await repository.tree(folder.subtree)) {
      if (entry.type !== 'file') throw new Error('a folder where a file was')
      const pieces: Uint8Array[] = []
      for await (const piece of repository.readFile(entry)) pieces.push(piece)
      expect(Buffer.concat(pieces).equals(contentOf(entry.name)), entry.name).toBe(true)
      names.push(entry.name)
    }
    points.push(names)
  }
  return points
}

export const sorted = (points: readonly (readonly string[])[]): string[] =>
  points.map((names) => names.join(' ')).sort()

/** A repository with three points. */
export const prepared = async (): Promise<SmallGround> => {
  const [storage, clock] = [memoryStorage(), new FixedClock(START)]
  await using repository = await initRepository(storage, optionsAt(clock))
  for (const files of POINTS) {
    clock.advance(60_000)
    await backUp(repository, files, clock.now())
  }
  return { storage, clock }
}

/** Another repository without a point. */
export const emptyOther = async ({ clock }: SmallGround): Promise<Storage> => {
  const storage = memoryStorage()
  await using _made = await initRepository(storage, optionsAt(clock, { seed: 8 }))
  return storage
}

/** The only word about a call that failed, or of a prune that would rather not. */
export const SAID = /did not answer|nothing is pruned/
