import type { PracticeUser, TenantState } from '../core/contract.ts'
import { GraphError } from '../core/contract.ts'
import { childFolders, folderJson, folderOf } from '../outlook/folders.ts'
import type { FolderRow } from '../outlook/folders.ts'
import { openMailbox } from '../outlook/mailbox.ts'
import type { Mailbox } from '../outlook/mailbox.ts'
import { numberOf } from '../outlook/message-row.ts'
import { convertId, fromEwsId, toEwsId } from './ews-ids.ts'
import { errorMessage, EwsRefusal, SoapFault, successMessage } from './soap.ts'
import type { SoapRequest } from './soap.ts'
import { child, descend, tag, textTag } from './xml.ts'
import type { XmlElement } from './xml.ts'

/** Who calls, and for whom. */
export interface EwsCall {
  readonly state: TenantState
  readonly caller: PracticeUser
  readonly request: SoapRequest
}

/** The one account that may act for every mailbox. */
const IMPERSONATOR = 'exchange.admin'

const nonExistent = (): EwsRefusal =>
  new EwsRefusal('ErrorNonExistentMailbox', 'The SMTP address has no mailbox associated with it.')

/** The mailbox that a call acts on: the impersonated one, else the caller's. Throws a fault when it may not. */
export const actingUser = ({ state, caller, request }: EwsCall): PracticeUser => {
  const sid = descend(request.header, 'ExchangeImpersonation', 'ConnectingSID')
  if (sid === undefined) return caller
  const name = sid.children[0]?.text.trim() ?? ''
  if (!state.isSentinel(caller, IMPERSONATOR)) {
    throw new SoapFault(
      'ErrorImpersonateUserDenied',
      'The account does not have permission to impersonate the requested user.',
    )
  }
  try {
    return state.user(name)
  } catch {
    throw new SoapFault('ErrorNonExistentMailbox', 'The SMTP address has no mailbox associated with it.')
  }
}

const mailboxOf = async (state: TenantState, user: PracticeUser, refusal: EwsRefusal): Promise<Mailbox> => {
  try {
    return await openMailbox(state, user.id)
  } catch (error) {
    if (error instanceof GraphError) throw refusal
    throw error
  }
}

const noAddress = (): EwsRefusal =>
  new EwsRefusal('ErrorMissingEmailAddress', 'When making a request as an account that does not have a mailbox, you must specify the mailbox primary SMTP address for any distinguished folder Ids.') // prettier-ignore

/** The mailbox that a distinguished id names, else the acting user's. */
const addressed = async (call: EwsCall, user: PracticeUser, id: XmlElement): Promise<Mailbox> => {
  const address = descend(id, 'Mailbox', 'EmailAddress')?.text.trim()
  if (address === undefined) return mailboxOf(call.state, user, noAddress())
  const owner = findUser(call.state, address)
  if (owner === undefined) throw nonExistent()
  if (owner.id !== user.id && !call.state.isSentinel(call.caller, IMPERSONATOR)) {
    throw new EwsRefusal('ErrorAccessDenied', 'Access is denied. Check credentials and try again.')
  }
  return mailboxOf(call.state, owner, nonExistent())
}

const findUser = (state: TenantState, name: string): PracticeUser | undefined => {
  try {
    return state.user(name)
  } catch {
    return undefined
  }
}

interface FoundFolder {
  readonly mailbox: Mailbox
  readonly row: FolderRow
}

/** The folder that a FolderId or DistinguishedFolderId names. */
const findFolder = async (call: EwsCall, user: PracticeUser, id: XmlElement): Promise<FoundFolder> => {
  const name = id.attributes['Id'] ?? ''
  const mailbox = await addressed(call, user, id)
  try {
    const row = folderOf(mailbox, id.name === 'DistinguishedFolderId' ? name : fromEwsId(name))
    return { mailbox, row }
  } catch (error) {
    if (!(error instanceof GraphError)) throw error
    if (error.code === 'ErrorItemNotFound' || id.name === 'DistinguishedFolderId') {
      throw new EwsRefusal('ErrorFolderNotFound', 'The specified folder could not be found in the store.')
    }
    throw new EwsRefusal('ErrorInvalidIdMalformed', 'Id is malformed.')
  }
}

const folderXml = ({ mailbox, row }: FoundFolder, shape: string): string => {
  const json = folderJson(mailbox, row)
  const changeKey = mailbox.ids.changeKey(row.change)
  const id = tag('t:FolderId', { Id: toEwsId(mailbox.ids.folder(numberOf(row.id))), ChangeKey: changeKey })
  if (shape === 'IdOnly') return tag('t:Folder', {}, id)
  const parent =
    row.parent === null
      ? ''
      : tag('t:ParentFolderId', { Id: toEwsId(mailbox.ids.folder(numberOf(row.parent))) })
  const isWhole = shape === 'AllProperties'
  return tag(
    't:Folder',
    {},
    id +
      (isWhole ? parent + textTag('t:FolderClass', 'IPF.Note') : '') +
      textTag('t:DisplayName', row.name) +
      textTag('t:TotalCount', String(json['totalItemCount'])) +
      textTag('t:ChildFolderCount', String(json['childFolderCount'])) +
      textTag('t:UnreadCount', String(json['unreadItemCount'])),
  )
}

const shapeOf = (operation: XmlElement): string => {
  const shape = descend(operation, 'FolderShape', 'BaseShape')?.text.trim()
  if (shape === undefined || !['IdOnly', 'Default', 'AllProperties'].includes(shape)) {
    throw new SoapFault('ErrorSchemaValidation', 'The request failed schema validation.', {
      Violation: 'FolderShape needs a BaseShape of IdOnly, Default or AllProperties.',
    })
  }
  return shape
}

const idsIn = (operation: XmlElement, list: string): readonly XmlElement[] => {
  const ids = child(operation, list)?.children ?? []
  if (ids.length === 0) {
    throw new SoapFault('ErrorSchemaValidation', 'The request failed schema validation.', {
      Violation: `${list} is missing.`,
    })
  }
  return ids
}

/** One message for each id, in order; a refused one does not stop the others. */
const eachMessage = async (
  operation: string,
  ids: readonly XmlElement[],
  answer: (id: XmlElement) => Promise<string>,
  emptyContent = '',
): Promise<string[]> => {
  const messages: string[] = []
  for (const id of ids) {
    try {
      messages.push(successMessage(operation, await answer(id)))
    } catch (error) {
      if (!(error instanceof EwsRefusal)) throw error
      messages.push(errorMessage(operation, error, emptyContent))
    }
  }
  return messages
}

const getFolder = (call: EwsCall, user: PracticeUser): Promise<string[]> => {
  const { operation } = call.request
  const shape = shapeOf(operation)
  const answer = async (id: XmlElement): Promise<string> =>
    tag('m:Folders', {}, folderXml(await findFolder(call, user, id), shape))
  return eachMessage('GetFolder', idsIn(operation, 'FolderIds'), answer, tag('m:Folders', {}))
}

const MOST_FOLDERS = 1000

const findFolders = (call: EwsCall, user: PracticeUser): Promise<string[]> => {
  const { operation } = call.request
  if (operation.attributes['Traversal'] !== 'Shallow') {
    throw new SoapFault(
      'ErrorInvalidOperation',
      `The traversal ${operation.attributes['Traversal'] ?? ''} is not built here.`,
    )
  }
  const shape = shapeOf(operation)
  const answer = async (id: XmlElement): Promise<string> => {
    const { mailbox, row } = await findFolder(call, user, id)
    const all = childFolders(mailbox, row.id, true)
    const view = child(operation, 'IndexedPageFolderView')?.attributes ?? {}
    const offset = Math.max(0, Number(view['Offset'] ?? 0) || 0)
    const limit = Math.min(MOST_FOLDERS, Number(view['MaxEntriesReturned'] ?? MOST_FOLDERS) || MOST_FOLDERS)
    const page = all.slice(offset, offset + limit)
    const end = offset + page.length
    const folders = page.map((found) => folderXml({ mailbox, row: found }, shape))
    const attributes = {
      IndexedPagingOffset: String(end),
      TotalItemsInView: String(all.length),
      IncludesLastItemInRange: String(end >= all.length),
    }
    return tag('m:RootFolder', attributes, tag('t:Folders', {}, folders.join('')))
  }
  return eachMessage('FindFolder', idsIn(operation, 'ParentFolderIds'), answer)
}

const convertIds = (call: EwsCall): Promise<string[]> => {
  const { operation } = call.request
  const destination = operation.attributes['DestinationFormat'] ?? ''
  const answer = (id: XmlElement): Promise<string> => {
    const { Format = '', Id = '', Mailbox: mailbox = '' } = id.attributes
    const converted = { Format: destination, Id: convertId(Format, destination, Id), Mailbox: mailbox }
    const type = { 'xmlns:xsi': 'http://www.w3.org/2001/XMLSchema-instance', 'xsi:type': 't:AlternateIdType' }
    return Promise.resolve(tag('m:AlternateId', { ...type, ...converted }))
  }
  return eachMessage('ConvertId', idsIn(operation, 'SourceIds'), answer)
}

/** The response messages of an operation. Throws a fault for one that is not built. */
export const runOperation = (call: EwsCall): Promise<string[]> => {
  const user = actingUser(call)
  const { name } = call.request.operation
  switch (name) {
    case 'GetFolder':
      return getFolder(call, user)
    case 'FindFolder':
      return findFolders(call, user)
    case 'ConvertId':
      return convertIds(call)
    default:
      throw new SoapFault(
        'ErrorInvalidOperation',
        `The practice tenant does not know the operation ${name} yet.`,
      )
  }
}
