// Write, restore and check of the same 1.4 GB by Holdfast and by stock restic, one after the other, several times.
// Holdfast is a server: its process and its threads run already when a job begins, and opening the repository counts.
// Ratios are of restic's time to ours: above 1 Holdfast is faster. Processor time tells more than the clock on a machine
// that does other things as well.
// `node bench/repository.ts [--rounds N] [--megabytes N]`
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { initRepository } from '#repository'
import { localStorage, memoryStorage } from '#storage'
import { type Cost, costOf, options, ours, restic, stock } from './repository-jobs.ts'
import { spread } from './spread.ts'

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, megabytes: { type: 'string', default: '1400' } },
})
const rounds = Number(values.rounds)
const scratch = mkdtempSync(join(tmpdir(), 'holdfast-bench-'))

/** In a process of its own, so that its memory is not taken for ours. */
const makeSource = (folder: string): { readonly files: number; readonly bytes: number } => {
  const script = new URL('./mixed-files.ts', import.meta.url).pathname
  const told = execFileSync(process.execPath, [script, folder, values.megabytes], { encoding: 'utf8' })
  return JSON.parse(told) as { files: number; bytes: number }
}

const sizeOf = (folder: string): number =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)

const STEPS = ['write', 'restore', 'check'] as const
const GOALS = { write: '≥ 1.3', restore: '≥ 1.0', check: '≥ 1.0' } as const
type Costs = Record<(typeof STEPS)[number], Cost[]>
const noCosts = (): Costs => ({ write: [], restore: [], check: [] })
const costs = { ours: noCosts(), stock: noCosts() }
const sizes = { ours: 0, stock: 0 }

const round = async (number: number, source: string): Promise<void> => {
  const folder = join(scratch, `round-${number}`)
  mkdirSync(folder)
  const [a, b, restored] = [join(folder, 'ours'), join(folder, 'stock'), join(folder, 'restored')]
  restic(b, 'init')
  await (await initRepository(localStorage(a), options))[Symbol.asyncDispose]()
  costs.ours.write.push(await costOf(() => ours.write(a, source)))
  costs.stock.write.push(stock.write(b, source))
  sizes.ours = sizeOf(join(a, 'data')) + sizeOf(join(a, 'index'))
  sizes.stock = sizeOf(join(b, 'data')) + sizeOf(join(b, 'index'))
  costs.ours.restore.push(await costOf(() => ours.restore(a, restored)))
  if (number === 0) execFileSync('diff', ['--recursive', '--brief', source, restored], { stdio: 'inherit' })
  rmSync(restored, { recursive: true })
  costs.stock.restore.push(stock.restore(b, restored))
  rmSync(restored, { recursive: true })
  costs.ours.check.push(await costOf(() => ours.check(a)))
  costs.stock.check.push(stock.check(b))
  if (number === 0) restic(a, 'check', '--read-data')
  rmSync(folder, { recursive: true })
}

try {
  // Holds the threads of this process as a server's other repositories do.
  const cheap = { ...options, scrypt: { N: 1024, r: 8, p: 1 } }
  await using _running = await initRepository(memoryStorage(), cheap)
  const source = join(scratch, 'source')
  const { files, bytes } = makeSource(source)
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
      [`${what}: speed, restic = 1`, spread(ratios(what, 'seconds')), GOALS[what]],
      [`${what}: work for a second of processor time, restic = 1`, spread(ratios(what, 'cpuSeconds')), ''],
      [`${what}, MB/s (restic)`, `${rate(costs.ours[what])}, (${rate(costs.stock[what])})`, ''],
    ]),
    ['size, restic = 1', (sizes.ours / sizes.stock).toFixed(3), '≤ 1.02'],
    // Kilobytes of 1024 bytes.
    [
      'peak memory of our process',
      `${((process.resourceUsage().maxRSS * 1024) / 1e6).toFixed(0)} MB`,
      '≤ 512 MB',
    ],
  ]
  const title = `Repository: ${files} files, ${(bytes / 1e6).toFixed(0)} MB, ${rounds} rounds`
  console.log(JSON.stringify({ title, rows }))
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
