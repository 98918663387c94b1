import { afterEach, beforeEach, expect, it } from 'vitest'
import type { RepositoryWriter } from '#repository'
import { BackupWorld, clock, keepWorkers } from '../backup/tests/backup-world.ts'
import type { FakeMailbox } from '../backup/tests/fake-mailbox.ts'
import type { Change } from './change.ts'
import { openCatalogue } from './catalogue.ts'
import { segmentPath, STATE_FILE, type SegmentRef } from './object-state.ts'
import type { MailRow } from './rows.ts'

// Segments of the first format: lines of JSON, one change each, in files named `.ndjson`.

const KEY = 'mail-meg'
const ALL = { offset: 0, limit: 1000 }

keepWorkers()

let world: BackupWorld
let meg: FakeMailbox
let rowsWere: readonly MailRow[]

beforeEach(async () => {
  world = await BackupWorld.start()
  meg = world.mailbox('meg').folder('in', 'Inbox')
  for (let n = 0; n < 6; n += 1)
    meg.put(`m${n}`, 'in', { subject: `Number ${n}`, receivedAt: new Date(Date.UTC(2026, 0, 1 + n)) })
  await world.run()
  rowsWere = await rowsNow()
  await writeOldState()
})
afterEach(async () => {
  await world[Symbol.asyncDispose]()
})

const rowsNow = async (): Promise<MailRow[]> => {
  using catalogue = openCatalogue(':memory:', world.repository)
  await catalogue.sync()
  await catalogue.load()
  const [point] = catalogue.points(KEY)
  const [meg] = catalogue.objectsAt(point!.snapshot)
  return catalogue.items(KEY, meg!.version, undefined, ALL).items as MailRow[]
}

/** The same mailbox again, as the first format told of it: with words that later ones overrule. */
const writeOldState = async (): Promise<void> => {
  clock.advance(60_000)
  await world.catalogue.sync()
  const [newest] = world.catalogue.points(KEY)
  const { state } = (await world.catalogue.previous(KEY))!
  const [first, ...others] = rowsWere
  const base: Change[] = [...rowsWere.map((put) => ({ put })), { put: { ...first!, id: 'gone' } }]
  const delta: Change[] = [
    { put: { ...first!, subject: 'for a moment' } },
    { del: 'gone' },
    { del: others[0]!.id },
    { leave: others[1]!.id, from: 'in' },
    { put: first! },
    { put: others[0]! },
  ]
  await world.repository.withWriter(async (writer) => {
    const segments = [await oldSegment(writer, '000001', base), await oldSegment(writer, '000002', delta)]
    const root = writer.edit(newest!.tree)
    const folder = `.holdfast/objects/${KEY}`
    const modifiedAt = new Date(0)
    await root.remove(folder)
    for (const { name, content, sizeBytes } of segments)
      await root.putFile(`${folder}/segments/${name}.ndjson`, { content, sizeBytes, modifiedAt })
    const { lastChange: _none, ...rest } = state
    const old = { ...rest, segments, nextSegment: 3 }
    const { content, sizeBytes } = await writer.saveFile([Buffer.from(JSON.stringify(old))])
    await root.putFile(`${folder}/${STATE_FILE}`, { content, sizeBytes, modifiedAt })
    const { tags, paths } = await world.repository.snapshot(newest!.snapshot)
    await writer.saveSnapshot({ tree: (await root.save())!, tags, paths, time: clock.now() })
  })
}

const oldSegment = async (
  writer: RepositoryWriter,
  name: string,
  changes: readonly Change[],
): Promise<SegmentRef> => {
  const lines = changes.map((change) => `${JSON.stringify(change)}\n`).join('')
  const { content, sizeBytes } = await writer.saveFile([Buffer.from(lines)])
  return { name, rows: changes.length, sizeBytes, content }
}

it('reads a catalogue of the first format, the last word of each item', async () => {
  expect(rowsWere).toHaveLength(6)
  expect(await rowsNow()).toEqual(rowsWere)
})

it('goes on from a catalogue of the first format and leaves its segments as they are', async () => {
  clock.advance(60_000)
  meg.put('new', 'in', { subject: 'New', receivedAt: new Date(Date.UTC(2026, 1, 1)) }).delete('m3')
  await world.restart()
  await world.run()
  expect((await rowsNow()).map(({ id }) => id)).toEqual(['new', 'm5', 'm4', 'm2', 'm1', 'm0'])
  await world.catalogue.sync()
  const { state } = (await world.catalogue.previous(KEY))!
  expect(state.segments.map(segmentPath)).toEqual([
    'segments/000001.ndjson',
    'segments/000002.ndjson',
    'segments/000003.rows',
  ])
})
