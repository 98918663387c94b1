import fc from 'fast-check'
import PostalMime from 'postal-mime'
import { describe, expect, it } from 'vitest'
import type { MailAttachment, MailItem } from '#items'
import type { ItemAttachment } from './contract.ts'
import { exportEml } from './export-eml.ts'
import { BOUNDARY_IN_CONTENT, mailItemFile, type ItemFilePart } from './mail-item-file.ts'
import { unpackMailItem } from './mail-item-json.ts'
import { readMailItemFile } from './read-mail-item-file.ts'
import { anyAttachment, anyMailItem, type KnownAttachment } from './tests/arbitrary-mail.ts'

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size)
}
const collect = async (part: ItemFilePart): Promise<Buffer> => {
  if (part instanceof Uint8Array) return Buffer.from(part)
  const all: Uint8Array[] = []
  for await (const piece of part) all.push(piece)
  return Buffer.concat(all)
}
const given = (known: readonly KnownAttachment[]): ItemAttachment[] =>
  known.map(({ attachment, bytes }) => ({
    attachment,
    content: bytes === undefined ? undefined : pieces(bytes, 1500),
  }))
const partsOf = async (item: MailItem, known: readonly KnownAttachment[], salt = 0): Promise<Buffer[]> => {
  const parts: Buffer[] = []
  for await (const part of mailItemFile(item, given(known), { salt })) parts.push(await collect(part))
  return parts
}
const fileOf = async (item: MailItem, known: readonly KnownAttachment[]): Promise<Buffer> =>
  Buffer.concat(await partsOf(item, known))
const readBack = async (
  file: Uint8Array,
  size: number,
): Promise<{ item: MailItem; known: KnownAttachment[] }> => {
  const { item, attachments } = await readMailItemFile(pieces(file, size))
  const known: KnownAttachment[] = []
  for await (const { attachment, content } of attachments)
    known.push({ attachment, bytes: content === undefined ? undefined : await collect(content) })
  return { item, known }
}

const message = (changes: Partial<MailItem> = {}): MailItem => ({
  id: 'AAkALg1',
  changeKey: 'CQAA1',
  folderId: 'inbox-id',
  subject: 'Größe: 5 € – „Budget“',
  from: { name: 'Bo "the boss", Åberg', address: 'bo@contoso.com' },
  to: [{ name: 'Meg', address: 'meg@contoso.com' }, { address: 'ann@contoso.com' }],
  cc: [],
  bcc: [],
  receivedAt: new Date('2026-11-20T08:01:02Z'),
  sentAt: new Date('2026-11-20T08:01:00Z'),
  isRead: true,
  isDraft: false,
  isFlagged: false,
  importance: 'high',
  categories: ['Red'],
  internetMessageId: '<m1@contoso.com>',
  hasAttachments: true,
  body: { type: 'html', content: '<p>Zahlen für „Q4“ <img src="cid:logo"></p>' },
  headers: [
    { name: 'Received', value: 'from a by b; Fri, 20 Nov 2026 08:01:01 +0000' },
    { name: 'Subject', value: '=?UTF-8?Q?as_it_travelled?=' },
    { name: 'Content-Type', value: 'multipart/mixed; boundary=old' },
  ],
  graph: {
    id: 'AAkALg1',
    body: { contentType: 'html', content: '<p>Zahlen für „Q4“ <img src="cid:logo"></p>' },
  },
  ...changes,
})
const attachment = (changes: Partial<MailAttachment> = {}): MailAttachment => ({
  id: 'att-1',
  kind: 'file',
  name: 'Zahlen für 2026.bin',
  contentType: 'image/png',
  sizeBytes: 3,
  isInline: false,
  graph: { '@odata.type': '#microsoft.graph.fileAttachment' },
  ...changes,
})
const everyByte = Uint8Array.from({ length: 1024 }, (_, index) => (index * 7) % 256)

describe('an item file', () => {
  it('gives back what was put in, for any message and in pieces of any size', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyMailItem,
        fc.array(anyAttachment, { maxLength: 4 }),
        fc.integer({ min: 1, max: 5000 }),
        async (item, known, size) => {
          const back = await readBack(await fileOf(item, known), size)
          expect(back.item).toEqual(item)
          expect(back.known.map(({ attachment }) => attachment)).toEqual(
            known.map(({ attachment }) => attachment),
          )
          back.known.forEach(({ bytes }, index) => {
            expect(bytes === undefined).toBe(known[index]!.bytes === undefined)
            if (bytes !== undefined) expect(Buffer.compare(bytes, known[index]!.bytes!)).toBe(0)
          })
        },
      ),
      { numRuns: 150 },
    )
  })

  it('says the headers of transport once, and reads a file that says them twice', async () => {
    const { headers } = message()
    const item = message({
      graph: { id: 'AAkALg1', internetMessageHeaders: headers.map((one) => ({ ...one })) },
    })
    const file = await fileOf(item, [])
    expect(file.toString().split('as_it_travelled')).toHaveLength(2)
    expect((await readBack(file, 999)).item).toEqual(item)
    const packed = { format: 1, bodyIsPart: false, graphBodyIsPart: false, item }
    expect(unpackMailItem(JSON.stringify(packed), '')).toEqual(item)
  })

  it('has a header that nothing in the message can add a line to', async () => {
    await fc.assert(
      fc.asyncProperty(anyMailItem, async (item) => {
        const file = (await fileOf(item, [])).toString('latin1')
        const header = file.slice(0, file.indexOf('\r\n\r\n'))
        for (const line of header.split('\r\n'))
          expect(line).toMatch(
            /^( .*|(From|To|Cc|Bcc|Subject|Date|Message-ID|Importance|MIME-Version|X-Holdfast-Item|Content-Type): .*)$/,
          )
        expect(header).not.toMatch(/[\0\r](?!\n)/)
      }),
      { numRuns: 100 },
    )
  })

  it('is opened by a mail program with its subject, people, body and attachments', async () => {
    const words = Buffer.from('one\ntwo\nthree\n')
    const file = await fileOf(message(), [
      { attachment: attachment({ name: 'notes.txt', contentType: 'text/csv' }), bytes: words },
      {
        attachment: attachment({ id: '2', kind: 'item', name: 'Fwd' }),
        bytes: Buffer.from('Subject: in\r\n\r\nx\n'),
      },
    ])
    const mail = await PostalMime.parse(file)
    expect(mail.subject).toBe('Größe: 5 € – „Budget“')
    expect(mail.from).toEqual({ name: 'Bo "the boss", Åberg', address: 'bo@contoso.com' })
    expect(mail.to).toHaveLength(2)
    expect(mail.html?.trim()).toBe(message().body.content)
    expect(mail.attachments.map(({ filename, mimeType }) => [filename, mimeType])).toEqual([
      ['holdfast-item.json', 'application/vnd.holdfast.graph+json'],
      ['notes.txt', 'text/csv'],
      ['Fwd', 'message/rfc822'],
    ])
    // This parser works by lines and ends each with LF; the exact bytes are `readMailItemFile`'s and the export's.
    expect(
      Buffer.from(mail.attachments[1]!.content as ArrayBuffer)
        .toString()
        .trimEnd(),
    ).toBe('one\ntwo\nthree')
  })

  it('keeps an attachment on borders of its own, so that it is stored once', async () => {
    const big = Buffer.alloc(5 << 20, 'abcdefg')
    const known = [everyByte, big].map((bytes, index) => ({
      attachment: attachment({ id: String(index) }),
      bytes,
    }))
    const first = await partsOf(message(), known)
    const second = await partsOf(message({ id: 'other', subject: 'Fwd' }), known)
    for (const parts of [first, second]) {
      expect(parts).toHaveLength(5)
      expect(parts[1]!.equals(everyByte)).toBe(true)
      expect(parts[3]!.equals(big)).toBe(true)
    }
  })

  it('keeps a long body apart from the flags', async () => {
    const body = { type: 'text' as const, content: 'long '.repeat(20_000) }
    const unread = await partsOf(message({ body, isRead: false }), [])
    const read = await partsOf(message({ body, isRead: true, changeKey: 'CQAA2' }), [])
    expect(unread[1]!.equals(read[1]!)).toBe(true)
  })

  it.each([1000, 6 << 20])(
    'is refused when an attachment of %i bytes holds its boundary, and written with another',
    async (size) => {
      const item = message()
      const boundary = /boundary="([^"]+)"/.exec((await fileOf(item, [])).toString())![1]!
      const bytes = Buffer.concat([
        Buffer.alloc(size, 'x'),
        Buffer.from(`\r\n--${boundary}--\r\n`),
        Buffer.alloc(9),
      ])
      const known = [{ attachment: attachment(), bytes }]
      await expect(partsOf(item, known)).rejects.toMatchObject({ reason: BOUNDARY_IN_CONTENT })
      const back = await readBack(Buffer.concat(await partsOf(item, known, 1)), 1 << 16)
      expect(Buffer.compare(back.known[0]!.bytes!, bytes)).toBe(0)
    },
  )

  it('lets a reader skip attachments', async () => {
    const known = [1, 2, 3].map((id) => ({
      attachment: attachment({ id: `${id}` }),
      bytes: Buffer.alloc(9000, id),
    }))
    const { attachments } = await readMailItemFile(pieces(await fileOf(message(), known), 100))
    const ids: string[] = []
    for await (const {
      attachment: { id },
      content,
    } of attachments) {
      ids.push(id)
      if (id === '2') for await (const piece of content!) if (piece.length > 0) break
    }
    expect(ids).toEqual(['1', '2', '3'])
  })

  it('is refused as corrupt when it is cut anywhere', async () => {
    const file = await fileOf(message(), [{ attachment: attachment(), bytes: everyByte }])
    await fc.assert(
      fc.asyncProperty(fc.nat(file.length - 1), async (length) => {
        await expect(readBack(file.subarray(0, length), 700)).rejects.toMatchObject({ code: 'corrupt' })
      }),
      { numRuns: 60 },
    )
  })

  it('is refused as corrupt, or read as something else, when any byte is changed; never worse', async () => {
    const file = await fileOf(message(), [{ attachment: attachment(), bytes: everyByte }])
    await fc.assert(
      fc.asyncProperty(fc.nat(file.length - 1), fc.nat(255), async (at, value) => {
        const changed = Buffer.from(file)
        changed[at] = value
        await readBack(changed, 700).catch((error: unknown) => {
          expect(error).toMatchObject({ code: 'corrupt' })
        })
      }),
      { numRuns: 200 },
    )
  })
})

describe('an exported EML', () => {
  const exported = async (item: MailItem, known: readonly KnownAttachment[]): Promise<Buffer> =>
    collect(exportEml(await readMailItemFile(await fileOf(item, known))))

  it('is read by a mail program with every byte of its attachments', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 4 }), async (contents) => {
        const known = contents.map((bytes, index) => ({
          attachment: attachment({
            id: `${index}`,
            name: `${index} ü.bin`,
            isInline: index % 2 === 1,
            contentId: `c${index}`,
          }),
          bytes,
        }))
        const mail = await PostalMime.parse(await exported(message(), known))
        expect(mail.html).toBe(message().body.content)
        expect(mail.attachments).toHaveLength(known.length)
        for (const {
          attachment: { name },
          bytes,
        } of known) {
          const found = mail.attachments.find(({ filename }) => filename === name)
          expect(Buffer.compare(Buffer.from(found!.content as ArrayBuffer), bytes)).toBe(0)
        }
      }),
      { numRuns: 40 },
    )
  })

  it('puts the headers that travelled first and adds only what lacks', async () => {
    const eml = (await exported(message(), [])).toString()
    expect(eml).toMatch(/^Received: from a by b/)
    expect(eml).toContain('Subject: =?UTF-8?Q?as_it_travelled?=\r\n')
    expect(eml.match(/^subject:/gim)).toHaveLength(1)
    expect(eml).toContain('Message-ID: <m1@contoso.com>')
    expect(eml).not.toContain('boundary=old')
    expect(eml).not.toContain('holdfast')
  })

  it('carries a nested message as message/rfc822', async () => {
    const nested = Buffer.from('From: a@b.example\r\nSubject: inner\r\n\r\nhello\r\n')
    const eml = await exported(message(), [
      { attachment: attachment({ kind: 'item', name: 'inner' }), bytes: nested },
    ])
    const mail = await PostalMime.parse(eml, { forceRfc822Attachments: true })
    expect(mail.attachments.map(({ mimeType, filename }) => [mimeType, filename])).toEqual([
      ['message/rfc822', 'inner.eml'],
    ])
    expect(Buffer.from(mail.attachments[0]!.content as ArrayBuffer).toString()).toContain('Subject: inner')
  })
})
