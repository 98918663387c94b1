// Looking into one very large mailbox over REST and TLS: pages of 50 at several offsets, and opening it with its cache and without.
// The server is the real one, in this process with its client and the practice tenant; the mailbox's catalogue is written with
// the engine's own blocks, without the messages that it tells of. `node bench/explorer.ts [--rows N]`: 1,000,000.
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { seededRandom, systemClock, systemRandom } from '#base'
import { openCatalogue } from '#engine'
import { openRepository, type BlobId, type RepositoryWriter } from '#repository'
import { writeRecoveryKit } from '#server'
import { localStorage } from '#storage'
import { startWorld, type World } from '#world'
import { mailPaths, mailRow } from '../src/engine/backup/mail-rows.ts'
import {
  objectKey,
  OBJECTS_FOLDER,
  RUN_FILE,
  segmentPath,
  STATE_FILE,
  type ObjectState,
  type SegmentRef,
} from '../src/engine/catalogue/object-state.ts'
import { BLOCK_ROWS, encodeBlock } from '../src/engine/catalogue/row-block.ts'
import { frameBlock } from '../src/engine/catalogue/segments.ts'
import { addJob, good, runJob } from '../tests/e2e/living/backup.ts'
import { FOLDERS, syntheticMail } from './synthetic-mailbox.ts'
import { peakMemory } from './world.ts'

const PAGE = 50
const REQUESTS = 200
/** About as large as the segments that a backup writes. */
const SEGMENT_BLOCKS = 64
/** The first three people have a corpus. */
const PERSON = 3

interface KitEntry {
  readonly path: string
  readonly passwordFile: string
}

const rowsAsked = process.argv.indexOf('--rows')
const ROWS = rowsAsked < 0 ? 1_000_000 : Number(process.argv[rowsAsked + 1])

const segmentOf = async (writer: RepositoryWriter, number: number, from: number): Promise<SegmentRef> => {
  const blocks: Buffer[] = []
  const to = Math.min(ROWS, from + SEGMENT_BLOCKS * BLOCK_ROWS)
  for (let at = from; at < to; at += BLOCK_ROWS) {
    const count = Math.min(BLOCK_ROWS, to - at)
    const changes = Array.from({ length: count }, (_, n) => ({ put: rowOf(at + n) }))
    blocks.push(frameBlock(encodeBlock(changes)))
  }
  const saved = await writer.saveFile(blocks)
  return { name: String(number).padStart(6, '0'), format: 2, rows: to - from, ...saved }
}

const rowOf = (n: number) => {
  const mail = syntheticMail('meg', n)
  const random = seededRandom(n)
  const content = [Buffer.from(random.bytes(32)).toString('hex') as BlobId]
  const [path] = mailPaths(mail)
  return mailRow(mail, mail.folderId, path!, { content, sizeBytes: 4_000 + (n % 900), newBytes: 0 })
}

/** Writes a further restore point, at which the mailbox holds ROWS messages. */
const growMailbox = async ({ path, passwordFile }: KitEntry, kit: string, userId: string): Promise<void> => {
  const password = readFileSync(join(kit, passwordFile), 'utf8').trim()
  const options = { password, clock: systemClock, random: systemRandom }
  await using repository = await openRepository(localStorage(path), options)
  using catalogue = openCatalogue(':memory:', repository)
  await catalogue.sync()
  const key = objectKey({ kind: 'mail', userId })
  const [newest] = catalogue.points(key)
  const before = (await catalogue.previous(key))!.state
  await repository.withWriter(async (writer) => {
    const segments: SegmentRef[] = []
    for (let from = 0; from < ROWS; from += SEGMENT_BLOCKS * BLOCK_ROWS)
      segments.push(await segmentOf(writer, segments.length + 1, from))
    const folders = FOLDERS.map(({ id, name }) => ({ id, name, segment: name, isHidden: false }))
    const counts = { items: ROWS, bytes: ROWS * 4_450 }
    const state: ObjectState = { ...before, folders, segments, nextSegment: segments.length + 1, counts }
    const modifiedAt = new Date(0)
    const json = (value: unknown) => writer.saveFile([Buffer.from(JSON.stringify(value))])
    const root = writer.edit()
    const object = `${OBJECTS_FOLDER}/${key}`
    for (const segment of segments) {
      const { content, sizeBytes } = segment
      await root.putFile(`${object}/${segmentPath(segment)}`, { content, sizeBytes, modifiedAt })
    }
    await root.putFile(`${object}/${STATE_FILE}`, { ...(await json(state)), modifiedAt })
    await root.putFile(RUN_FILE, { ...(await json(newest!.run)), modifiedAt })
    const { tags, paths } = await repository.snapshot(newest!.snapshot)
    const time = new Date(Math.max(Date.now(), newest!.time.getTime() + 1))
    await writer.saveSnapshot({ tree: (await root.save())!, paths, tags, time })
  })
  // The small mailbox before it is no part of the large one's history: the two would be compared row by row.
  await repository.forget([newest!.snapshot])
}

const took = async <Result>(work: () => Promise<Result>): Promise<{ result: Result; ms: number }> => {
  const started = performance.now()
  return { result: await work(), ms: performance.now() - started }
}

interface Opened {
  readonly mailbox: string
  readonly sessionMs: number
  /** The session and the first page of folders. */
  readonly ms: number
  readonly cpuSeconds: number
}

const open = async (world: World, organizationId: string, userId: string): Promise<Opened> => {
  const api = world.api('v8')
  const cpu = process.cpuUsage()
  const session = await took(() =>
    good<{ id: string }>(api.post(`/Organizations/${organizationId}/explore`, { type: 'Vex' })),
  )
  const mailbox = `/RestoreSessions/${session.result.id}/Organization/Mailboxes/${userId}`
  const folders = await took(() => good(api.get(`${mailbox}/Folders`)))
  const { user, system } = process.cpuUsage(cpu)
  return {
    mailbox,
    sessionMs: session.ms,
    ms: session.ms + folders.ms,
    cpuSeconds: (user + system) / 1e6,
  }
}

const percentile = (times: readonly number[], share: number): string =>
  times.toSorted((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * share))]!.toFixed(1)

interface Asked {
  readonly times: readonly number[]
  /** Of one request. */
  readonly cpuMs: number
}

const pages = async (world: World, mailbox: string, offset: number): Promise<Asked> => {
  const api = world.api('v8')
  const cpu = process.cpuUsage()
  const times: number[] = []
  for (let turn = 0; turn < REQUESTS; turn += 1) {
    const page = `${mailbox}/Items?offset=${offset + (turn % 7)}&limit=${PAGE}`
    const { result, ms } = await took(() => good<{ results: unknown[] }>(api.get(page)))
    if (result.results.length === 0) throw new Error(`the page at ${offset} is empty`)
    times.push(ms)
  }
  const { user, system } = process.cpuUsage(cpu)
  return { times, cpuMs: (user + system) / 1000 / REQUESTS }
}

await using world = await startWorld({ users: 4, mails: 2, files: 0 })
const { id: userId, userPrincipalName, displayName } = [...world.tenant.state.users()][PERSON]!
const organization = (await world.addOrganization('v4')).id
const user = { id: userId, displayName, name: userPrincipalName, type: 'User' }
const selectedItems = [{ type: 'User', user, mailbox: true, oneDrive: false }]
await runJob(world, await addJob(world, organization, { backupType: 'SelectedItems', selectedItems }))
const dataFolder = join(world.folder, 'data')
const kit = join(world.folder, 'kit')
await writeRecoveryKit({ dataFolder }, kit)
const [shard] = JSON.parse(readFileSync(join(kit, 'repositories.json'), 'utf8')) as KitEntry[]
await world.server.stop()
await growMailbox(shard!, kit, userId)
rmSync(join(dataFolder, 'catalogues'), { recursive: true, force: true })
await world.restart()

const { result: cold, peakMb } = await peakMemory(() => open(world, organization, userId))
await world.restart()
const restarted = await open(world, organization, userId)
const again = await open(world, organization, userId)
const rows = [
  ['opened without its cache: session and folders, s', (cold.ms / 1000).toFixed(1), '≤ 10'],
  ['of these the session, s', (cold.sessionMs / 1000).toFixed(1), ''],
  ['of these processor time, s', cold.cpuSeconds.toFixed(1), ''],
  ['peak memory while it is made again (with tenant and client), MB', peakMb.toFixed(0), '≤ 512'],
  [
    'opened with its cache after a start: session and folders, s (processor)',
    `${(restarted.ms / 1000).toFixed(2)} (${restarted.cpuSeconds.toFixed(2)})`,
    '≤ 1',
  ],
  [
    'opened once more, s (processor)',
    `${(again.ms / 1000).toFixed(2)} (${again.cpuSeconds.toFixed(2)})`,
    '≤ 1',
  ],
]
const offsets = [0, PAGE, 1_000, ...[0.1, 0.5, 0.99].map((share) => Math.floor(ROWS * share))]
for (const offset of offsets) {
  const { times, cpuMs } = await pages(world, again.mailbox, offset)
  rows.push([
    `page of ${PAGE} at ${offset.toLocaleString('en')}: p50 / p99, ms (processor, with the client)`,
    `${percentile(times, 0.5)} / ${percentile(times, 0.99)} (${cpuMs.toFixed(1)})`,
    offset <= 1_000 ? '≤ 50 (p99)' : '≤ 200 (p99)',
  ])
}
const title = `Explorer over a mailbox of ${ROWS.toLocaleString('en')} messages (catalogue alone, generated), REST and TLS`
console.log(JSON.stringify({ title, rows }))
