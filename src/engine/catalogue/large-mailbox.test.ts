import { expect, it } from 'vitest'
import { initRepository, type BlobId, type RepositoryWriter } from '#repository'
import { memoryStorage } from '#storage'
import { systemClock, systemRandom } from '#base'
import { keepWorkers } from '../backup/tests/backup-world.ts'
import { openCatalogue, type Catalogue } from './catalogue.ts'
import type { Change } from './change.ts'
import { OBJECTS_FOLDER, RUN_FILE, segmentPath, STATE_FILE, type SegmentRef } from './object-state.ts'
import { BLOCK_ROWS, encodeBlock } from './row-block.ts'
import { mailFilePath, type MailRow } from './rows.ts'
import { frameBlock } from './segments.ts'

// So many rows that the cache takes them in at once, without indexes until all are there.

const ROWS = 21_000
const KEY = 'mail-meg'
const WHO = { kind: 'mail', userId: 'meg', principalName: 'meg@contoso.com', displayName: 'Meg' } as const

keepWorkers()

const mail = (n: number, change: Partial<MailRow> = {}): MailRow => {
  const id = `AAMk${String(n).padStart(8, '0')}`
  const received = new Date(Date.UTC(2020, 0, 1) + n * 60_000)
  return {
    id,
    folderId: n % 3 === 0 ? 'archive' : 'inbox',
    path: mailFilePath(received, '0'.repeat(12)),
    subject: `Number ${n}`,
    to: [],
    receivedAt: received.toISOString(),
    isRead: true,
    isDraft: false,
    isFlagged: false,
    hasAttachments: false,
    categories: [],
    importance: 'normal',
    changeKey: 'k',
    sizeBytes: 100,
    content: [n.toString(16).padStart(64, '0') as BlobId],
    ...change,
  }
}

const segmentOf = async (writer: RepositoryWriter, name: string, changes: Change[]): Promise<SegmentRef> => {
  const blocks: Buffer[] = []
  for (let at = 0; at < changes.length; at += BLOCK_ROWS)
    blocks.push(frameBlock(encodeBlock(changes.slice(at, at + BLOCK_ROWS))))
  return { name, format: 2, rows: changes.length, ...(await writer.saveFile(blocks)) }
}

const saveState = async (
  writer: RepositoryWriter,
  segments: readonly SegmentRef[],
  time: Date,
): Promise<void> => {
  const root = writer.edit()
  const modifiedAt = new Date(0)
  const json = async (path: string, value: unknown): Promise<void> =>
    root.putFile(path, { ...(await writer.saveFile([Buffer.from(JSON.stringify(value))])), modifiedAt })
  const folders = ['inbox', 'archive'].map((id) => ({ id, name: id, segment: id, isHidden: false }))
  const state = { ...WHO, format: 1, path: 'users/meg/mail', folders, segments, nextSegment: 9, failed: [] }
  for (const segment of segments)
    await root.putFile(`${OBJECTS_FOLDER}/${KEY}/${segmentPath(segment)}`, {
      content: segment.content,
      sizeBytes: segment.sizeBytes,
      modifiedAt,
    })
  await json(`${OBJECTS_FOLDER}/${KEY}/${STATE_FILE}`, { ...state, counts: { items: 0, bytes: 0 } })
  const objects = [{ key: KEY, status: 'success', identity: WHO }]
  await json(RUN_FILE, { format: 1, jobId: 'j', jobName: 'j', sessionId: 's', objects })
  await writer.saveSnapshot({ tree: (await root.save())!, paths: ['/'], tags: ['holdfast'], time })
}

const listed = (
  catalogue: Catalogue,
  version: number,
  folder: string | undefined,
  offset: number,
): unknown => {
  const { items, total } = catalogue.items(KEY, version, folder, { offset, limit: 3 })
  return [total, ...items.map((row) => (row as MailRow).subject)]
}

it('takes in many rows at once: the last word of each holds, and lists have the right length and order', async () => {
  const options = { password: 'p', clock: systemClock, random: systemRandom, scrypt: { N: 1024, r: 8, p: 1 } }
  await using repository = await initRepository(memoryStorage(), options)
  await repository.withWriter(async (writer) => {
    const base: Change[] = Array.from({ length: ROWS }, (_, n) => ({ put: mail(n) }))
    const words: Change[] = [
      { put: mail(7, { subject: 'Seven' }) },
      { del: mail(10).id },
      { del: mail(11).id },
      { put: mail(11, { subject: 'Eleven' }) },
      { put: mail(13, { folderId: 'archive' }) },
      { leave: mail(14).id, from: 'inbox' },
    ]
    const first = [await segmentOf(writer, '000001', base), await segmentOf(writer, '000002', words)]
    await saveState(writer, first, new Date(2026, 0, 1))
    const later: Change[] = [{ put: mail(ROWS) }, { del: mail(0).id }]
    await saveState(writer, [...first, await segmentOf(writer, '000003', later)], new Date(2026, 0, 2))
  })
  using catalogue = openCatalogue(':memory:', repository)
  await catalogue.sync()
  await catalogue.load()
  const inbox = (ROWS * 2) / 3
  expect(listed(catalogue, 1, undefined, ROWS - 3)).toEqual([ROWS - 1, 'Number 1', 'Number 0'])
  expect(listed(catalogue, 1, 'inbox', inbox - 9)).toEqual([inbox - 2, 'Eleven', 'Number 8', 'Seven'])
  expect(listed(catalogue, 1, 'archive', ROWS / 3 - 5)).toEqual([
    ROWS / 3 + 1,
    'Number 13',
    'Number 12',
    'Number 9',
  ])
  expect(listed(catalogue, 2, undefined, 0)).toEqual([
    ROWS - 1,
    `Number ${ROWS}`,
    `Number ${ROWS - 1}`,
    `Number ${ROWS - 2}`,
  ])
  const ids = [10, 11, 12].map((n) => mail(n).id)
  expect([...catalogue.rowsById(KEY, 1, ids).values()].map((row) => (row as MailRow).subject)).toEqual([
    'Eleven',
    'Number 12',
  ])
})
