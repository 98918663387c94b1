// Peak memory of a backup of one mailbox with 1,000 and with 10,000 messages, each in a process of its own.
// `node bench/memory.ts`
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runServed } from './as-served.ts'
import { BackupBench, connectTo, objectsOf, peakMemory, startTenant } from './world.ts'

const measure = async (mails: number): Promise<void> => {
  const scratch = mkdtempSync(join(tmpdir(), 'holdfast-bench-'))
  const process_ = await startTenant({ users: 4, mails, files: 5 })
  try {
    const { tenant } = connectTo(process_)
    // The fourth user has generated mail alone.
    const objects = (await objectsOf(tenant, { mailboxes: 4, drives: 0 })).slice(3, 4)
    await using bench = await BackupBench.make(scratch)
    const before = process.memoryUsage.rss() / 1e6
    const { result, peakMb } = await peakMemory(() => bench.run(tenant, objects))
    console.log(
      JSON.stringify({
        items: result.totals.processedItems,
        before: Math.round(before),
        peak: Math.round(peakMb),
      }),
    )
  } finally {
    await process_.stop()
    rmSync(scratch, { recursive: true, force: true })
  }
}

const [, self, one] = process.argv
if (one !== undefined) {
  await measure(Number(one))
  process.exit(0)
}
interface Measured {
  readonly items: number
  readonly before: number
  readonly peak: number
}
const results = [1_000, 10_000].map((mails) => runServed<Measured>(self!, String(mails)))
const [small, large] = results as [(typeof results)[number], (typeof results)[number]]
const rows = [
  ...results.map(({ items, before, peak }) => [
    `${items} messages: peak (before the run)`,
    `${peak} MB (${before} MB)`,
    '≤ 512 MB',
  ]),
  ['10,000 : 1,000', (large.peak / small.peak).toFixed(2), '≤ 1.3'],
]
console.log(JSON.stringify({ title: 'Memory of a backup of one mailbox', rows }))
