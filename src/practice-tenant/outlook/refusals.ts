import { GraphError } from '../core/contract.ts'

// How Outlook refuses, in its own dialect.

export const itemNotFound = (): GraphError =>
  new GraphError(404, 'ErrorItemNotFound', 'The specified object was not found in the store.')

export const malformedId = (): GraphError =>
  new GraphError(400, 'ErrorInvalidIdMalformed', 'Id is malformed.')

export const corruptData = (): GraphError =>
  new GraphError(500, 'ErrorCorruptData', 'The item is corrupt and cannot be read.')

export const mailboxMissing = (): GraphError =>
  new GraphError(
    404,
    'MailboxNotEnabledForRESTAPI',
    'The mailbox is either inactive, soft-deleted, or is hosted on-premise.',
  )

export const unreadableBody = (message: string): GraphError => new GraphError(400, 'RequestBodyRead', message)

export const badQuery = (message: string): GraphError => new GraphError(400, 'BadRequest', message)

export const unknownProperty = (name: string, type: string): GraphError =>
  new GraphError(
    400,
    'RequestBroker--ParseUri',
    `Could not find a property named '${name}' on type 'Microsoft.OutlookServices.${type}'.`,
  )

export const accessDenied = (): GraphError =>
  new GraphError(403, 'ErrorAccessDenied', 'Access is denied. Check credentials and try again.')

/** Something that Microsoft 365 can do and the practice tenant cannot yet. */
export const notSupportedHere = (what: string): GraphError =>
  new GraphError(501, 'NotImplemented', `This operation target is not yet supported: ${what}.`)
