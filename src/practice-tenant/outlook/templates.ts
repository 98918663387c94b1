import { corpusMail } from '../seed/corpus.ts'
import type { MailContent, NestedMail } from './mail-content.ts'
import { parseMime } from './parse-mime.ts'

/** A message of the corpus: what many seeded messages share. */
export interface Template {
  readonly index: number
  readonly fileName: string
  readonly mail: NestedMail
  /** JSON text that every message of the template shares, by what was asked for. Filled by the view. */
  readonly texts: Map<string, Buffer>
}

export interface Templates {
  readonly all: readonly Template[]
  /** Ordinary mail, fit to fill mailboxes with: without and with attachments. */
  readonly plain: readonly Template[]
  readonly attached: readonly Template[]
}

const isOrdinary = ({ mail }: Template): boolean => {
  const { subject, from, body } = mail.content
  const isReadable = subject.length > 3 && !/[\ufffd\u00ef]/.test(subject) && !body.content.includes('\ufffd')
  return (
    isReadable &&
    body.content.length > 60 &&
    body.content.length < 20_000 &&
    /^\S+@\S+$/.test(from?.address ?? '')
  )
}

const load = async (): Promise<Templates> => {
  const all: Template[] = []
  for (const [index, { name, bytes }] of corpusMail().entries()) {
    all.push({ index, fileName: name, mail: await parseMime(bytes), texts: new Map() })
  }
  const ordinary = all.filter(isOrdinary)
  const isAttached = ({ mail }: Template): boolean => mail.attachments.length > 0
  return {
    all,
    plain: ordinary.filter((template) => !isAttached(template)),
    attached: ordinary.filter(isAttached),
  }
}

let loaded: Promise<Templates> | undefined

/** The corpus, parsed once in a process. */
export const loadTemplates = (): Promise<Templates> => (loaded ??= load())

/** A template's content without its headers of addresses, subject, date and identity, which each message has for itself. */
export const sharedHeaders = (content: MailContent): MailContent['headers'] =>
  content.headers.filter(({ name }) => !/^(from|to|sender|subject|date|message-id)$/i.test(name))
