import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { child, descend, parseXml } from '../ews/xml.ts'
import type { XmlElement } from '../ews/xml.ts'
import { http } from './http.ts'
import type { HttpAnswer } from './http.ts'
import { MailDesk } from './mail-desk.ts'

let desk: MailDesk

beforeAll(async () => {
  desk = await MailDesk.open({ seed: { users: 4, mails: 20 }, legacyEws: true })
})
afterAll(async () => {
  await desk[Symbol.asyncDispose]()
})

const envelope = (body: string, header = ''): string => `<?xml version="1.0" encoding="utf-8"?>
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"
  xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"
  xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types">
  <soap:Header><t:RequestServerVersion Version="Exchange2013_SP1"/>${header}</soap:Header>
  <soap:Body>${body}</soap:Body></soap:Envelope>`

const shape = (base: string): string => `<m:FolderShape><t:BaseShape>${base}</t:BaseShape></m:FolderShape>`
const getFolder = (id: string): string =>
  `<m:GetFolder>${shape('AllProperties')}<m:FolderIds>${id}</m:FolderIds></m:GetFolder>`
const INBOX = '<t:DistinguishedFolderId Id="inbox"/>'

const impersonating = (address: string): string =>
  `<t:ExchangeImpersonation><t:ConnectingSID><t:SmtpAddress>${address}</t:SmtpAddress></t:ConnectingSID></t:ExchangeImpersonation>`

const post = (text: string, credentials?: readonly [string, string]): Promise<HttpAnswer> =>
  http(`${desk.tenant.origin('outlook')}/EWS/Exchange.asmx`, {
    ca: desk.tenant.ca,
    method: 'POST',
    headers: {
      'content-type': 'text/xml; charset=utf-8',
      ...(credentials === undefined
        ? {}
        : { authorization: `Basic ${Buffer.from(credentials.join(':')).toString('base64')}` }),
    },
    body: Buffer.from(text),
  })

const asAdmin = (body: string, header = ''): Promise<HttpAnswer> =>
  post(envelope(body, header), [desk.tenant.admin.account, desk.tenant.admin.appPassword])

const messageIn = (answer: HttpAnswer): XmlElement => {
  const body = child(parseXml(answer.text), 'Body')!
  return descend(body.children[0], 'ResponseMessages')!.children[0]!
}

const codeIn = (answer: HttpAnswer): string => child(messageIn(answer), 'ResponseCode')!.text

const owner = (): string => [...desk.tenant.state.users()][3]!.userPrincipalName

describe('EWS', () => {
  it('opens with the app password, and not with the password of an account with MFA', async () => {
    const { account, password, appPassword } = desk.tenant.admin
    const body = envelope(getFolder(INBOX))
    expect((await post(body, [account, appPassword])).status).toBe(200)
    for (const credentials of [
      [account, password],
      [account, 'wrong'],
      ['nobody@contoso.com', appPassword],
    ] as const) {
      expect((await post(body, credentials)).status).toBe(401)
    }
    const without = await post(body)
    expect([without.status, without.headers['www-authenticate']]).toEqual([401, 'Basic Realm=""'])
  })

  it('shows the folder that Graph shows, to the one who may act for others', async () => {
    const answer = await asAdmin(getFolder(INBOX), impersonating(owner()))
    const folder = descend(messageIn(answer), 'Folders', 'Folder')!
    const graph = await desk.get(`/users/${owner()}/mailFolders/inbox`)
    expect(child(folder, 'DisplayName')!.text).toBe('Inbox')
    expect(child(folder, 'TotalCount')!.text).toBe(String(graph['totalItemCount']))
    const ewsId = child(folder, 'FolderId')!.attributes['Id']!
    expect(ewsId.replaceAll('/', '-').replaceAll('+', '_')).toBe(graph['id'])
    const again = await asAdmin(getFolder(`<t:FolderId Id="${ewsId}"/>`), impersonating(owner()))
    expect(codeIn(again)).toBe('NoError')
  })

  it('says what is missing: a mailbox, a folder, an id', async () => {
    expect(codeIn(await asAdmin(getFolder(INBOX)))).toBe('ErrorMissingEmailAddress')
    const header = impersonating(owner())
    expect(codeIn(await asAdmin(getFolder('<t:DistinguishedFolderId Id="clutter"/>'), header))).toBe(
      'ErrorFolderNotFound',
    )
    expect(codeIn(await asAdmin(getFolder('<t:FolderId Id="AAA="/>'), header))).toBe(
      'ErrorInvalidIdMalformed',
    )
  })

  it('finds the folders below the root', async () => {
    const body = `<m:FindFolder Traversal="Shallow">${shape('Default')}<m:ParentFolderIds><t:DistinguishedFolderId Id="msgfolderroot"/></m:ParentFolderIds></m:FindFolder>`
    const answer = await asAdmin(body, impersonating(owner()))
    const root = child(messageIn(answer), 'RootFolder')!
    const names = child(root, 'Folders')!.children.map((folder) => child(folder, 'DisplayName')!.text)
    expect(names).toEqual(expect.arrayContaining(['Inbox', 'Sent Items', '100% done \\ "closed"']))
    expect(root.attributes['TotalItemsInView']).toBe(String(names.length))
  })

  it('converts ids there and back', async () => {
    const convert = async (from: string, to: string, id: string): Promise<string> => {
      const alternate = `<t:AlternateId Format="${from}" Id="${id}" Mailbox="a@b.c"/>`
      const answer = await asAdmin(
        `<m:ConvertId DestinationFormat="${to}"><m:SourceIds>${alternate}</m:SourceIds></m:ConvertId>`,
      )
      return child(messageIn(answer), 'AlternateId')!.attributes['Id']!
    }
    const id = 'AAMkAG9/x0+K'
    expect(await convert('HexEntryId', 'EwsId', await convert('EwsId', 'HexEntryId', id))).toBe(id)
    expect(await convert('OwaId', 'EwsId', await convert('EwsId', 'OwaId', id))).toBe(id)
  })

  it.each([
    ['no XML', 'nonsense', 'ErrorSchemaValidation'],
    [
      'a document type',
      `<!DOCTYPE x [<!ENTITY a "b">]>${envelope(getFolder(INBOX)).replace(/^<\?xml.*\n/, '')}`,
      'ErrorSchemaValidation',
    ],
    ['another envelope', '<a/>', 'ErrorInvalidRequest'],
    ['an operation that is not built', envelope('<m:SyncFolderItems/>'), 'ErrorInvalidOperation'],
    ['no shape', envelope('<m:GetFolder/>'), 'ErrorSchemaValidation'],
  ])('answers %s with a fault', async (_name, text, code) => {
    const answer = await post(text, [desk.tenant.admin.account, desk.tenant.admin.appPassword])
    const fault = descend(parseXml(answer.text), 'Body', 'Fault')!
    expect(answer.status).toBe(500)
    expect(child(fault, 'faultcode')!.text).toBe(`a:${code}`)
    expect(descend(fault, 'detail', 'ResponseCode')!.text).toBe(code)
  })

  it('lets no account act for another without the right', async () => {
    const { account, appPassword } = desk.tenant.sharepointAdmin
    const answer = await post(envelope(getFolder(INBOX), impersonating(owner())), [account, appPassword])
    expect(answer.text).toContain('ErrorImpersonateUserDenied')
  })

  it('is blocked for everybody once the switch says so', async () => {
    desk.tenant.state.settings.legacyEws = false
    try {
      expect((await asAdmin(getFolder(INBOX))).status).toBe(403)
      expect((await post(envelope(getFolder(INBOX)))).status).toBe(403)
    } finally {
      desk.tenant.state.settings.legacyEws = true
    }
  })
})
