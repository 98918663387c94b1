import type { Secret } from '#base'
import type { CloudHosts, Region } from '../hosts.ts'
import { readBody } from '../http/read-body.ts'
import type { Transport } from '../http/transport.ts'

export interface LegacyAccount {
  readonly region: Region
  readonly account: string
  readonly password: Secret
}

export type AccountVerification =
  | { readonly outcome: 'accepted' }
  | { readonly outcome: 'refused'; readonly reason: string }
  /** Microsoft no longer answers basic authentication for this tenant. Not a fault of the account. */
  | { readonly outcome: 'retired'; readonly reason: string }

const MAX_BYTES = 256 * 1024
const GET_INBOX = `<?xml version="1.0" encoding="utf-8"?>
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"
 xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"
 xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types">
<soap:Header><t:RequestServerVersion Version="Exchange2013_SP1"/></soap:Header>
<soap:Body><m:GetFolder><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape></m:FolderShape>
<m:FolderIds><t:DistinguishedFolderId Id="inbox"/></m:FolderIds></m:GetFolder></soap:Body>
</soap:Envelope>`

/**
 * Asks Exchange for the account's inbox with its (app) password, once: a repeated wrong password may lock the account.
 * Throws `unavailable` when Exchange does not answer.
 */
export async function verifyAccount(
  { account, password }: LegacyAccount,
  { hosts, transport }: { readonly hosts: CloudHosts; readonly transport: Transport },
  signal?: AbortSignal,
): Promise<AccountVerification> {
  const credentials = Buffer.from(`${account}:${password.reveal()}`, 'utf8').toString('base64')
  const response = await transport.send({
    method: 'POST',
    url: new URL(`https://${hosts.outlook}/EWS/Exchange.asmx`),
    headers: {
      'content-type': 'text/xml; charset=utf-8',
      authorization: `Basic ${credentials}`,
      // A header: only what cannot break it. The name is for routing alone.
      ...(/^[\x21-\x7e]+$/.test(account) ? { 'x-anchormailbox': account } : {}),
    },
    body: GET_INBOX,
    signal,
  })
  const body = await readBody(response, { maxBytes: MAX_BYTES, onReceived: () => {} })
  return judge(response.status, response.header('www-authenticate'), body.toString('utf8'))
}

function judge(status: number, schemes: string | undefined, body: string): AccountVerification {
  if (status === 200) return { outcome: 'accepted' }
  if (status === 401 && (schemes === undefined || /\bbasic\b/i.test(schemes))) {
    return { outcome: 'refused', reason: 'the account or its password is wrong' }
  }
  if (status === 401 || status === 403 || status === 404 || status === 410) {
    return {
      outcome: 'retired',
      reason: 'Microsoft no longer answers Exchange Web Services with a password here',
    }
  }
  const code = /ResponseCode[^>]*>(\w+)</.exec(body)?.[1]
  if (code === 'ErrorNonExistentMailbox') return { outcome: 'refused', reason: 'the account has no mailbox' }
  return { outcome: 'refused', reason: `Exchange answered ${code ?? status}` }
}
