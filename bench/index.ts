// The index alone: how long opening takes, what it holds, how fast it answers. `--blobs=N` for another size than ten million.
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger } from '../src/base/index.ts'
import { openDocumentText } from '../src/repository/format/document.ts'
import { type BlobId, openRepository } from '../src/repository/index.ts'
import { findKey } from '../src/repository/keys.ts'
import { localStorage } from '../src/storage/index.ts'
import { runServed } from './as-served.ts'
import { generateRepository, REPOSITORY_OPTIONS } from './synthetic-repository.ts'

const blobs = Number(process.argv.find((each) => each.startsWith('--blobs='))?.slice(8) ?? 10_000_000)

const statusMb = (field: string): number =>
  Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) /
  1024

const measure = async (path: string) => {
  const storage = localStorage(path)
  const cpu = process.cpuUsage()
  const start = performance.now()
  await using repository = await openRepository(storage, REPOSITORY_OPTIONS)
  const openMs = performance.now() - start
  const used = process.cpuUsage(cpu)
  const peakMb = statusMb('VmHWM')
  const absent = Array.from({ length: 100_000 }, () => randomBytes(32).toString('hex') as BlobId)
  const present = await somePresent(path)
  const rate = (ids: readonly BlobId[], wanted: boolean): number => {
    const begin = performance.now()
    let found = 0
    for (let round = 0; round < 5; round += 1)
      for (const id of ids) if (repository.hasBlob('data', id) || repository.hasBlob('tree', id)) found += 1
    if (found !== (wanted ? ids.length * 5 : 0)) throw new Error('the index answers wrong')
    return (ids.length * 5) / ((performance.now() - begin) / 1000)
  }
  const absentRate = rate(absent, false)
  const presentRate = rate(present, true)
  return {
    openMs,
    cpuMs: (used.user + used.system) / 1000,
    peakMb,
    nowMb: statusMb('VmRSS'),
    absentRate,
    presentRate,
  }
}

/** Ids from all over the repository. */
const somePresent = async (path: string): Promise<BlobId[]> => {
  const storage = localStorage(path)
  const { master } = await findKey(storage, REPOSITORY_OPTIONS.password, silentLogger)
  const ids: BlobId[] = []
  for await (const file of storage.list('index')) {
    const text = Buffer.from(openDocumentText(master, await storage.read(file.path)))
    for (let at = 0; at < 500; at += 1) {
      const found = text.indexOf('"offset"', Math.floor((text.length * at) / 500))
      const id = /\{"id":"([0-9a-f]{64})","type"/.exec(text.toString('latin1', found, found + 400))?.[1]
      if (id !== undefined) ids.push(id as BlobId)
    }
  }
  return ids
}

if (process.argv[2] === 'open') console.log(JSON.stringify(await measure(process.argv[3]!)))
else {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-bench-index-'))
  try {
    await generateRepository({ path, blobs, withTrees: false })
    const runs = Array.from({ length: 3 }, () => {
      const run = runServed<Awaited<ReturnType<typeof measure>>>('bench/index.ts', 'open', path)
      console.error(JSON.stringify(run))
      return run
    }).sort((a, b) => a.openMs - b.openMs)
    const { openMs, cpuMs, peakMb, nowMb, absentRate, presentRate } = runs[1]!
    const thousands = (rate: number): string => `${Math.round(rate / 1000)},000/s`
    const rows = [
      ['open', `${(openMs / 1000).toFixed(1)} s (${(cpuMs / 1000).toFixed(1)} s of processor time)`, '≤ 5 s'],
      ['memory of the process', `${Math.round(nowMb)} MB, at most ${Math.round(peakMb)} MB`, '≤ 700 MB'],
      ['look-ups of absent blobs', thousands(absentRate), '≥ 200,000/s'],
      ['look-ups of present blobs', thousands(presentRate), '≥ 200,000/s'],
    ]
    console.log(JSON.stringify({ title: `Index of ${blobs.toLocaleString('en')} blobs`, rows }))
  } finally {
    rmSync(path, { recursive: true, force: true })
  }
}
