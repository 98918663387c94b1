import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { validateGraph } from '../../../tests/data/validate-graph.ts'
import { parseMime } from '../outlook/parse-mime.ts'
import { corpusMail } from '../seed/corpus.ts'
import { MailDesk } from './mail-desk.ts'
import type { Json } from './mail-desk.ts'

const ITEM = '$expand=microsoft.graph.itemattachment/item'

interface Attachment {
  readonly '@odata.type': string
  readonly id: string
  readonly name: string
  readonly contentBytes?: string
  readonly item?: Json
}

let desk: MailDesk
let user: string
const messages: Json[] = []

beforeAll(async () => {
  desk = await MailDesk.open({ seed: { users: 4, mails: 40 } })
  user = desk.user(0)
  const { items: top } = await desk.all(`${user}/mailFolders?$top=100`)
  const collections = top.find(({ displayName }) => displayName === 'Collections')!
  const folders = await desk.all(`${user}/mailFolders/${String(collections['id'])}/childFolders?$top=100`)
  for (const { id } of folders.items) {
    messages.push(...(await desk.all(`${user}/mailFolders/${String(id)}/messages?$top=50`)).items)
  }
})
afterAll(async () => {
  await desk[Symbol.asyncDispose]()
})

const idOf = (message: Json): string => String(message['id'])

describe('the corpus in a mailbox', () => {
  it('holds every message of the corpus', () => {
    expect(messages).toHaveLength(corpusMail().length)
  })

  it('has an identity for every message, its own where the file has one', () => {
    const ids = messages.map(({ internetMessageId }) => String(internetMessageId))
    expect(ids.filter((id) => !/^<.*>$/.test(id))).toEqual([])
    expect(ids).toContain('<57a815bf0910160539m64240421gb35ea52e101aedbc@mail.gmail.com>')
  })

  it('is answered in names and types of Microsoft Graph', () => {
    const wrong = messages.flatMap((message) => validateGraph('message', message).map((fault) => `${String(message['subject'])}: ${fault}`)) // prettier-ignore
    expect(wrong).toEqual([])
  })

  it('gives each message alone as the list gives it', async () => {
    const differing: unknown[] = []
    for (const message of messages) {
      const { '@odata.context': _, ...alone } = await desk.get(`${user}/messages/${idOf(message)}`)
      if (JSON.stringify(alone) !== JSON.stringify(message)) differing.push(message['subject'])
    }
    expect(differing).toEqual([])
  })

  it('keeps subjects, bodies, identities and dates of the files', async () => {
    const key = (subject: unknown, body: unknown, sent: unknown): string =>
      JSON.stringify([subject, body, sent])
    const kept = new Set(
      messages.map((message) => key(message['subject'], message['body'], message['sentDateTime'])),
    )
    const undated = new Set(messages.map((message) => key(message['subject'], message['body'], undefined)))
    for (const { name, bytes } of corpusMail()) {
      const { content, sent } = await parseMime(bytes)
      const body = { contentType: content.body.type, content: content.body.content }
      const date = sent === undefined ? undefined : new Date(sent * 1000).toISOString().replace('.000', '')
      expect((date === undefined ? undated : kept).has(key(content.subject, body, date)), name).toBe(true)
    }
    const known = messages.find(({ internetMessageId }) => internetMessageId === '<57a815bf0910160539m64240421gb35ea52e101aedbc@mail.gmail.com>') // prettier-ignore
    expect(known).toMatchObject({
      subject: 'testing',
      sentDateTime: '2009-10-16T12:39:34Z',
      hasAttachments: true,
    })
  })

  it('gives attachments whole: files, nested messages and what they carry', async () => {
    const faults: string[] = []
    const kinds = new Map<string, number>()
    for (const message of messages) {
      const base = `${user}/messages/${idOf(message)}/attachments`
      const { value } = await desk.get<{ value: Attachment[] }>(`${base}?${ITEM}`)
      for (const attachment of value) {
        kinds.set(attachment['@odata.type'], (kinds.get(attachment['@odata.type']) ?? 0) + 1)
        faults.push(...validateGraph('attachment', attachment).map((fault) => `${attachment.name}: ${fault}`))
        if (attachment.contentBytes === undefined) continue
        const raw = await desk.call('GET', `${base}/${attachment.id}/$value`)
        expect(raw.bytes.toString('base64')).toBe(attachment.contentBytes)
      }
    }
    expect(faults).toEqual([])
    expect(kinds.get('#microsoft.graph.fileAttachment')).toBeGreaterThan(60)
    expect(kinds.get('#microsoft.graph.itemAttachment')).toBeGreaterThan(15)
  })

  it('composes the same MIME each time, and it says what the message says', async () => {
    for (const message of messages) {
      const address = `${user}/messages/${idOf(message)}/$value`
      const [one, other] = [await desk.call('GET', address), await desk.call('GET', address)]
      expect(one.bytes.equals(other.bytes)).toBe(true)
      const { content } = await parseMime(one.bytes)
      expect(content.subject.replace(/\s+/g, ' ').trim()).toBe(String(message['subject']).replace(/[\s\0]+/g, ' ').trim()) // prettier-ignore
      const { content: body } = message['body'] as { content: string }
      expect(content.body.content.replace(/\s+/g, ' ').trim()).toBe(body.replace(/\s+/g, ' ').trim())
    }
  })

  it('holds a link instead of a file, whose content cannot be read', async () => {
    const { items } = await desk.all(
      `${user}/messages?$filter=subject eq 'The plan as a link'&$expand=attachments`,
    )
    const [attachment] = items[0]!['attachments'] as Attachment[]
    expect(attachment).toMatchObject({
      '@odata.type': '#microsoft.graph.referenceAttachment',
      name: 'Plan.docx',
    })
    const value = `${user}/messages/${idOf(items[0]!)}/attachments/${attachment!.id}/$value`
    expect(await desk.refusal('GET', value)).toMatch(/^405 /)
  })
})

describe('the seed', () => {
  it('makes the same mailbox from the same number, and another from another', async () => {
    const lists = await Promise.all(
      [1, 1, 2].map(async (seed) => {
        await using other = await MailDesk.open({ seed: { users: 4, mails: 30, seed } })
        return JSON.stringify((await other.all(`${other.user(3)}/messages?$top=20&$select=subject,receivedDateTime,isRead`)).items) // prettier-ignore
      }),
    )
    expect(lists[0]).toBe(lists[1])
    expect(lists[0]).not.toBe(lists[2])
  })

  it('puts as many messages into the tree as were asked for', async () => {
    const { items } = await desk.all(`${desk.user(3)}/messages?$top=100&$select=id`)
    const hidden = await desk.get<{ totalItemCount: number }>(`${desk.user(3)}/mailFolders/syncissues`)
    expect(items.length - hidden.totalItemCount).toBe(40)
  })
})
