// A run that finds nothing changed, by Holdfast and by stock restic over the same 20,000 files, one after the other, several
// times. Both open the repository without a cache, look at every file, compare its size and time with what the last snapshot
// tells, and write a snapshot of the same tree. A run over a tenant asks for less: a change token stands in for the look at
// each item; what that costs is measured by `backup.ts`.
// `node bench/unchanged.ts [--rounds N] [--files N]`
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { seededRandom, systemClock } from '#base'
import { type BlobId, initRepository, openRepository, type Repository } from '#repository'
import { localStorage, memoryStorage } from '#storage'
import { type Cost, costOf, options, ours, restic, stock } from './repository-jobs.ts'
import { spread } from './spread.ts'

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, files: { type: 'string', default: '20000' } },
})
const rounds = Number(values.rounds)
const files = Number(values.files)
const FOLDERS = 100
const scratch = mkdtempSync(join(tmpdir(), 'holdfast-bench-'))

/** Small files with content of their own, in folders of 200. */
const makeSource = (folder: string): void => {
  const random = seededRandom(20260106)
  for (let number = 0; number < files; number += 1) {
    const below = join(folder, `folder-${number % FOLDERS}`)
    mkdirSync(below, { recursive: true })
    writeFileSync(join(below, `mail-${number}.eml`), random.bytes(500 + Math.floor(random.fraction() * 3000)))
  }
}

/** How many files below a folder are not as the tree tells. */
const changedBelow = async (repository: Repository, tree: BlobId, folder: string): Promise<number> => {
  const known = new Map((await repository.tree(tree)).map((entry) => [entry.name, entry]))
  let changed = 0
  const names = readdirSync(folder)
  for (const name of names) {
    const path = join(folder, name)
    const found = lstatSync(path)
    const entry = known.get(name)
    if (entry?.type === 'folder' && found.isDirectory())
      changed += await changedBelow(repository, entry.subtree, path)
    else if (entry?.type !== 'file' || entry.sizeBytes !== found.size) changed += 1
    else if (entry.modifiedAt.getTime() !== found.mtime.getTime()) changed += 1
  }
  return changed + Math.abs(known.size - names.length)
}

const unchangedRun = async (repo: string, source: string): Promise<void> => {
  await using repository = await openRepository(localStorage(repo), options)
  const last = (await repository.snapshots()).toSorted((a, b) => b.time.getTime() - a.time.getTime())[0]!
  const changed = await changedBelow(repository, last.tree, source)
  if (changed > 0) throw new Error(`${changed} files have changed`)
  await repository.withWriter(async (writer) => {
    const { tree, paths, tags } = last
    await writer.saveSnapshot({ time: systemClock.now(), tree, paths, tags })
  })
}

try {
  // Holds the threads of this process as a server's other repositories do.
  const cheap = { ...options, scrypt: { N: 1024, r: 8, p: 1 } }
  await using _running = await initRepository(memoryStorage(), cheap)
  const [source, a, b] = [join(scratch, 'source'), join(scratch, 'ours'), join(scratch, 'stock')]
  makeSource(source)
  restic(b, 'init')
  await (await initRepository(localStorage(a), options))[Symbol.asyncDispose]()
  await ours.write(a, source)
  stock.write(b, source)
  const costs: { readonly ours: Cost[]; readonly stock: Cost[] } = { ours: [], stock: [] }
  for (let number = 0; number < rounds; number += 1) {
    costs.ours.push(await costOf(() => unchangedRun(a, source)))
    costs.stock.push(stock.write(b, source))
  }
  restic(a, 'check')
  const ratios = (of: keyof Cost): number[] =>
    costs.ours.map((cost, number) => cost[of] / costs.stock[number]![of])
  const all = (whose: keyof typeof costs, of: keyof Cost): string =>
    spread(costs[whose].map((cost) => cost[of]))
  const rows = [
    ['time, restic = 1', spread(ratios('seconds')), '≤ 1.0'],
    ['processor time, restic = 1', spread(ratios('cpuSeconds')), ''],
    ['time, s (restic)', `${all('ours', 'seconds')}, (${all('stock', 'seconds')})`, ''],
    ['processor time, s (restic)', `${all('ours', 'cpuSeconds')}, (${all('stock', 'cpuSeconds')})`, ''],
  ]
  const title = `Repository: unchanged run over ${files} files, ${rounds} rounds`
  console.log(JSON.stringify({ title, rows }))
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
