import { expect } from 'vitest'
import { openRepository, type Repository } from '#repository'
import type { Storage } from '#storage'
import {
  backUp,
  emptyOther,
  nextSeed,
  optionsAt,
  PASSWORD,
  POINTS,
  prepared,
  type SmallGround,
} from './small-repository.ts'

/** Work of which one storage call fails. */
export interface Operation {
  readonly name: string
  readonly prepare: () => Promise<SmallGround>
  /** May be done again after it failed, and then does what is left. */
  readonly run: (repository: Repository, ground: SmallGround) => Promise<unknown>
  /** Names of the files of each point, before and after, of what `judged` holds. */
  readonly before: readonly (readonly string[])[]
  readonly after: readonly (readonly string[])[]
  /** Damaged until the work is done. */
  readonly isDamaged?: true
  /** Where the result is; where calls fail unless told. */
  readonly judged?: (ground: SmallGround) => Storage
  /** Those that open it meanwhile; in the end only the last one does. */
  readonly passwords?: readonly string[]
}

const another = async ({ clock }: SmallGround, storage: Storage): Promise<Repository> =>
  openRepository(storage, optionsAt(clock, { seed: nextSeed() }))

const NEW = ['d', 'e', 'shared']

const withWaste = async (): Promise<SmallGround> => {
  const ground = await prepared()
  await using repository = await openRepository(ground.storage, optionsAt(ground.clock))
  await repository.forget([(await repository.snapshots())[0]!.id])
  return ground
}

const removeFirst = async (storage: Storage, folder: string): Promise<void> => {
  for await (const { path } of storage.list(folder)) return storage.remove(path)
}

const withOther = async (ground: SmallGround): Promise<SmallGround> => {
  const other = await emptyOther(ground)
  await using source = await openRepository(ground.storage, optionsAt(ground.clock))
  await using target = await another(ground, other)
  await target.copyFrom(source, {})
  return { ...ground, other }
}

const copy = async (target: Repository, source: Repository): Promise<void> => {
  const { notCopied } = await target.copyFrom(source, {})
  expect(notCopied).toEqual([])
}

const keeping: readonly Operation[] = [
  {
    name: 'a backup',
    prepare: prepared,
    run: async (repository, { clock }) => backUp(repository, NEW, new Date(clock.nowMs() + 1)),
    before: POINTS,
    after: [...POINTS, NEW],
  },
  {
    name: 'forgetting a point',
    prepare: prepared,
    run: async (repository) => {
      const there = await repository.snapshots()
      if (there.length === POINTS.length) await repository.forget([there[0]!.id])
    },
    before: POINTS,
    after: POINTS.slice(1),
  },
  {
    name: 'a prune',
    prepare: withWaste,
    run: (repository) => repository.prune({ keepTrees: [], leaveNoWaste: true }),
    before: POINTS.slice(1),
    after: POINTS.slice(1),
  },
  {
    name: 'a rewrite',
    prepare: prepared,
    run: async (repository) =>
      repository.rewrite(
        (await repository.snapshots()).map(({ id }) => id),
        (editor) => editor.removePaths(['folder/shared']),
      ),
    before: POINTS,
    after: POINTS.map((files) => files.filter((name) => name !== 'shared')),
  },
]

const copying: readonly Operation[] = [
  {
    name: 'a copy that is written',
    prepare: async () => {
      const ground = await prepared()
      return { ...ground, storage: await emptyOther(ground), other: ground.storage }
    },
    run: async (target, ground) => {
      await using source = await another(ground, ground.other!)
      await copy(target, source)
    },
    before: [],
    after: POINTS,
  },
  {
    name: 'a copy that is read',
    prepare: async () => {
      const ground = await prepared()
      return { ...ground, other: await emptyOther(ground) }
    },
    run: async (source, ground) => {
      await using target = await another(ground, ground.other!)
      await copy(target, source)
    },
    before: [],
    after: POINTS,
    judged: ({ other }) => other!,
  },
]

const looking: readonly Operation[] = [
  {
    name: 'a check',
    prepare: prepared,
    run: async (repository) => expect((await repository.check({ readData: true })).problems).toEqual([]),
    before: POINTS,
    after: POINTS,
  },
  {
    name: 'a verification',
    prepare: prepared,
    run: async (repository) => expect((await repository.verify({ data: 'all' })).problems).toEqual([]),
    before: POINTS,
    after: POINTS,
  },
  {
    name: 'a change of the password',
    prepare: prepared,
    run: async (repository) => {
      const kept = (await repository.keys()).find(({ isCurrent }) => isCurrent)!
      await repository.changePassword('another')
      // What an attempt before left.
      for (const { id, isCurrent } of await repository.keys())
        if (!isCurrent && id !== kept.id) await repository.removeKey(id)
    },
    before: POINTS,
    after: POINTS,
    passwords: [PASSWORD, 'another'],
  },
]

/** Reads `.holdfast` of a run elsewhere: here, any folder of the kind is one. */
const recognise = async (_reader: unknown, tree: string) =>
  Promise.resolve({ time: new Date('2026-11-24T10:01:00Z'), tree: tree as never, paths: ['/x'], tags: [] })

const mending: readonly Operation[] = [
  {
    name: 'a repair without an index',
    prepare: async () => {
      const ground = await prepared()
      for await (const { path } of ground.storage.list('index')) await ground.storage.remove(path)
      return ground
    },
    run: async (repository) => expect((await repository.repair({})).lostBlobs).toEqual([]),
    before: POINTS,
    after: POINTS,
    isDamaged: true,
  },
  {
    name: 'a repair from a copy',
    prepare: async () => {
      const ground = await withOther(await prepared())
      await removeFirst(ground.storage, 'data')
      return ground
    },
    run: async (repository, ground) => {
      await using source = await another(ground, ground.other!)
      expect((await repository.repair({ data: 'all', sources: [source] })).lostBlobs).toEqual([])
    },
    before: POINTS,
    after: POINTS,
    isDamaged: true,
  },
  {
    name: 'a repair of a lost point',
    prepare: async () => {
      const ground = await prepared()
      await removeFirst(ground.storage, 'snapshots')
      return ground
    },
    run: (repository) => repository.repair({ lostSnapshots: 'restore', recognise }),
    before: POINTS,
    after: POINTS,
    isDamaged: true,
  },
  {
    name: 'healing by the next run',
    prepare: async () => {
      const ground = await prepared()
      await removeFirst(ground.storage, 'data')
      return ground
    },
    run: async (repository, { clock }) => {
      const { problems } = await repository.verify({ data: 'all' })
      await repository.markMissing(problems.flatMap(({ blobs }) => blobs))
      // In the order of its points, a run reads everything again.
      for (const files of POINTS) await backUp(repository, files, new Date(clock.nowMs() + 1))
    },
    before: POINTS,
    after: POINTS,
    isDamaged: true,
  },
]

export const OPERATIONS = [...keeping, ...copying, ...looking, ...mending]
