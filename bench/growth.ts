// What a mailbox costs as it grows: time, memory, bytes an item in the repository and in its catalogue, the cache made again, and
// one new mail in it. The engine's own backup writes to a local disk; the mailbox is made as it is read. Each size runs in a
// process of its own. `node bench/growth.ts [--million]`: 10,000 and 100,000 mails, or 1,000,000 as well.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock, systemRandom } from '#base'
import { openCatalogue, type ProtectedObject, type Tenant } from '#engine'
import { initRepository } from '#repository'
import { localStorage, memoryStorage } from '#storage'
import { runServed } from './as-served.ts'
import { StorageCount } from './counting-storage.ts'
import { SyntheticMailbox } from './synthetic-mailbox.ts'
import { BackupBench, peakMemory } from './world.ts'

interface Measured {
  readonly mails: number
  readonly seconds: number
  readonly peakMb: number
  readonly beforeMb: number
  readonly bytesPerItem: number
  readonly catalogueBytesPerItem: number
  readonly cacheItemsPerSecond: number
  readonly oneMailBytes: number
}

const USER = '11111111-2222-4333-8444-555555555555'
const OPTIONS = {
  password: 'bench',
  clock: systemClock,
  random: systemRandom,
  scrypt: { N: 1024, r: 8, p: 1 },
}

/** Processor time, of all threads: the machine may have other work. */
const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

const measure = async (mails: number): Promise<Measured> => {
  const scratch = mkdtempSync(join(tmpdir(), 'holdfast-bench-'))
  try {
    const mailbox = new SyntheticMailbox('meg', mails)
    const tenant = { mailbox: () => mailbox } as unknown as Tenant
    const objects: ProtectedObject[] = [
      {
        kind: 'user',
        id: USER,
        principalName: 'meg@contoso.com',
        displayName: 'Meg',
        mailbox: true,
        archiveMailbox: false,
        oneDrive: false,
      },
    ]
    const count = new StorageCount()
    await using bench = await BackupBench.make(scratch, count.over(localStorage(join(scratch, 'repository'))))
    const beforeMb = process.memoryUsage.rss() / 1e6
    const started = cpuSeconds()
    const { peakMb } = await peakMemory(() => bench.run(tenant, objects))
    const seconds = cpuSeconds() - started
    const bytesPerItem = count.bytes / mails
    const catalogueBytesPerItem = (await storedSegments(bench)) / mails
    const cacheItemsPerSecond = await rebuildCache(bench, join(scratch, 'again.sqlite'), mails)
    count.bytes = 0
    mailbox.mails += 1
    await bench.run(tenant, objects)
    const oneMailBytes = count.bytes
    return {
      mails,
      seconds,
      peakMb,
      beforeMb,
      bytesPerItem,
      catalogueBytesPerItem,
      cacheItemsPerSecond,
      oneMailBytes,
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** What the repository stores for the segments: they are written once more, by themselves. */
const storedSegments = async ({ repository }: BackupBench): Promise<number> => {
  const [snapshot] = await repository.snapshots()
  const folder = await repository.entryAt(snapshot!.tree, `.holdfast/objects/mail-${USER}/segments`)
  if (folder?.type !== 'folder') throw new Error('there are no segments')
  await using other = await initRepository(memoryStorage(), OPTIONS)
  return other.withWriter(async (writer) => {
    for (const entry of await repository.tree(folder.subtree))
      if (entry.type === 'file') await writer.saveFile([repository.readFile(entry)])
    await writer.flush()
    return writer.stats.storedBytes
  })
}

const rebuildCache = async ({ repository }: BackupBench, file: string, mails: number): Promise<number> => {
  using catalogue = openCatalogue(file, repository)
  const started = cpuSeconds()
  await catalogue.sync()
  await catalogue.load()
  return mails / (cpuSeconds() - started)
}

const { argv } = process
const one = argv[2] === '--one' ? argv[3] : undefined
if (one !== undefined) {
  console.log(JSON.stringify(await measure(Number(one))))
  process.exit(0)
}
const sizes = argv.includes('--million') ? [10_000, 100_000, 1_000_000] : [10_000, 100_000]
const results = sizes.map((mails) => runServed<Measured>(argv[1]!, '--one', String(mails)))
const [small, large] = [results[0]!, results.at(-1)!]
const exponent = Math.log(large.seconds / small.seconds) / Math.log(large.mails / small.mails)
const each = (name: string, value: (measured: Measured) => string, goal = ''): string[] => [
  `${name}: ${sizes.map((mails) => mails.toLocaleString('en')).join(', ')} mails`,
  results.map(value).join(', '),
  goal,
]
const rows = [
  ['processor time grows with the items to the power of', exponent.toFixed(2), '≤ 1.1'],
  each('processor time, s', ({ seconds }) => seconds.toFixed(1)),
  each(
    'peak memory (before), MB',
    ({ peakMb, beforeMb }) => `${peakMb.toFixed(0)} (${beforeMb.toFixed(0)})`,
    '≤ 512',
  ),
  ['peak memory, largest : smallest', (large.peakMb / small.peakMb).toFixed(2), '≤ 1.3'],
  each('bytes an item in the repository', ({ bytesPerItem }) => bytesPerItem.toFixed(0), 'constant'),
  ['bytes an item, largest : smallest', (large.bytesPerItem / small.bytesPerItem).toFixed(2), 'constant'],
  each('of these the catalogue', ({ catalogueBytesPerItem }) => catalogueBytesPerItem.toFixed(0), '≤ 100'),
  each(
    'cache made again, items for a second of processor time',
    (m) => m.cacheItemsPerSecond.toFixed(0),
    '≥ 50,000',
  ),
  each('written for one new mail, KB', ({ oneMailBytes }) => (oneMailBytes / 1024).toFixed(1), '≤ 64'),
]
console.log(JSON.stringify({ title: 'Growth of a mailbox, mails of 500 bytes without attachments', rows }))
