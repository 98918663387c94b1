// One job on a repository, by Holdfast and by stock restic: write a folder, restore it, check it.
import { execFileSync } from 'node:child_process'
import { closeSync, futimesSync, mkdirSync, openSync, readSync, statSync, writeSync } from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock, systemRandom } from '#base'
import {
  type BlobId,
  openRepository,
  type Repository,
  type RepositoryWriter,
  type TreeEntry,
} from '#repository'
import { localStorage } from '#storage'

const PASSWORD = 'bench'

export interface Cost {
  readonly seconds: number
  readonly cpuSeconds: number
}

export const costOf = async (work: () => Promise<void>): Promise<Cost> => {
  const startedMs = performance.now()
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return { seconds: (performance.now() - startedMs) / 1000, cpuSeconds: (user + system) / 1e6 }
}

export const options = { password: PASSWORD, clock: systemClock, random: systemRandom }

/** Through one buffer, as the writer takes copies. */
async function* piecesOf(path: string): AsyncGenerator<Uint8Array> {
  await using file = await open(path)
  const buffer = Buffer.allocUnsafeSlow(1 << 19)
  for (;;) {
    const { bytesRead } = await file.read(buffer)
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
  }
}

const SMALL = 1_000_000

/** The bytes in a buffer that the next file takes again. */
const readSmall = (path: string, buffer: Buffer): Uint8Array => {
  const file = openSync(path, 'r')
  try {
    return buffer.subarray(0, readSync(file, buffer, 0, SMALL, null))
  } finally {
    closeSync(file)
  }
}

/** Files of a folder in the order of their paths, eight at a time, as many as restic reads. */
const saveFolder = async (writer: RepositoryWriter, folder: string): Promise<BlobId> => {
  const tree = writer.edit()
  const paths = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
  const queue = paths.values()
  const work = async (): Promise<void> => {
    const buffer = Buffer.allocUnsafeSlow(SMALL)
    for (const path of queue) {
      const { size, mtime } = statSync(path)
      const file = await writer.saveFile([size > SMALL ? piecesOf(path) : readSmall(path, buffer)])
      await tree.putFile(path.slice(folder.length + 1), { ...file, modifiedAt: mtime })
    }
  }
  await Promise.all(Array.from({ length: 8 }, work))
  return (await tree.save())!
}

export const ours = {
  write: async (repo: string, source: string): Promise<void> => {
    await using repository = await openRepository(localStorage(repo), options)
    await repository.withWriter(async (writer) => {
      const tree = await saveFolder(writer, source)
      await writer.saveSnapshot({ time: systemClock.now(), tree, paths: ['/source'], tags: [] })
    })
  },
  restore: async (repo: string, target: string): Promise<void> => {
    await using repository = await openRepository(localStorage(repo), options)
    const [snapshot] = await repository.snapshots()
    await restoreTree(repository, snapshot!.tree, target)
  },
  check: async (repo: string): Promise<void> => {
    await using repository = await openRepository(localStorage(repo), options)
    const report = await repository.check({ readData: true })
    if (report.problems.length > 0) throw new Error(report.problems[0])
  },
}

type FoundFile = Extract<TreeEntry, { type: 'file' }> & { readonly path: string }

async function* filesBelow(repository: Repository, tree: BlobId, folder: string): AsyncGenerator<FoundFile> {
  mkdirSync(folder, { recursive: true })
  for (const entry of await repository.tree(tree)) {
    const path = join(folder, entry.name)
    if (entry.type === 'file') yield { ...entry, path }
    else yield* filesBelow(repository, entry.subtree, path)
  }
}

/** In the order of the tree, eight files at a time. */
const restoreTree = async (repository: Repository, tree: BlobId, folder: string): Promise<void> => {
  const queue = filesBelow(repository, tree, folder)
  const work = async (): Promise<void> => {
    for (let next = await queue.next(); next.done !== true; next = await queue.next()) {
      const { path, modifiedAt } = next.value
      const file = openSync(path, 'wx')
      for await (const bytes of repository.readFile(next.value)) writeSync(file, bytes)
      futimesSync(file, modifiedAt, modifiedAt)
      closeSync(file)
    }
  }
  await Promise.all(Array.from({ length: 8 }, work))
}

/** The shell's own `time` tells the processor time, which Node does not know of a child. */
export const restic = (repo: string, ...args: string[]): Cost => {
  const env = { ...process.env, RESTIC_REPOSITORY: repo, RESTIC_PASSWORD: PASSWORD, TIMEFORMAT: '%R %U %S' }
  const script = '{ time restic --no-cache --quiet "$@" 2>&3 >&3; } 2>&1'
  const told = execFileSync('bash', ['-c', script, 'restic', ...args], {
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit', 'inherit'],
  })
  const [seconds, user, system] = told.trim().split(' ').map(Number) as [number, number, number]
  return { seconds, cpuSeconds: user + system }
}

export const stock = {
  write: (repo: string, source: string): Cost => restic(repo, 'backup', source),
  restore: (repo: string, target: string): Cost => restic(repo, 'restore', 'latest', '--target', target),
  check: (repo: string): Cost => restic(repo, 'check', '--read-data'),
}
