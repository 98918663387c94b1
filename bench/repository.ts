// Write, restore and check of the same bytes by Holdfast and by stock restic, one after the other, several times.
// Holdfast is a server: its process and its threads run already when a job begins, and opening the repository counts.
// Ratios are of restic's time to ours: above 1 Holdfast is faster. Processor time tells more than the clock on a machine
// that does other things as well.
// `node bench/repository.ts [--rounds N] [--megabytes N]`
import { execFileSync } from 'node:child_process'
import {
  closeSync,
  futimesSync,
  openSync,
  writeSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs'
import { mkdir, open, readdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { seededRandom, systemClock, systemRandom, type Random } from '#base'
import {
  type BlobId,
  initRepository,
  openRepository,
  type Repository,
  type RepositoryWriter,
  type TreeEntry,
} from '#repository'
import { localStorage, memoryStorage } from '#storage'
import { spread } from './world.ts'

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, megabytes: { type: 'string', default: '120' } },
})
const rounds = Number(values.rounds)
const totalBytes = Number(values.megabytes) * 1_000_000
const PASSWORD = 'bench'
const scratch = mkdtempSync(join(tmpdir(), 'holdfast-bench-'))

const WORDS = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  .split(/\s+/)
  .concat(Array.from({ length: 4000 }, (_, number) => (number * 2654435761).toString(36)))

const text = (random: Random, bytes: number): Buffer => {
  const pieces: string[] = []
  for (let length = 0; length < bytes;) {
    const word = WORDS[Math.floor(random.fraction() ** 2 * WORDS.length)]!
    pieces.push(word)
    length += word.length + 1
  }
  return Buffer.from(pieces.join(' ').slice(0, bytes))
}

const noise = (random: Random, bytes: number): Buffer => {
  const words = new Uint32Array(Math.ceil(bytes / 4))
  for (let at = 0; at < words.length; at += 1) words[at] = Math.floor(random.fraction() * 2 ** 32)
  return Buffer.from(words.buffer, 0, bytes)
}

/** A quarter mails of 2 to 30 KB, a quarter documents of 20 KB to 2 MB, a quarter big files, a quarter incompressible. */
const makeSource = async (folder: string): Promise<{ files: number; bytes: number }> => {
  const random = seededRandom(20260105)
  let files = 0
  let bytes = 0
  const put = async (path: string, content: Buffer): Promise<void> => {
    await mkdir(join(folder, path, '..'), { recursive: true })
    await writeFile(join(folder, path), content)
    files += 1
    bytes += content.length
  }
  const share = totalBytes / 4
  const fill = async (make: (number: number) => readonly [string, Buffer]): Promise<void> => {
    const end = bytes + share
    for (let number = 0; bytes < end; number += 1) await put(...make(number))
  }
  await fill((number) => [
    `mail/${number % 12}/${number % 28}/mail-${number}.eml`,
    text(random, 2000 + Math.floor(random.fraction() ** 3 * 28_000)),
  ])
  await fill((number) => [
    `documents/${number % 20}/document-${number}.txt`,
    text(random, 20_000 + Math.floor(random.fraction() ** 3 * 2_000_000)),
  ])
  await fill((number) => [`big/big-${number}.csv`, text(random, Math.min(share, 25_000_000))])
  await fill((number) => [`media/media-${number}.bin`, noise(random, Math.min(share, 12_000_000))])
  return { files, bytes }
}

const sizeOf = (folder: string): number =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)

interface Cost {
  readonly seconds: number
  readonly cpuSeconds: number
}

const costOf = async (work: () => Promise<void>): Promise<Cost> => {
  const startedMs = performance.now()
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return { seconds: (performance.now() - startedMs) / 1000, cpuSeconds: (user + system) / 1e6 }
}

const options = { password: PASSWORD, clock: systemClock, random: systemRandom }

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

/** Files of a folder in the order of their paths, eight at a time, as many as restic reads. */
const saveFolder = async (writer: RepositoryWriter, folder: string): Promise<BlobId> => {
  const tree = writer.edit()
  const paths = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
  const queue = paths.values()
  const work = async (): Promise<void> => {
    for (const path of queue) {
      const { size, mtime } = statSync(path)
      const part = size > 1_000_000 ? piecesOf(path) : await readFile(path)
      const file = await writer.saveFile([part])
      await tree.putFile(path.slice(folder.length + 1), { ...file, modifiedAt: mtime })
    }
  }
  await Promise.all(Array.from({ length: 8 }, work))
  return (await tree.save())!
}

const ours = {
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
const restic = (repo: string, ...args: string[]): Cost => {
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

const stock = {
  write: (repo: string, source: string): Cost => restic(repo, 'backup', source),
  restore: (repo: string, target: string): Cost => restic(repo, 'restore', 'latest', '--target', target),
  check: (repo: string): Cost => restic(repo, 'check', '--read-data'),
}

const STEPS = ['write', 'restore', 'check'] as const
type Costs = Record<(typeof STEPS)[number], Cost[]>
const noCosts = (): Costs => ({ write: [], restore: [], check: [] })
const costs = { ours: noCosts(), stock: noCosts() }
const sizes = { ours: 0, stock: 0 }

const round = async (number: number, source: string): Promise<void> => {
  const folder = join(scratch, `round-${number}`)
  mkdirSync(folder)
  const [a, b] = [join(folder, 'ours'), join(folder, 'stock')]
  restic(b, 'init')
  await (await initRepository(localStorage(a), options))[Symbol.asyncDispose]()
  costs.ours.write.push(await costOf(() => ours.write(a, source)))
  costs.stock.write.push(stock.write(b, source))
  sizes.ours = sizeOf(join(a, 'data')) + sizeOf(join(a, 'index'))
  sizes.stock = sizeOf(join(b, 'data')) + sizeOf(join(b, 'index'))
  costs.ours.restore.push(await costOf(() => ours.restore(a, join(folder, 'restored-ours'))))
  costs.stock.restore.push(stock.restore(b, join(folder, 'restored-stock')))
  costs.ours.check.push(await costOf(() => ours.check(a)))
  costs.stock.check.push(stock.check(b))
  if (number === 0) {
    const found = sizeOf(join(folder, 'restored-ours'))
    if (found !== sizeOf(source)) throw new Error(`restored ${found} bytes`)
    restic(a, 'check', '--read-data')
  }
  rmSync(folder, { recursive: true, force: true })
}

try {
  // Holds the threads of this process as a server's other repositories do.
  await using _running = await initRepository(memoryStorage(), {
    ...options,
    scrypt: { N: 1024, r: 8, p: 1 },
  })
  const source = join(scratch, 'source')
  const { files, bytes } = await makeSource(source)
  for (let number = 0; number < rounds; number += 1) await round(number, source)
  const ratios = (what: (typeof STEPS)[number], of: keyof Cost): number[] =>
    costs.ours[what].map((cost, number) => costs.stock[what][number]![of] / cost[of])
  const rate = (all: readonly Cost[]): string =>
    spread(
      all.map(({ seconds }) => bytes / 1e6 / seconds),
      0,
    )
  const rows = [
    ...STEPS.flatMap((what) => [
      [`${what}: speed, restic = 1`, spread(ratios(what, 'seconds')), '≥ 1.0'],
      [`${what}: work for a second of processor time, restic = 1`, spread(ratios(what, 'cpuSeconds')), ''],
      [`${what}, MB/s (restic)`, `${rate(costs.ours[what])}, (${rate(costs.stock[what])})`, ''],
    ]),
    ['size, restic = 1', (sizes.ours / sizes.stock).toFixed(3), '≤ 1.02'],
  ]
  console.log(
    JSON.stringify({
      title: `Repository: ${files} files, ${(bytes / 1e6).toFixed(0)} MB, ${rounds} rounds`,
      rows,
    }),
  )
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
