import type { MailItem } from '#items'
import { addressList, cleanText, dateText, headerLine, unstructured } from './header-text.ts'

/** The header fields of a message from what is known of it, without those that describe its parts. */
export const ownHeaders = (item: MailItem): readonly { readonly name: string; readonly line: string }[] => {
  const lines: { name: string; line: string }[] = []
  const add = (name: string, value: string): void => {
    if (value !== '') lines.push({ name, line: headerLine(name, value) })
  }
  if (item.from !== undefined) add('From', addressList([item.from]))
  add('To', addressList(item.to))
  add('Cc', addressList(item.cc))
  add('Bcc', addressList(item.bcc))
  lines.push({ name: 'Subject', line: headerLine('Subject', unstructured(item.subject)) })
  const date = item.sentAt ?? item.receivedAt ?? item.modifiedAt
  if (date !== undefined) add('Date', dateText(date))
  add(
    'Message-ID',
    cleanText(item.internetMessageId ?? '')
      .replace(/\s/g, '')
      .slice(0, 900),
  )
  if (item.importance !== 'normal') add('Importance', item.importance)
  return lines
}
