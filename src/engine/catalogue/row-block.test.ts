import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '#base'
import type { BlobId } from '#repository'
import type { Change } from './change.ts'
import { itemColumns, itemColumnsIn } from './item-columns.ts'
import { encodeBlock, RowBlock } from './row-block.ts'
import { mailFilePath, searchText, type DriveRow, type MailRow } from './rows.ts'

const blob = (text: string): BlobId => createHash('sha256').update(text).digest('hex') as BlobId

const mail = (n: number, changes: Partial<MailRow> = {}): MailRow => {
  const id = Buffer.from(`mailbox of meg, message ${String(n).padStart(9, '0')}`).toString('base64url')
  const receivedAt = new Date(Date.UTC(2026, 0, 1) + n * 61_000).toISOString()
  const hash = createHash('sha256').update(id).digest('hex').slice(0, 12)
  return {
    id,
    folderId: `folder ${n % 3}`,
    path: mailFilePath(new Date(receivedAt), hash),
    subject: `Ünïcode ${n} 📎`,
    from: { name: `Person ${n % 7}`, address: `person${n % 7}@contoso.com` },
    to: [{ address: 'meg@contoso.com' }],
    receivedAt,
    isRead: n % 2 === 0,
    isDraft: false,
    isFlagged: n % 5 === 0,
    hasAttachments: n % 4 === 0,
    categories: n % 9 === 0 ? ['Red'] : [],
    importance: 'normal',
    changeKey: Buffer.from(`change key ${n}`.padEnd(24)).toString('base64'),
    sizeBytes: 1000 + n,
    content: n % 4 === 0 ? [blob(`${n}`), blob(`att ${n}`)] : [blob(`${n}`)],
    ...changes,
  }
}

const file = (n: number, changes: Partial<DriveRow> = {}): DriveRow => {
  const id = `01ABCDEF${String(n)
    .padStart(4, 'A')
    .replaceAll(/[0189]/g, 'B')
    .padEnd(26, '7')}`
  const name = `Report ${n} & más.docx`
  return {
    id,
    parentId: '01PARENT',
    name,
    kind: 'file',
    path: name,
    sizeBytes: n * 13,
    createdAt: '2026-01-02T03:04:05.000Z',
    modifiedAt: new Date(Date.UTC(2026, 1, 1) + n * 1000).toISOString(),
    eTag: `"{AAAA},${n}"`,
    isShared: n % 3 === 0,
    graph: {
      id,
      name,
      size: n * 13,
      eTag: `"{AAAA},${n}"`,
      webUrl: `https://contoso-my.sharepoint.com/personal/meg/Documents/${encodeURIComponent(name)}`,
      fileSystemInfo: { createdDateTime: '2026-01-02T03:04:05Z' },
      file: { mimeType: 'x', hashes: {} },
    },
    content: [blob(`f${n}`)],
    ...changes,
  }
}

const roundTrip = (changes: readonly Change[]): Change[] => new RowBlock(encodeBlock(changes)).changes

describe('a block of rows', () => {
  it.each([1, 2, 300, 1024])('gives back %i mails exactly, with the order of their properties', (count) => {
    const changes = Array.from({ length: count }, (_, n) => ({ put: mail(n) }))
    expect(JSON.stringify(roundTrip(changes))).toBe(JSON.stringify(changes))
  })

  it('gives back files exactly', () => {
    const changes = Array.from({ length: 100 }, (_, n) => ({ put: file(n) }))
    expect(JSON.stringify(roundTrip(changes))).toBe(JSON.stringify(changes))
  })

  it('gives back rows with anything missing, empty, odd or misleading', () => {
    const odd: Change[] = [
      { put: mail(1, { path: '2026/01/01/000000-other.eml' }) },
      { put: mail(2, { subject: '', categories: ['a', 'b'], content: [] }) },
      { del: 'gone' },
      { leave: 'left', from: 'folder 1' },
      { put: file(3, { path: '=', eTag: '=', graph: {} }) },
      { put: file(4, { graph: { webUrl: '\n', eTag: '=', cTag: null, size: 1.5, '~raw': [] } }) },
      { put: file(5, { permissions: [{ id: 'p', roles: ['read'] }], versions: [], cTag: '"c:{x},=,0"' }) },
      { put: file(6, { quickXorHash: 'AAAAAAAAAAAAAAAAAAAAAAAAAAA=', mimeType: '' }) },
      { put: { ...mail(7), receivedAt: '2026-01-01T00:00:00Z', sentAt: 'not a time' } },
      { put: { ...mail(8), changeKey: 'ABC', from: { address: '' }, to: [] } },
    ]
    for (const change of odd) expect(JSON.stringify(roundTrip([change]))).toBe(JSON.stringify([change]))
    expect(JSON.stringify(roundTrip(odd))).toBe(JSON.stringify(odd))
  })

  it('gives back whatever it is given', () => {
    const random = seededRandom(5)
    const pick = <Value>(...values: readonly Value[]): Value => values[random.bytes(1)[0]! % values.length]!
    const changes = Array.from({ length: 500 }, (_, n): Change => {
      const changed = {
        sizeBytes: pick(0, n, 2 ** 40 + n, -n),
        subject: pick('', 'same', `${n}`, 'x'.repeat(n)),
        changeKey: pick('aaaa', 'deadbeefdeadbeef', 'AAAAAAAA', `${n}`),
        receivedAt: pick('2026-01-01T00:00:00.000Z', '0001-01-01T00:00:00.000Z', '2026-01-01T00:00:00.123Z'),
        content: pick([], [blob(`${n}`)], [blob('a'), blob('b')]),
      }
      return pick<Change>({ put: mail(n, changed) }, { del: `${n}` }, { put: file(n) })
    })
    expect(JSON.stringify(roundTrip(changes))).toBe(JSON.stringify(changes))
  })

  it('tells what the cache keeps of a row without reading the row', () => {
    const rows = [...Array.from({ length: 50 }, (_, n) => mail(n)), mail(3, { path: 'other.eml' }), file(1)]
    const block = new RowBlock(encodeBlock(rows.map((put) => ({ put }))))
    for (const [row, original] of rows.entries()) {
      expect(block.kindOf(row)).toEqual({ kind: 'put', id: original.id })
      expect(itemColumnsIn(block)(row, original.id)).toEqual(itemColumns(original))
      expect(block.searchText(row)).toBe(searchText(original))
    }
  })

  it('refuses bytes that are cut', () => {
    const bytes = encodeBlock([{ put: mail(1) }, { put: mail(2) }])
    expect(() => new RowBlock(bytes.subarray(0, -1))).toThrow()
  })
})
