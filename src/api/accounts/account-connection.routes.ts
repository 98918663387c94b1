import type { Accounts } from '#engine'
import { answersObject, type Call, type Operation } from '../contract/operation.ts'
import { object, oneOf, text } from '../contract/schema.ts'
import { administrator } from '../edge/policies.ts'

const fields = {
  addressing: oneOf(['Automatic', 'Path', 'VirtualHost'], {
    description:
      'Whether a bucket stands in the path or before the host. By itself before the host at Amazon alone.',
  }),
  checksums: oneOf(['Automatic', 'WhenRequired', 'WhenSupported'], {
    description: 'Whether checksums of the newer kind go with all requests. By itself at Amazon alone.',
  }),
  certificateAuthority: text({
    maxLength: 65_536,
    description: 'Certificates in PEM that are trusted beside the well-known ones; empty for none.',
  }),
}
const AccountConnection = object('HoldfastAccountConnection', fields)
const AccountConnectionBody = object('HoldfastAccountConnectionToSave', fields)

const path = '/Holdfast/Accounts/{accountId}/Connection'
const tag = 'Holdfast'
const access = administrator
const status = { v4: 200 }

/** How the service of an account is spoken to. Holdfast's own, at every version. */
export const accountConnectionOperations = (accounts: Accounts): readonly Operation[] => [
  answersObject(AccountConnection, {
    method: 'GET',
    path,
    tag,
    summary: 'How the service of an account is spoken to',
    access,
    status,
    handle: async (call) => accounts.connection(call.principal, idIn(call)),
  }),
  answersObject(AccountConnection, {
    method: 'PUT',
    path,
    tag,
    summary: 'Changes that, after it was tried on what uses the account; what is left out stays',
    access,
    body: AccountConnectionBody,
    status,
    handle: async (call) => accounts.setConnection(call.principal, idIn(call), call.body),
  }),
]

const idIn = ({ params }: Pick<Call, 'params'>): string => params['accountId'] ?? ''
