import type { FilePortrait } from './drive-portrait.ts'
import type { MessagePortrait } from './mailbox-portrait.ts'
import type { Json } from './tenant-graph.ts'

// All that a restored item may differ in from the one that was lost: what Microsoft Graph does not take. Whatever is not
// named here must be equal to the last byte. Ids, change keys, creation and modification stamps of the service are not
// looked at.

interface Recipient {
  readonly emailAddress: { readonly name?: string; readonly address?: string }
}

/** Graph refuses a message (`ErrorInvalidRecipients`) for an address that is missing or holds a blank. */
const isTaken = ({ emailAddress }: Recipient): boolean => /^\S+$/.test(emailAddress.address ?? '')
/** Exchange takes no sender that is not an SMTP address. */
const isDeliverable = ({ emailAddress }: Recipient): boolean =>
  /^[^\s@<>]+@[^\s@<>]+$/.test(emailAddress.address ?? '')

const RECIPIENTS = ['toRecipients', 'ccRecipients', 'bccRecipients', 'replyTo']

/** People without a usable address stay in the transport headers only. */
const peopleAsRestored = (properties: Json): Json => {
  const lists = RECIPIENTS.map((name) => [name, (properties[name] ?? []) as Recipient[]] as const)
  const isRefused = lists.some(([name, list]) => name !== 'replyTo' && !list.every(isTaken))
  const senders = ['from', 'sender'].map((name) => {
    const sender = properties[name] as Recipient | undefined
    return [name, sender === undefined || isDeliverable(sender) ? sender : undefined] as const
  })
  const kept = lists.map(([name, list]) => {
    const isChecked = isRefused || name === 'replyTo'
    return [name, isChecked ? list.filter(isDeliverable) : list] as const
  })
  return { ...properties, ...Object.fromEntries([...senders, ...kept]) }
}

/** Graph makes no attached message with dates, headers and attachments: it comes back as a file with the same bytes. */
const attachmentAsRestored = (attachment: Json): Json => {
  if (attachment['@odata.type'] !== '#microsoft.graph.itemAttachment') return attachment
  const { name, isInline, content } = attachment
  return {
    '@odata.type': '#microsoft.graph.fileAttachment',
    name: `${String(name) === '' ? 'message' : String(name)}.eml`,
    contentType: 'message/rfc822',
    isInline,
    content,
  }
}

/** Graph does not show a link's address in v1.0, and takes none. */
const comparable = (attachment: Json): Json => {
  const { name, contentType, isInline, content } = attachment
  const isMessage = contentType === 'message/rfc822'
  return isMessage
    ? { '@odata.type': attachment['@odata.type'], name, contentType, isInline, content }
    : attachment
}

/** A message as it must be after it was lost and restored. Its MIME text is compared where nothing else may differ. */
export const messageAsRestored = (was: MessagePortrait): MessagePortrait => {
  const properties = peopleAsRestored(was.properties)
  const attachments = was.attachments.map((one) => comparable(attachmentAsRestored(one)))
  const isEqual =
    JSON.stringify([properties, attachments]) ===
    JSON.stringify([was.properties, was.attachments.map(comparable)])
  return { ...was, properties, attachments, mime: isEqual ? was.mime : 'not comparable' }
}

/** Both sides in the same words: pairs of messages, those that must be equal side by side. */
export const mailToCompare = (
  was: readonly MessagePortrait[],
  is: readonly MessagePortrait[],
): { readonly expected: unknown; readonly found: unknown } => {
  const wanted = was.map(messageAsRestored)
  const whole = new Set(wanted.map(({ mime }) => mime))
  const found = is.map((mail) => ({
    ...mail,
    attachments: mail.attachments.map(comparable),
    mime: whole.has(mail.mime) ? mail.mime : 'not comparable',
  }))
  return { expected: inOrder(wanted), found: inOrder(found) }
}

/** Several messages may share folder, identity and dates: what is left of them decides. */
const inOrder = (mails: readonly MessagePortrait[]): readonly MessagePortrait[] =>
  mails
    .map((mail) => ({
      mail,
      key: `${mail.folder} ${String(mail.properties['internetMessageId'])} ${JSON.stringify(mail)}`,
    }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ mail }) => mail)

/**
 * Files as they must be after they were lost and restored. Graph gives nobody the bytes of a file in which malware was found,
 * makes no notebook (its files come back in a folder of the same name), and its shortcuts point into other people's drives.
 */
export const driveAsRestored = (was: readonly FilePortrait[]): readonly FilePortrait[] =>
  was
    .filter(({ kind, isMalware }) => kind !== 'shortcut' && isMalware !== true)
    .map((item) => (item.kind === 'package' ? { ...item, kind: 'folder' } : item))
