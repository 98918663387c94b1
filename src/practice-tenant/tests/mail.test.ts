import { Client } from '@microsoft/microsoft-graph-client'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { validateGraph } from '../../../tests/data/validate-graph.ts'
import { expireDeltaTokens } from '../outlook/outlook.ts'
import { http } from './http.ts'
import { IMMUTABLE, MailDesk } from './mail-desk.ts'
import type { Json, Page } from './mail-desk.ts'

let desk: MailDesk
let user: string

beforeAll(async () => {
  desk = await MailDesk.open({
    seed: { users: 4, mails: 60 },
    sentinels: ['corrupt-item', 'vanish', 'expired-delta', 'odd-pages'],
  })
  user = desk.user(3)
})
afterAll(async () => {
  await desk[Symbol.asyncDispose]()
})

const newFolder = async (displayName: string): Promise<string> =>
  String((await desk.post(`${user}/mailFolders`, { displayName }))['id'])

const firstId = async (path: string, headers = {}): Promise<string> =>
  String((await desk.get<Page>(`${path}?$top=1`, headers)).value[0]!['id'])

const RESTORED = {
  subject: 'Budget',
  isRead: true,
  body: { contentType: 'HTML', content: '<p>All <b>numbers</b></p>' },
  from: { emailAddress: { name: 'Bo', address: 'bo@contoso.com' } },
  toRecipients: [{ emailAddress: { address: 'meg@contoso.com' } }],
  categories: ['Red category'],
  flag: { flagStatus: 'flagged' },
  internetMessageId: '<budget@contoso.com>',
  singleValueExtendedProperties: [
    { id: 'Integer 0x0E07', value: '1' },
    { id: 'SystemTime 0x0E06', value: '2021-11-01T10:00:03Z' },
    { id: 'SystemTime 0x0039', value: '2021-11-01T10:00:00Z' },
    { id: 'String 0x007D', value: 'Received: from a\r\n by b\r\nSubject: Budget\r\nX-Own: 1\r\n' },
  ],
}

describe('restoring a message', () => {
  it('is no draft and keeps dates, headers, flag and categories with the properties of restoring', async () => {
    const folder = await newFolder('Restored')
    const { id } = await desk.post(`${user}/mailFolders/${folder}/messages`, RESTORED)
    const message = await desk.get(`${user}/messages/${String(id)}?$select=isDraft,isRead,receivedDateTime,sentDateTime,internetMessageHeaders,flag,categories,parentFolderId,internetMessageId,body`) // prettier-ignore
    expect(message).toMatchObject({
      isDraft: false,
      isRead: true,
      receivedDateTime: '2021-11-01T10:00:03Z',
      sentDateTime: '2021-11-01T10:00:00Z',
      categories: ['Red category'],
      flag: { flagStatus: 'flagged' },
      parentFolderId: folder,
      internetMessageId: '<budget@contoso.com>',
      body: { contentType: 'html', content: '<p>All <b>numbers</b></p>' },
      internetMessageHeaders: [
        { name: 'Received', value: 'from a by b' },
        { name: 'Subject', value: 'Budget' },
        { name: 'X-Own', value: '1' },
      ],
    })
  })

  it('is a draft without them', async () => {
    const { singleValueExtendedProperties: _, ...plain } = RESTORED
    expect(await desk.post(`${user}/messages`, plain)).toMatchObject({ isDraft: true })
  })

  it('answers the properties that it was given', async () => {
    const own = { id: 'String {00020329-0000-0000-C000-000000000046} Name holdfast', value: 'kept' }
    const properties = [...RESTORED.singleValueExtendedProperties, own]
    const { id } = await desk.post(`${user}/messages`, {
      ...RESTORED,
      singleValueExtendedProperties: properties,
    })
    const filter = encodeURIComponent(`id eq '${own.id}' or id eq 'Integer 0xe07'`)
    const message = await desk.get(`${user}/messages/${String(id)}?$select=id&$expand=singleValueExtendedProperties($filter=${filter})`) // prettier-ignore
    expect(message['singleValueExtendedProperties']).toEqual([own, { id: 'Integer 0xe07', value: '1' }])
  })

  it('takes MIME as a draft only, and refuses what is no base64', async () => {
    const mime = Buffer.from('Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\nFrom: a@b.c\r\n\r\nHello\r\n').toString(
      'base64',
    )
    const headers = { 'content-type': 'text/plain' }
    const made = await desk.call('POST', `${user}/messages`, { headers, body: Buffer.from(mime) })
    expect(made.json()).toMatchObject({ subject: 'Grüße', isDraft: true })
    expect(await desk.refusal('POST', `${user}/messages`, { headers, body: Buffer.from('no base64!') })).toBe(
      '400 ErrorMimeContentInvalidBase64String',
    )
  })

  it.each([
    [{ nonsense: 1 }, '400 RequestBodyRead'],
    [{ subject: 5 }, '400 RequestBodyRead'],
    [{ importance: 'urgent' }, '400 RequestBodyRead'],
    [{ from: { emailAddress: { name: 'nobody' } } }, '400 ErrorInvalidRecipients'],
    [{ internetMessageHeaders: [{ name: 'Received', value: 'x' }] }, '400 InvalidInternetMessageHeader'],
    [
      { internetMessageHeaders: Array(6).fill({ name: 'x-a', value: '1' }) },
      '400 InvalidInternetMessageHeaderCollection',
    ],
    [
      { singleValueExtendedProperties: [{ id: 'Integer 0x0E07', value: 'x' }] },
      '400 ErrorInvalidPropertyRequest',
    ],
  ])('refuses %j', async (body, refusal) => {
    expect(await desk.refusal('POST', `${user}/messages`, { body })).toBe(refusal)
  })
})

describe('ids', () => {
  it('stay when immutable and change when not, as a message moves', async () => {
    const folder = await newFolder('Moved')
    const immutable = await firstId(`${user}/mailFolders/inbox/messages`, IMMUTABLE)
    const ordinary = await firstId(`${user}/mailFolders/inbox/messages`)
    expect([immutable.slice(0, 6), ordinary.slice(0, 6)]).toEqual(['AAkALg', 'AAMkAG'])
    const links = await Promise.all(
      ['inbox', folder].map((at) => desk.all(`${user}/mailFolders/${at}/messages/delta`, IMMUTABLE)),
    )
    const moved = await desk.post(`${user}/messages/${ordinary}/move`, { destinationId: folder })
    expect(moved['id']).not.toBe(ordinary)
    expect(moved['parentFolderId']).toBe(folder)
    expect(await desk.refusal('GET', `${user}/messages/${ordinary}`)).toBe('404 ErrorItemNotFound')
    expect(await desk.get(`${user}/messages/${immutable}`, IMMUTABLE)).toMatchObject({ id: immutable })
    const [left, come] = await Promise.all(links.map(({ deltaLink }) => desk.all(deltaLink!, IMMUTABLE)))
    expect(left!.items).toEqual([{ '@odata.type': '#microsoft.graph.message', id: immutable, '@removed': { reason: 'deleted' } }]) // prettier-ignore
    expect(come!.items.map(({ id }) => id)).toEqual([immutable])
  })

  it('are refused when they are none, or of another mailbox', async () => {
    const foreign = await firstId(`${desk.user(2)}/messages`)
    expect(await desk.refusal('GET', `${user}/messages/nonsense`)).toBe('400 ErrorInvalidIdMalformed')
    expect(await desk.refusal('GET', `${user}/messages/${foreign}`)).toBe('400 ErrorInvalidIdMalformed')
    const own = await firstId(`${user}/messages`)
    const forged = own.slice(0, 140) + (own[140] === 'A' ? 'B' : 'A') + own.slice(141)
    expect(await desk.refusal('GET', `${user}/messages/${forged}`)).toBe('400 ErrorInvalidIdMalformed')
  })
})

describe('changing messages', () => {
  it('changes read state, flag and categories, with a new change key', async () => {
    const id = await firstId(`${user}/messages`)
    const before = await desk.get(`${user}/messages/${id}`)
    const body = {
      isRead: before['isRead'] === false,
      flag: { flagStatus: 'Flagged' },
      categories: ['A', 'B'],
    }
    const changed = (await desk.call('PATCH', `${user}/messages/${id}`, { body })).json()
    expect(changed).toMatchObject({
      id,
      isRead: body.isRead,
      flag: { flagStatus: 'flagged' },
      categories: ['A', 'B'],
    })
    expect(changed['changeKey']).not.toBe(before['changeKey'])
    expect(changed['body']).toEqual(before['body'])
    const stale = { 'if-match': String(before['@odata.etag']) }
    expect(await desk.refusal('PATCH', `${user}/messages/${id}`, { body, headers: stale })).toBe('412 ErrorIrresolvableConflict') // prettier-ignore
  })

  it('changes the subject of drafts alone', async () => {
    const draft = await desk.post(`${user}/messages`, { subject: 'one' })
    const body = { subject: 'two' }
    const patched = await desk.call('PATCH', `${user}/messages/${String(draft['id'])}`, { body })
    expect(patched.json()).toMatchObject({ subject: 'two' })
    const sent = await firstId(`${user}/mailFolders/inbox/messages`)
    expect(await desk.refusal('PATCH', `${user}/messages/${sent}`, { body })).toBe(
      '400 ErrorInvalidPropertySet',
    )
  })

  it('deletes softly into Recoverable Items, and from there for ever', async () => {
    const id = await firstId(`${user}/messages`, IMMUTABLE)
    expect((await desk.call('DELETE', `${user}/messages/${id}`)).status).toBe(204)
    const bin = `${user}/mailFolders/recoverableitemsdeletions/messages/${id}`
    expect(await desk.get(bin, IMMUTABLE)).toMatchObject({ id })
    await desk.call('DELETE', `${user}/messages/${id}`)
    expect(await desk.refusal('GET', `${user}/messages/${id}`)).toBe('404 ErrorItemNotFound')
  })

  it('copies with attachments', async () => {
    const { value } = await desk.get<Page>(
      `${user}/messages?$filter=hasAttachments eq true&$top=1&$expand=attachments`,
    )
    const copy = await desk.post(`${user}/messages/${String(value[0]!['id'])}/copy`, {
      destinationId: 'archive',
    })
    const { value: copied } = await desk.get<Page>(`${user}/messages/${String(copy['id'])}/attachments`)
    const bytes = (all: unknown): unknown[] => (all as Json[]).map(({ contentBytes }) => contentBytes)
    expect(bytes(copied)).toEqual(bytes(value[0]!['attachments']))
  })
})

describe('lists', () => {
  it('understand $select in any case, and refuse what they do not know', async () => {
    const { value } = await desk.get<Page>(`${user}/mailFolders/inbox/messages?$select=SUBJECT,isread&$top=1`)
    expect(Object.keys(value[0]!).sort()).toEqual(['@odata.etag', 'id', 'isRead', 'subject'])
    expect(await desk.refusal('GET', `${user}/messages?$select=nonsense`)).toBe('400 RequestBroker--ParseUri')
    expect(await desk.refusal('GET', `${user}/messages?$nonsense=1`)).toBe('400 BadRequest')
    expect(await desk.refusal('GET', `${user}/messages?$search=x`)).toBe('501 NotImplemented')
  })

  it('page through everything once, newest first', async () => {
    const { items, pages } = await desk.all(
      `${user}/mailFolders/inbox/messages?$select=receivedDateTime&$top=7`,
    )
    const dates = items.map(({ receivedDateTime }) => String(receivedDateTime))
    expect(dates).toEqual(dates.toSorted().reverse())
    expect(new Set(items.map(({ id }) => id)).size).toBe(items.length)
    expect(pages).toBe(Math.ceil(items.length / 7))
  })

  it('filter by identity, subject, time and state, and count', async () => {
    const { items } = await desk.all(`${user}/mailFolders/inbox/messages?$top=100`)
    const some = items[5]!
    const find = async (filter: string): Promise<Page> =>
      desk.get<Page>(
        `${user}/mailFolders/inbox/messages?$count=true&$top=100&$filter=${encodeURIComponent(filter)}`,
      )
    const quoted = (value: unknown): string => `'${String(value).replaceAll("'", "''")}'`
    expect((await find(`internetMessageId eq ${quoted(some['internetMessageId'])}`)).value).toEqual([some])
    expect((await find(`subject eq ${quoted(some['subject'])}`)).value).toEqual([some])
    const since = await find(`receivedDateTime ge ${String(some['receivedDateTime'])}`)
    expect(since['@odata.count']).toBe(6)
    const unread = await find('isRead eq false and hasAttachments eq false')
    expect(unread.value).toEqual(items.filter(({ isRead, hasAttachments }) => isRead === false && hasAttachments === false)) // prettier-ignore
  })

  it('give bodies in the form that is preferred, and say so', async () => {
    const { value } = await desk.get<Page>(`${desk.user(0)}/messages?$top=500`)
    const html = value.find(({ body }) => (body as Json)['contentType'] === 'html')!
    const answer = await desk.call('GET', `${desk.user(0)}/messages/${String(html['id'])}`, {
      headers: { prefer: 'outlook.body-content-type="text", IdType="ImmutableId"' },
    })
    expect(answer.headers['preference-applied']).toBe(
      'IdType="ImmutableId", outlook.body-content-type="text"',
    )
    expect(answer.json<{ body: Json }>().body['contentType']).toBe('text')
  })

  it('are read by the Graph SDK page after page', async () => {
    setDefaultCACertificates([...getCACertificates('default'), desk.tenant.ca])
    const client = Client.init({
      baseUrl: desk.tenant.origin('graph'),
      customHosts: new Set(['localhost']),
      authProvider: (done) => done(null, desk.tenant.token()),
    })
    const page = (await client
      .api(`${user}/mailFolders/inbox/messages`)
      .top(5)
      .select('subject')
      .get()) as Page
    const next = (await client.api(page['@odata.nextLink']!).get()) as Page
    expect([page.value.length, next.value.length]).toEqual([5, 5])
    expect(page.value[0]!['id']).not.toBe(next.value[0]!['id'])
  })
})

describe('folders', () => {
  it('are answered in names and types of Microsoft Graph, hidden ones on demand', async () => {
    const { items } = await desk.all(`${user}/mailFolders?$top=100`)
    const { items: withHidden } = await desk.all(`${user}/mailFolders?$top=100&includeHiddenFolders=true`)
    expect(withHidden.flatMap((folder) => validateGraph('mailFolder', folder))).toEqual([])
    expect(items.some(({ isHidden }) => isHidden === true)).toBe(false)
    expect(withHidden.length).toBeGreaterThan(items.length)
  })

  it('are made once, renamed, moved and deleted, and delta tells it', async () => {
    const { deltaLink } = await desk.all(`${user}/mailFolders/delta`)
    const folder = await newFolder('Täglich / 1')
    expect(await desk.refusal('POST', `${user}/mailFolders`, { body: { displayName: 'TÄGLICH / 1'.replace('Ä', 'ä') } })).toBe('409 ErrorFolderExists') // prettier-ignore
    await desk.call('PATCH', `${user}/mailFolders/${folder}`, { body: { displayName: 'Weekly' } })
    await desk.post(`${user}/mailFolders/${folder}/move`, { destinationId: 'inbox' })
    const first = await desk.all(deltaLink!)
    const inbox = await desk.get(`${user}/mailFolders/Inbox`)
    expect(first.items).toMatchObject([{ id: folder, displayName: 'Weekly', parentFolderId: inbox['id'] }])
    const { id } = await desk.post(`${user}/mailFolders/${folder}/messages`, RESTORED, IMMUTABLE)
    expect((await desk.call('DELETE', `${user}/mailFolders/${folder}`)).status).toBe(204)
    const second = await desk.all(first.deltaLink!)
    expect(second.items).toMatchObject([{ id: folder, '@removed': { reason: 'deleted' } }])
    expect(await desk.refusal('GET', `${user}/mailFolders/${folder}/messages`)).toBe('404 ErrorItemNotFound')
    const bin = await desk.get(`${user}/mailFolders/recoverableitemsdeletions`)
    expect(await desk.get(`${user}/messages/${String(id)}`)).toMatchObject({ parentFolderId: bin['id'] })
  })

  it('that everybody has cannot be deleted', async () => {
    expect(await desk.refusal('DELETE', `${user}/mailFolders/inbox`)).toBe(
      '400 ErrorDeleteDistinguishedFolder',
    )
  })
})

describe('attachments', () => {
  it('come and go with the paper clip', async () => {
    const { id } = await desk.post(`${user}/messages`, RESTORED)
    const base = `${user}/messages/${String(id)}`
    const contentBytes = Buffer.from('hello').toString('base64')
    const file = { '@odata.type': '#microsoft.graph.fileAttachment', name: 'a.txt', contentBytes }
    const made = await desk.post(`${base}/attachments`, file)
    expect(validateGraph('attachment', without(made, '@odata.context'))).toEqual([])
    expect(await desk.get(`${base}?$select=hasAttachments`)).toMatchObject({ hasAttachments: true })
    const item = { '@odata.type': '#microsoft.graph.message', subject: 'inner', body: { contentType: 'text', content: 'x' }, attachments: [file] } // prettier-ignore
    const nested = await desk.post(`${base}/attachments`, { '@odata.type': '#microsoft.graph.itemAttachment', name: 'inner', item }) // prettier-ignore
    const shown = await desk.get(
      `${base}/attachments/${String(nested['id'])}?$expand=microsoft.graph.itemattachment/item`,
    )
    expect(shown['item']).toMatchObject({ subject: 'inner', attachments: [{ name: 'a.txt', contentBytes }] })
    for (const { id: each } of [made, nested])
      await desk.call('DELETE', `${base}/attachments/${String(each)}`)
    expect(await desk.get(`${base}?$select=hasAttachments`)).toMatchObject({ hasAttachments: false })
  })

  it('larger than 3 MB need a session, whose address takes ranges in order and no token', async () => {
    const { id } = await desk.post(`${user}/messages`, RESTORED, IMMUTABLE)
    const bytes = Buffer.alloc(3_500_000, 'abcdefg')
    const base = `${user}/messages/${String(id)}/attachments`
    const large = {
      '@odata.type': '#microsoft.graph.fileAttachment',
      name: 'l',
      contentBytes: bytes.toString('base64'),
    }
    expect(await desk.refusal('POST', base, { body: large })).toBe('413 ErrorMessageSizeExceeded')
    const AttachmentItem = { attachmentType: 'file', name: 'large.bin', size: bytes.length }
    const session = await desk.post(`${base}/createUploadSession`, { AttachmentItem })
    expect(session).toMatchObject({ nextExpectedRanges: ['0-'] })
    const url = String(session['uploadUrl'])
    expect(new URL(url).origin).toBe(desk.tenant.origin('outlook'))
    const put = (start: number, end: number, more = {}) =>
      http(url, {
        ca: desk.tenant.ca,
        method: 'PUT',
        headers: { 'content-range': `bytes ${start}-${end - 1}/${bytes.length}`, ...more },
        body: bytes.subarray(start, end),
      })
    expect((await put(0, 2_097_152, { authorization: 'Bearer x' })).status).toBe(401)
    expect((await put(1000, 2000)).status).toBe(416)
    const first = await put(0, 2_097_152)
    expect([first.status, first.json()['NextExpectedRanges']]).toEqual([200, ['2097152']])
    const last = await put(2_097_152, bytes.length)
    expect(last.status).toBe(201)
    expect(last.bytes).toHaveLength(0)
    const attachment = /Attachments\('([^']+)'\)$/.exec(String(last.headers['location']))![1]!
    const raw = await desk.call('GET', `${base}/${attachment}/$value`)
    expect(raw.bytes.equals(bytes)).toBe(true)
    expect((await put(0, 1000)).status).toBe(404)
  })
})

const without = (json: Json, name: string): Json =>
  Object.fromEntries(Object.entries(json).filter(([key]) => key !== name))

describe('a batch', () => {
  it('carries calls about mail', async () => {
    const requests = [1, 2].map((id) => ({
      id: String(id),
      method: 'GET',
      url: `${user}/mailFolders/inbox/messages?$top=${id}`,
    }))
    const answer = await desk.call('POST', '/$batch', { body: { requests } })
    const { responses } = answer.json<{ responses: { id: string; body: Page }[] }>()
    expect(responses.map(({ id, body }) => body.value.length === Number(id))).toEqual([true, true])
  })
})

describe('nonsense', () => {
  const BAD_QUERIES = [
    '$top=0', '$top=x', '$skip=-1', '$filter=', '$filter=isRead', "$filter=isRead eq 'x'", '$filter=receivedDateTime ge never',
    "$filter=subject eq 'open", '$orderby=;', '$expand=nothing', '$expand=attachments(', '$select=a,b',
    '$expand=singleValueExtendedProperties', '$expand=singleValueExtendedProperties($filter=id ne 1)',
  ] // prettier-ignore
  const BAD_TOKENS = ['$deltatoken=', '$deltatoken=x', '$skiptoken=e30', `$deltatoken=${Buffer.from('{"position":1,"epoch":0,"box":3}').toString('base64url')}`] // prettier-ignore
  const BAD_BODIES = [
    '[]', '{', '"x"', '{"body":[]}', '{"toRecipients":{}}', '{"toRecipients":[null]}', '{"flag":"x"}', '{"categories":[1]}',
    '{"attachments":[{}]}', '{"attachments":[{"@odata.type":"#microsoft.graph.itemAttachment","name":"x","item":[]}]}',
    '{"singleValueExtendedProperties":[{"id":"x"}]}', '{"flag":{"flagStatus":"flagged","dueDateTime":{"dateTime":"x"}}}',
  ] // prettier-ignore

  it.each([
    ...BAD_QUERIES.map((query) => ['GET', `/mailFolders/inbox/messages?${query}`, undefined] as const),
    ...BAD_TOKENS.map((query) => ['GET', `/mailFolders/inbox/messages/delta?${query}`, undefined] as const),
    ...BAD_BODIES.map((body) => ['POST', '/messages', body] as const),
    ['POST', '/mailFolders', '{"displayName":7}'] as const,
    ['POST', '/mailFolders', '{"displayName":""}'] as const,
    ['GET', '/mailFolders/none', undefined] as const,
    ['GET', '/messages/AAMkAG/attachments', undefined] as const,
  ])('is refused as the caller’s fault: %s %s %s', async (method, path, body) => {
    const headers = { 'content-type': 'application/json' }
    const call = body === undefined ? {} : { headers, body: Buffer.from(body) }
    expect(await desk.refusal(method, encodeURI(user + path), call)).toMatch(/^4\d\d \w/)
  })
})

describe('trouble on demand', () => {
  const listed = async (path: string): Promise<string[]> =>
    (await desk.all(`${path}/mailFolders/inbox/messages?$top=100&$select=id`)).items.map(({ id }) =>
      String(id),
    )

  it('one message of corrupt-item cannot be read', async () => {
    const path = desk.user('corrupt-item')
    const refusals = await Promise.all(
      (await listed(path)).map((id) => desk.refusal('GET', `${path}/messages/${id}`)),
    )
    expect(refusals.filter((text) => text === '500 ErrorCorruptData')).toHaveLength(1)
  })

  it('one message of vanish is gone when its attachments are asked for', async () => {
    const path = desk.user('vanish')
    const ids = await listed(path)
    const refusals = await Promise.all(
      ids.map((id) => desk.refusal('GET', `${path}/messages/${id}/attachments`)),
    )
    expect(refusals.filter((text) => text === '404 ErrorItemNotFound')).toHaveLength(1)
  })

  it('the first delta links of expired-delta have expired, those of the fresh start hold', async () => {
    const address = `${desk.user('expired-delta')}/mailFolders/inbox/messages/delta?$select=subject`
    const { deltaLink } = await desk.all(address)
    const answer = await desk.call('GET', deltaLink!)
    expect([answer.status, answer.json<{ error: Json }>().error['code']]).toEqual([410, 'syncStateNotFound'])
    const fresh = await desk.all(String(answer.headers['location']))
    expect(fresh.items.length).toBeGreaterThan(0)
    expect((await desk.all(fresh.deltaLink!)).items).toEqual([])
  })

  it('all links expire when they are told to', async () => {
    const { deltaLink } = await desk.all(`${user}/mailFolders/inbox/messages/delta?$select=subject`)
    expireDeltaTokens(desk.tenant.state, user.split('/').at(-1)!)
    expect(await desk.refusal('GET', deltaLink!)).toBe('410 syncStateNotFound')
  })

  it('odd-pages tells empty pages and tells twice, and yet everything', async () => {
    const path = `${desk.user('odd-pages')}/mailFolders/inbox/messages`
    const round = await desk.all(`${path}/delta?$select=id`, { prefer: 'odata.maxpagesize=5' })
    const ids = round.items.map(({ id }) => id)
    const { items } = await desk.all(`${path}?$top=100&$select=id`)
    expect(new Set(ids)).toEqual(new Set(items.map(({ id }) => id)))
    expect(ids.length).toBeGreaterThan(items.length)
  })

  it('a user without a mailbox is told so', async () => {
    expect(await desk.refusal('GET', `/users/${desk.tenant.admin.account}/messages`)).toBe(
      '404 MailboxNotEnabledForRESTAPI',
    )
  })
})
