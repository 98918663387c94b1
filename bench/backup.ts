// A full backup against fetching and discarding the same pages with the same client, an incremental of 1 %, and a run with
// nothing to do: ratios measured in one run, rounds interleaved. The practice tenant runs in a process of its own.
// `node bench/backup.ts [--mailboxes N] [--drives N] [--mails N] [--files N] [--rounds N]`
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { ProtectedObject, Tenant } from '#engine'
import { median, spread } from './spread.ts'
import { BackupBench, connectTo, fetchAndDiscard, objectsOf, startTenant } from './world.ts'

const { values } = parseArgs({
  options: {
    mailboxes: { type: 'string', default: '20' },
    drives: { type: 'string', default: '40' },
    mails: { type: 'string', default: '1000' },
    files: { type: 'string', default: '250' },
    rounds: { type: 'string', default: '3' },
  },
})
const [mailboxes, drives, mails, files, rounds] = [
  values.mailboxes,
  values.drives,
  values.mails,
  values.files,
  values.rounds,
].map(Number) as [number, number, number, number, number]

interface Timed<Result> {
  readonly result: Result
  readonly seconds: number
  readonly requests: number
}

const timed = async <Result>(tenant: Tenant, work: () => Promise<Result>): Promise<Timed<Result>> => {
  const before = tenant.traffic().requests
  const startedMs = performance.now()
  const result = await work()
  return {
    result,
    seconds: (performance.now() - startedMs) / 1000,
    requests: tenant.traffic().requests - before,
  }
}

/** Touches 1 % of the messages (read state) and of the files (new content), each counted. */
const changeOnePercent = async (editor: Tenant, objects: readonly ProtectedObject[]): Promise<number> => {
  let changed = 0
  const wantedMails = Math.max(1, Math.round(mails / 100))
  const wantedFiles = Math.max(1, Math.round(files / 100))
  for (const { id } of objects.filter((object) => object.mailbox)) {
    const mailbox = editor.mailbox(id)
    const inbox = (await mailbox.folders()).find(({ wellKnownName }) => wellKnownName === 'inbox')!
    for await (const page of mailbox.changes(inbox.id)) {
      for (const item of page.items.slice(0, wantedMails)) {
        await mailbox.updateMessage(item.id, { ...item, isRead: !item.isRead })
        changed += 1
      }
      break
    }
  }
  for (const { id } of objects.filter((object) => object.oneDrive)) {
    const drive = editor.drive(id)
    const root = await drive.root()
    for (let n = 0; n < wantedFiles; n += 1) {
      const bytes = Buffer.from(`changed ${changed} `.repeat(2_000))
      const upload = {
        parentId: root.id,
        name: `bench ${n}.txt`,
        sizeBytes: bytes.length,
        onConflict: 'replace',
      } as const
      await drive.upload(
        upload,
        (async function* () {
          yield bytes
        })(),
      )
      changed += 1
    }
  }
  return changed
}

const scratch = mkdtempSync(join(tmpdir(), 'holdfast-bench-'))
const process_ = await startTenant({ users: Math.max(mailboxes, drives) + 12, mails, files })
try {
  const { tenant, connectors } = connectTo(process_)
  const { tenant: editor } = connectTo(process_, 'editor')
  const objects = await objectsOf(tenant, { mailboxes, drives })
  await fetchAndDiscard(tenant, objects) // The tenant makes its mailboxes at the first touch: that is not measured.
  const discards: number[] = []
  const fulls: number[] = []
  const ratios: number[] = []
  let items = 0
  let fullRequests = 0
  let last: BackupBench | undefined
  for (let round = 0; round < rounds; round += 1) {
    const discard = await timed(tenant, () => fetchAndDiscard(tenant, objects))
    await last?.[Symbol.asyncDispose]()
    last = await BackupBench.make(join(scratch, `round-${round}`))
    const bench = last
    const full = await timed(tenant, () => bench.run(tenant, objects))
    items = discard.result
    fullRequests = full.requests
    discards.push(discard.seconds)
    fulls.push(full.seconds)
    ratios.push(discard.seconds / full.seconds)
  }
  const bench = last!
  const idle = await timed(tenant, () => bench.run(tenant, objects))
  const changed = await changeOnePercent(editor, objects)
  const incremental = await timed(tenant, () => bench.run(tenant, objects))
  await bench[Symbol.asyncDispose]()
  const full = median(fulls)
  const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(1)} %`
  const rows = [
    ['full backup : fetch and discard', spread(ratios), '≥ 0.25'],
    [
      'full backup, items/s',
      spread(
        fulls.map((seconds) => items / seconds),
        0,
      ),
      '',
    ],
    [
      'fetch and discard, items/s (ceiling)',
      spread(
        discards.map((seconds) => items / seconds),
        0,
      ),
      '',
    ],
    ['requests of a full run per item', (fullRequests / items).toFixed(3), ''],
    ['1 % changed: time of the full run', percent(incremental.seconds, full), '≤ 3 %'],
    ['1 % changed: requests of the full run', percent(incremental.requests, fullRequests), '≤ 3 %'],
    ['1 % changed: items', String(changed), ''],
    [
      'requests per changed item, beyond the look at each folder and drive',
      ((incremental.requests - idle.requests) / changed).toFixed(2),
      '≤ 1.05',
    ],
    ['nothing changed: time of the full run', percent(idle.seconds, full), ''],
    ['nothing changed: requests', String(idle.requests), 'one a folder or drive'],
  ]
  console.log(
    JSON.stringify({
      title: `Backup: ${mailboxes} mailboxes × ${mails} mails, ${drives} drives × ${files} files, ${items} items`,
      rows,
    }),
  )
  await tenant[Symbol.asyncDispose]()
  await connectors[Symbol.asyncDispose]()
} finally {
  await process_.stop()
  rmSync(scratch, { recursive: true, force: true })
}
