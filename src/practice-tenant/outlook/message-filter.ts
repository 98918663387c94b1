import type { Mailbox } from './mailbox.ts'
import { contentOf, keyOf, lightNumber, VARIANT } from './message-row.ts'
import type { MessageRow } from './message-row.ts'
import { badQuery, notSupportedHere } from './refusals.ts'

/** What `$filter` leaves of the messages: a condition for SQL, and one that needs the content. */
export interface MessageFilter {
  readonly sql: string
  readonly values: readonly (number | string)[]
  readonly matches: ((row: MessageRow) => boolean) | undefined
}

interface Term {
  readonly property: string
  readonly operator: string
  readonly literal: string
}

const TERM = /^\(?\s*(\w+)\s+(eq|ne|ge|gt|le|lt)\s+('(?:[^']|'')*'|[^\s')]+)\s*\)?$/i

/** Splits at `and` outside quotes. */
const conjuncts = (text: string): string[] => {
  const words = text.match(/'(?:[^']|'')*'|[^']+/g) ?? []
  const marked = words
    .map((word) => (word.startsWith("'") ? word : word.replace(/\s+and\s+/gi, '\u0000')))
    .join('')
  return marked.split('\u0000').map((part) => part.trim())
}

const termOf = (text: string): Term => {
  const [, property, operator, literal] = TERM.exec(text) ?? []
  if (property === undefined) {
    if (/\b(or|not|startswith|endswith|contains)\b/i.test(text)) throw notSupportedHere(`$filter ${text}`)
    throw badQuery(`Invalid filter clause: ${text}`)
  }
  return { property: property.toLowerCase(), operator: operator!.toLowerCase(), literal: literal! }
}

const SQL_OPERATORS: Readonly<Record<string, string>> = {
  eq: '=',
  ne: '<>',
  ge: '>=',
  gt: '>',
  le: '<=',
  lt: '<',
}
const COLUMNS: Readonly<Record<string, string>> = {
  isread: 'is_read',
  isdraft: 'is_draft',
  hasattachments: 'has_attachments',
}

const textLiteral = ({ literal }: Term): string => {
  if (!literal.startsWith("'")) throw badQuery(`Invalid filter clause: ${literal} is no text.`)
  return literal.slice(1, -1).replaceAll("''", "'")
}

/** Seconds since 1970 of a time in a filter; it may have quotes. */
const timeLiteral = ({ literal }: Term): number => {
  const time = Date.parse(literal.replace(/^'|'$/g, ''))
  if (Number.isNaN(time)) throw badQuery(`Invalid filter clause: ${literal} is no time.`)
  return time / 1000
}

const booleanLiteral = ({ literal }: Term): number => {
  if (!/^(true|false)$/i.test(literal)) throw badQuery(`Invalid filter clause: ${literal} is no boolean.`)
  return literal.toLowerCase() === 'true' ? 1 : 0
}

const onlyEq = (term: Term): void => {
  if (term.operator !== 'eq') throw notSupportedHere(`$filter with ${term.property} ${term.operator}`)
}

const internetIdFilter = (mailbox: Mailbox, term: Term): MessageFilter => {
  onlyEq(term)
  const wanted = textLiteral(term)
  const number = lightNumber(mailbox, wanted)
  const key = number === undefined ? -1 : keyOf(mailbox.box, number)
  return {
    sql: `(internet_id = ? OR (id = ? AND variant < ${VARIANT.original}))`,
    values: [wanted, key],
    matches: undefined,
  }
}

const subjectFilter = (mailbox: Mailbox, term: Term): MessageFilter => {
  onlyEq(term)
  const wanted = textLiteral(term).toLowerCase()
  return { sql: '1', values: [], matches: (row) => contentOf(mailbox, row).subject.toLowerCase() === wanted }
}

const filterOf = (mailbox: Mailbox, term: Term): MessageFilter => {
  const operator = SQL_OPERATORS[term.operator]!
  switch (term.property) {
    case 'receiveddatetime':
      return { sql: `received ${operator} ?`, values: [timeLiteral(term)], matches: undefined }
    case 'isread':
    case 'isdraft':
    case 'hasattachments':
      return {
        sql: `${COLUMNS[term.property]} ${operator} ?`,
        values: [booleanLiteral(term)],
        matches: undefined,
      }
    case 'internetmessageid':
      return internetIdFilter(mailbox, term)
    case 'subject':
      return subjectFilter(mailbox, term)
    default:
      throw notSupportedHere(`$filter on ${term.property}`)
  }
}

/** Reads a `$filter` of terms joined by `and`. Throws 400 for what is none and 501 for what is not built. */
export const messageFilter = (mailbox: Mailbox, text: string | undefined): MessageFilter => {
  const filters = text === undefined ? [] : conjuncts(text).map((part) => filterOf(mailbox, termOf(part)))
  const predicates = filters.flatMap(({ matches }) => (matches === undefined ? [] : [matches]))
  return {
    sql: ['1', ...filters.map(({ sql }) => sql)].join(' AND '),
    values: filters.flatMap(({ values }) => values),
    matches: predicates.length === 0 ? undefined : (row) => predicates.every((matches) => matches(row)),
  }
}

/** Reads the one filter that delta knows: `receivedDateTime ge|gt TIME`. The least time in seconds since 1970. */
export const deltaFilter = (text: string | undefined): number | undefined => {
  if (text === undefined) return undefined
  const term = termOf(text.trim())
  if (term.property !== 'receiveddatetime' || !/^g[et]$/.test(term.operator)) {
    throw badQuery('The only supported filter of a delta query on messages is receivedDateTime ge or gt.')
  }
  return term.operator === 'ge' ? timeLiteral(term) : timeLiteral(term) + 1
}
