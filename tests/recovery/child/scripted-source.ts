import { setTimeout as delay } from 'node:timers/promises'
import { seededRandom, type Random } from '#base'
import { FakeDrive } from '../../../src/engine/backup/tests/fake-drive.ts'
import { FakeMailbox } from '../../../src/engine/backup/tests/fake-mailbox.ts'

export const USERS = ['ada', 'ben', 'cleo'] as const
type User = (typeof USERS)[number]

const MAILS = 45
const FILES = 16
const FOLDERS = ['in', 'sent', 'deep'] as const

/** What the people have after so many rounds of changes: the same for the same numbers, in every process. */
export class ScriptedSource {
  readonly mailboxes = new Map<User, FakeMailbox>()
  readonly drives = new Map<User, FakeDrive>()
  readonly #random: Random

  constructor(seed: number, rounds: number) {
    this.#random = seededRandom(seed)
    for (const user of USERS) {
      this.mailboxes.set(user, this.#mailbox(user))
      this.drives.set(user, this.#drive(user))
    }
    for (let round = 1; round <= rounds; round += 1) for (const user of USERS) this.#change(user, round)
  }

  #chance(below: number): number {
    return Math.floor(this.#random.fraction() * below)
  }

  #mailbox(user: User): FakeMailbox {
    const mailbox = new FakeMailbox()
      .folder('in', 'Inbox')
      .folder('sent', 'Sent')
      .folder('deep', 'Deep', 'in')
    mailbox.pageSize = 5
    for (let number = 0; number < MAILS; number += 1) this.#mail(mailbox, `${user}-${number}`, number)
    return mailbox
  }

  #mail(mailbox: FakeMailbox, id: string, number: number): void {
    const bytes = Buffer.alloc(2_000 + 700 * this.#chance(60), number)
    mailbox.put(id, FOLDERS[number % 3]!, {}, number % 5 === 0 ? [{ name: `${id}.bin`, bytes }] : [])
  }

  #drive(user: User): FakeDrive {
    const drive = new FakeDrive().folder('docs', 'Docs').folder('old', 'Old', 'docs')
    for (let number = 0; number < FILES; number += 1)
      drive.file(`${user}-f${number}`, `file ${number}`, number % 2 === 0 ? 'docs' : 'old', this.#text())
    return drive
  }

  #text(): string {
    return `${this.#random.fraction()} `.repeat(1 + this.#chance(3_000))
  }

  #change(user: User, round: number): void {
    const mailbox = this.mailboxes.get(user)!
    const ids = mailbox.items.map(({ id }) => id)
    const one = (): string => ids.splice(this.#chance(ids.length), 1)[0]!
    mailbox.move(one(), 'deep')
    mailbox.put(one(), 'in', { isRead: true })
    mailbox.delete(one())
    for (let number = 0; number < 12; number += 1) this.#mail(mailbox, `${user}-${round}-${number}`, number)
    mailbox.folder('deep', `Deep ${round}`, round % 2 === 0 ? 'in' : 'sent')
    const drive = this.drives.get(user)!
    drive.change('docs', { name: `Docs ${round}` })
    for (let number = 0; number < 8; number += 1)
      drive.file(`${user}-f${this.#chance(FILES)}`, `changed ${round} ${number}`, 'docs', this.#text())
    drive.file(`${user}-g${round}`, `new ${round}`, 'old', this.#text())
  }
}

export interface Watch {
  /** A reading begins: of a mail folder, or of a drive as a whole; from a token or from the beginning. */
  onReading(folder: string, token: string | undefined): void
  onPage(): void
  pageMs(): number
}

/** The same source, which tells what is asked of it and takes its time. */
export const watched = <Source extends FakeMailbox | FakeDrive>(source: Source, watch: Watch): Source =>
  new Proxy(source, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      const call = (value as (...given: unknown[]) => unknown).bind(target)
      if (name !== 'changes') return call
      return async function* (...given: unknown[]) {
        const [folder, token] = (target instanceof FakeMailbox ? given : ['', ...given]) as [string, string?]
        watch.onReading(folder, token)
        for await (const page of call(...given) as AsyncIterable<unknown>) {
          watch.onPage()
          await delay(watch.pageMs())
          yield page
        }
      }
    },
  })
