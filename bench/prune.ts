// Two-phase prune beside a backup, the part that has to do with metadata: a generated repository in which a tenth of the blobs
// has expired (bench/synthetic-repository.ts: packs of data have their size and no content, and none is written anew).
// `node bench/prune.ts [--blobs=N] [--keep]`: a million and ten million blobs, or N; each run in a process of its own.
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openRepository, type Repository } from '../src/repository/index.ts'
import { localStorage } from '../src/storage/index.ts'
import { runServed } from './as-served.ts'
import { generateRepository, REPOSITORY_OPTIONS } from './synthetic-repository.ts'

const DAY_MS = 24 * 3_600_000
const QUIET_MS = 3000

interface Measured {
  readonly markSeconds: number
  readonly removeSeconds: number
  readonly cpuSeconds: number
  readonly openMb: number
  readonly peakMb: number
  readonly heldMs: number
  readonly waitingShare: number
  /** Of a backup: the longest that one of its steps took, while the prune ran and before. */
  readonly pauseMs: number
  readonly quietMs: number
}

const statusMb = (field: string): number =>
  Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) /
  1024

/** Saves small mails and their folders as a backup does, and notes the longest step. */
class Writing {
  longestMs = 0
  #isOver = false
  #steps = 0
  #work: Promise<void> | undefined

  start(repository: Repository): void {
    this.#work = repository.withWriter(async (writer) => {
      while (!this.#isOver) {
        const before = performance.now()
        const file = await writer.saveFile([randomBytes(4000)])
        this.#steps += 1
        const name = `${this.#steps}.eml`
        if (this.#steps % 20 === 0)
          await writer.saveTree([{ ...file, type: 'file', name, modifiedAt: new Date(0) }])
        // Also what keeps the thread from everybody is a pause.
        await sleep(1)
        this.longestMs = Math.max(this.longestMs, performance.now() - before)
      }
    })
    this.#work.catch(() => undefined)
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await this.#work
  }
}

/** In a process of its own. */
const measure = async (path: string, withWriter: boolean): Promise<Measured> => {
  await using repository = await openRepository(localStorage(path), REPOSITORY_OPTIONS)
  const openMb = statusMb('VmHWM')
  const writing = new Writing()
  if (withWriter) {
    writing.start(repository)
    await sleep(QUIET_MS)
  }
  const quietMs = writing.longestMs
  writing.longestMs = 0
  const cpu = process.cpuUsage()
  const start = performance.now()
  let stepMs = start
  const onProgress = (step: string): void => {
    console.error(
      `  ${step} (${Math.round(performance.now() - stepMs)} ms, ${Math.round(statusMb('VmRSS'))} MB, longest ${Math.round(writing.longestMs)} ms)`,
    )
    stepMs = performance.now()
  }
  const marked = await repository.prune({ keepTrees: [], graceMs: DAY_MS, onProgress })
  const markSeconds = (performance.now() - start) / 1000
  if (marked.postponed !== undefined) throw new Error(`postponed: ${marked.postponed}`)
  const pauseMs = writing.longestMs
  await writing.stop()
  const again = performance.now()
  const removed = await repository.prune({ keepTrees: [], graceMs: 0, onProgress })
  const removeSeconds = (performance.now() - again) / 1000
  if (removed.removedBytes < marked.waitingBytes * 0.99) throw new Error('not all was removed')
  const { user, system } = process.cpuUsage(cpu)
  return {
    markSeconds,
    removeSeconds,
    cpuSeconds: (user + system) / 1e6,
    openMb,
    peakMb: statusMb('VmHWM'),
    heldMs: marked.heldMs,
    waitingShare: marked.waitingBytes / (marked.waitingBytes + marked.keptBytes),
    pauseMs,
    quietMs,
  }
}

const rowsFor = async (blobs: number): Promise<string[][]> => {
  const scratch = mkdtempSync(join(tmpdir(), 'holdfast-bench-prune-'))
  try {
    const path = join(scratch, 'repository')
    await generateRepository({ path, blobs, withTrees: true })
    // Files never change, so the same ones serve for both runs.
    const copy = join(scratch, 'copy')
    execFileSync('cp', ['-al', path, copy])
    const alone = runServed<Measured>('bench/prune.ts', 'measure', path)
    const beside = runServed<Measured>('bench/prune.ts', 'measure', copy, 'writer')
    const millions = `${(blobs / 1e6).toLocaleString('en')} million blobs`
    const seconds = (value: number): string => `${value.toFixed(1)} s`
    const sum = alone.markSeconds + alone.removeSeconds
    return [
      [
        `${millions}: marked and taken out of use + removed`,
        `${seconds(sum)} (${seconds(alone.markSeconds)} + ${seconds(alone.removeSeconds)}; processor ${seconds(alone.cpuSeconds)})`,
        '≤ 120 s',
      ],
      [
        `${millions}: peak memory of the process (opened)`,
        `${Math.round(alone.peakMb)} MB (${Math.round(alone.openMb)} MB)`,
        '≤ 512 MB',
      ],
      [`${millions}: given back`, `${(alone.waitingShare * 100).toFixed(1)} % of the bytes`, ''],
      [
        `${millions}: longest pause of a backup beside it (before the prune)`,
        `${Math.round(beside.pauseMs)} ms (${Math.round(beside.quietMs)} ms)`,
        '≤ 1000 ms',
      ],
      [`${millions}: of these held by the switch`, `${Math.round(beside.heldMs)} ms`, ''],
      [`${millions}: peak memory with the backup`, `${Math.round(beside.peakMb)} MB`, ''],
    ]
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

const [, , first, path, writer] = process.argv
if (first === 'measure') console.log(JSON.stringify(await measure(path!, writer === 'writer')))
else if (first === 'generate')
  await generateRepository({ path: path!, blobs: Number(writer), withTrees: true })
else {
  const blobs = process.argv.find((each) => each.startsWith('--blobs='))?.slice(8)
  const rows: string[][] = []
  for (const each of blobs === undefined ? [1_000_000, 10_000_000] : [Number(blobs)])
    rows.push(...(await rowsFor(each)))
  console.log(JSON.stringify({ title: 'Prune of a repository in which a tenth has expired, metadata', rows }))
}
