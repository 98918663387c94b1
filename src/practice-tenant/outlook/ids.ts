import { createHash } from 'node:crypto'

import { malformedId } from './refusals.ts'

// Ids as clients see them: 152 characters that say nothing, different for each mailbox, case-sensitive. An ordinary
// message id (`AAMkAG…`) carries the message's place and so changes with each move; an immutable one (`AAkALg…`) does not.

const ORDINARY = 'AAMkAG'
const IMMUTABLE = 'AAkALg'
const TAIL = 'AAA='
const FILLER_LENGTH = 120
const PAYLOAD_LENGTH = 22
const ID_LENGTH = 6 + FILLER_LENGTH + PAYLOAD_LENGTH + TAIL.length

const KINDS = { folder: 1, message: 2, attachment: 3 } as const
export type IdKind = keyof typeof KINDS

/** What an id names: the number of a folder or message within its mailbox. */
export interface NamedThing {
  readonly kind: IdKind
  readonly number: number
  /** How often the message has moved; undefined in an immutable id. */
  readonly place: number | undefined
  /** The attachment's number within its message, else 0. */
  readonly attachment: number
}

const mix = (hash: number, value: number): number => {
  let mixed = Math.imul(hash ^ value, 0x5bd1e995)
  mixed ^= mixed >>> 15
  mixed = Math.imul(mixed, 0x27d4eb2d)
  return mixed ^ (mixed >>> 13)
}

/** Makes and reads the ids of one mailbox. */
export class MailboxIds {
  readonly #filler: string
  readonly #salt: number
  readonly #payload = Buffer.alloc(16)
  /** The beginning of each change key. */
  readonly #changePrefix: string
  readonly #conversationPrefix: string

  constructor(userId: string) {
    const digest = createHash('sha512').update(userId).digest()
    const filler = Buffer.concat([digest, digest.subarray(0, 26)])
    this.#filler = filler.toString('base64url')
    this.#salt = digest.readInt32BE(0)
    this.#changePrefix = `CQAAABYAAAD${digest.subarray(32, 47).toString('base64').slice(0, 20)}`
    this.#conversationPrefix = `AAQkAG${this.#filler.slice(0, 60)}`
  }

  folder(number: number): string {
    return ORDINARY + this.#rest(KINDS.folder, number, 0, 0)
  }

  message(number: number, place: number): string {
    return ORDINARY + this.#rest(KINDS.message, number, place, 0)
  }

  immutableMessage(number: number): string {
    return IMMUTABLE + this.#rest(KINDS.message, number, 0, 0)
  }

  attachment(number: number, place: number, attachment: number): string {
    return ORDINARY + this.#rest(KINDS.attachment, number, place, attachment)
  }

  immutableAttachment(number: number, attachment: number): string {
    return IMMUTABLE + this.#rest(KINDS.attachment, number, 0, attachment)
  }

  changeKey(change: number): string {
    return this.#changePrefix + change.toString(16).padStart(8, '0')
  }

  conversation(key: string): string {
    return `${this.#conversationPrefix}${Buffer.from(key).toString('base64url').slice(0, 16)}=`
  }

  /** What the id names. Throws `ErrorInvalidIdMalformed` for anything that this mailbox has not given out. */
  parse(id: string): NamedThing {
    const start = id.slice(0, 6)
    if (id.length !== ID_LENGTH || (start !== ORDINARY && start !== IMMUTABLE)) throw malformedId()
    if (id.slice(6, 6 + FILLER_LENGTH) !== this.#filler || !id.endsWith(TAIL)) throw malformedId()
    const payload = Buffer.from(id.slice(6 + FILLER_LENGTH, -TAIL.length), 'base64url')
    const code = payload.readUInt8(0)
    const number = payload.readUInt32BE(1)
    const place = payload.readUInt32BE(5)
    const attachment = payload.readUIntBE(9, 3)
    const rest = this.#rest(code, number, place, attachment)
    const kind = (Object.keys(KINDS) as IdKind[]).find((name) => KINDS[name] === code)
    if (kind === undefined || id.slice(6) !== rest) throw malformedId()
    return { kind, number, place: start === IMMUTABLE ? undefined : place, attachment }
  }

  #rest(kind: number, number: number, place: number, attachment: number): string {
    const payload = this.#payload
    payload.writeUInt8(kind, 0)
    payload.writeUInt32BE(number, 1)
    payload.writeUInt32BE(place, 5)
    payload.writeUIntBE(attachment, 9, 3)
    payload.writeInt32BE(mix(mix(mix(mix(this.#salt, kind), number), place), attachment) | 0, 12)
    return this.#filler + payload.toString('base64url') + TAIL
  }
}
