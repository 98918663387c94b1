// Runs every benchmark, one after the other, and records the tables in docs/benchmarks.md.
// `npm run bench`, or `npm run bench -- backup` for one of them; `--million` for growth and explorer up to 1,000,000 messages.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { SERVER_ENVIRONMENT, SERVER_FLAGS } from './as-served.ts'

interface Table {
  readonly title: string
  /** What, how much, goal. */
  readonly rows: readonly (readonly string[])[]
}

const BENCHES = [
  'practice-tenant-mail',
  'practice-tenant-drive',
  'repository',
  'unchanged',
  'backup',
  'memory',
  'growth',
  'explorer',
  'index',
  'prune',
  'bandwidth',
] as const
const SHORT: Readonly<Record<string, readonly string[]>> = { explorer: ['--rows', '200000'] }
const LONG: Readonly<Record<string, readonly string[]>> = { growth: ['--million'] }
/** What a server does happens in the benchmark's own process. */
const SERVED: ReadonlySet<string> = new Set(['explorer', 'repository', 'unchanged'])
const FILE = 'docs/benchmarks.md'

const { positionals: wanted, values: options } = parseArgs({
  allowPositionals: true,
  options: {
    million: { type: 'boolean', default: false },
  },
})
const chosen = BENCHES.filter((name) => wanted.length === 0 || wanted.includes(name))

const runBench = (name: string): Table | undefined => {
  console.log(`\n${name} …`)
  const further = (options.million ? LONG : SHORT)[name] ?? []
  const isServed = SERVED.has(name)
  const run = spawnSync(
    process.execPath,
    [...(isServed ? SERVER_FLAGS : []), `bench/${name}.ts`, ...further],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
      maxBuffer: 1 << 26,
      env: isServed ? { ...process.env, ...SERVER_ENVIRONMENT } : process.env,
    },
  )
  const last = run.stdout.trim().split('\n').at(-1) ?? ''
  if (run.status !== 0 || !last.startsWith('{')) {
    console.error(`${name} failed\n${run.stdout}`)
    process.exitCode = 1
    return undefined
  }
  return JSON.parse(last) as Table
}

const section = (name: string, { title, rows }: Table): string =>
  [
    `<!-- ${name} -->`,
    `## ${title}`,
    '',
    '| what | measured | goal |',
    '| --- | --- | --- |',
    ...rows.map(([what, measured, goal = '']) => `| ${what} | ${measured} | ${goal} |`),
    '',
    `<!-- end ${name} -->`,
  ].join('\n')

const machine = (): string => {
  const restic = spawnSync('restic', ['version'], { encoding: 'utf8' })
    .stdout?.split(' ')
    .slice(0, 2)
    .join(' ')
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  const cores = cpus()
  return `${cores.length} cores (${cores[0]?.model.trim()}), ${Math.round(totalmem() / 1e9)} GB, Node ${process.version}, ${restic}, commit ${commit}`
}

const INTRODUCTION = `# Benchmarks

Written by \`npm run bench\`. Ratios are measured in one run on one machine, rounds interleaved; the spread stands in
parentheses (smallest–largest). The practice tenant's own ceiling stands beside the results that depend on it: it runs in a
process of its own on the same machine. Goals are those of the design; where one is not reached, the table says so by its numbers.
`

const keep = (text: string, name: string, written: string): string => {
  const begin = text.indexOf(`<!-- ${name} -->`)
  const endMark = `<!-- end ${name} -->`
  const end = text.indexOf(endMark)
  if (begin < 0 || end < 0) return `${text.trimEnd()}\n\n${written}\n`
  return text.slice(0, begin) + written + text.slice(end + endMark.length)
}

let text = existsSync(FILE) ? readFileSync(FILE, 'utf8') : INTRODUCTION
for (const name of chosen) {
  const table = runBench(name)
  if (table === undefined) continue
  for (const row of table.rows) console.log(row.join('  |  '))
  const titled = { ...table, title: table.title, rows: [...table.rows, ['machine', machine(), '']] }
  text = keep(text, name, section(name, titled))
  writeFileSync(FILE, text)
}
