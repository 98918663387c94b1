// A mailbox of any size that exists only while it is read: ids, addresses, subjects and bodies as the service has them, the
// same every time. It stands in for the service where the service would be what is measured.
import { createHash } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import type { MailFolder, MailItem } from '#items'

const PAGE = 100
const PEOPLE = 400
const WORDS = (
  'invoice meeting report budget review project update contract offer question travel agenda minutes draft final ' +
  'schedule order delivery customer support release planning feedback summary quarterly results training approval'
).split(' ')

const digest = (...parts: readonly (string | number)[]): Buffer =>
  createHash('sha256').update(parts.join(' ')).digest()

const pick = <Value>(values: readonly Value[], random: number): Value => values[random % values.length]!

const sentence = (bytes: Buffer, words: number): string =>
  Array.from({ length: words }, (_, n) => pick(WORDS, bytes[n % 32]! + n)).join(' ')

/** As the service's immutable ids: 51 bytes, of which the store's number and a counter differ. */
const idOf = (mailbox: string, n: number): string => {
  const bytes = Buffer.alloc(51, 0)
  Buffer.from('AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A', 'base64url').copy(bytes)
  digest('store', mailbox).copy(bytes, 27, 0, 16)
  bytes.writeUInt32BE(0x0003_0000 + Math.floor((n * 137) / 100), 45)
  return bytes.toString('base64url')
}

const changeKeyOf = (mailbox: string, n: number): string => {
  const bytes = Buffer.alloc(30, 0)
  Buffer.from('CQAAABYAAAA', 'base64').copy(bytes)
  digest('store', mailbox).copy(bytes, 8, 0, 16)
  bytes.writeUInt32BE(0x0100_0000 + n * 3 + (digest('change', n)[0]! % 3), 26)
  return bytes.toString('base64')
}

const person = (n: number): { name: string; address: string } => {
  const bytes = digest('person', n)
  const [first, last] = [bytes.toString('hex', 0, 3), bytes.toString('hex', 3, 7)]
  return { name: `${first} ${last}`, address: `${first}.${last}@contoso.com` }
}

export const FOLDERS: readonly MailFolder[] = ['Inbox', 'Sent Items', 'Archive'].map((name, n) => ({
  id: idOf('folders', n),
  name,
  isHidden: false,
  itemCount: 0,
}))

/** Ten years of mail, the newest last: most of it in the inbox. */
export const syntheticMail = (mailbox: string, n: number): MailItem => {
  const random = digest(mailbox, 'mail', n)
  const received = Date.UTC(2016, 0, 1) + n * 300_000 + random[0]! * 1000
  const thread = Math.floor(n / 3)
  const subject = `${n % 3 === 0 ? '' : 'RE: '}${sentence(digest('subject', thread), 4 + (thread % 5))} ${thread}`
  const from = person(random.readUInt16BE(1) % PEOPLE)
  const to = Array.from({ length: 1 + (random[3]! % 3) }, (_, k) => person(random[4 + k]! % PEOPLE))
  const id = idOf(mailbox, n)
  const content = `${sentence(random, 40)}\n${random.toString('hex')}`
  return {
    id,
    changeKey: changeKeyOf(mailbox, n),
    folderId: folderOf(n),
    subject,
    from,
    to,
    cc: [],
    bcc: [],
    receivedAt: new Date(received),
    sentAt: new Date(received - (random[8]! % 5) * 1000),
    modifiedAt: new Date(received + random[9]! * 60_000),
    isRead: random[10]! % 4 !== 0,
    isDraft: false,
    isFlagged: random[11]! % 50 === 0,
    importance: 'normal',
    categories: [],
    hasAttachments: false,
    body: { type: 'text', content },
    headers: [],
    graph: { id, subject, importance: 'normal', conversationIndex: random.toString('base64') },
  }
}

const folderOf = (n: number): string => FOLDERS[n % 10 < 7 ? 0 : n % 10 < 9 ? 1 : 2]!.id

/** What a backup reads of it. `mails` may grow between two runs. */
export class SyntheticMailbox {
  mails: number
  readonly #name: string

  constructor(name: string, mails: number) {
    this.#name = name
    this.mails = mails
  }

  folders(): Promise<readonly MailFolder[]> {
    return Promise.resolve(FOLDERS)
  }

  async *changes(
    folderId: string,
    token?: string,
  ): AsyncGenerator<{
    items: MailItem[]
    removed: string[]
    token: string
    hasMore: boolean
  }> {
    let items: MailItem[] = []
    for (let n = Number(token ?? 0); n < this.mails; n += 1) {
      if (folderOf(n) !== folderId) continue
      items.push(syntheticMail(this.#name, n))
      if (items.length < PAGE) continue
      await turn()
      yield { items, removed: [], token: String(n + 1), hasMore: true }
      items = []
    }
    yield { items, removed: [], token: String(this.mails), hasMore: false }
  }
}
