import type { MailAddress } from '#items'

// Header fields of messages: RFC 5322 folding, RFC 2047 words, RFC 2231 parameters. Nothing that is put in can end a line.

const LINE = 76
const WORD_BYTES = 45
const PLAIN = /^[\x20-\x7e]*$/

/** One field with its line end. Empty values are written too. */
export const headerLine = (name: string, value: string): string => `${name}: ${value}\r\n`

/** Control characters cannot stand in a header value; each becomes a space. */
export const cleanText = (text: string): string => text.toWellFormed().replace(/[\x00-\x1f\x7f]/g, ' ')

/** Free text, such as a subject: as it is where that is safe, else in encoded words. */
export const unstructured = (text: string): string => {
  const clean = cleanText(text)
  return foldPlain(clean) ?? encodedWords(clean)
}

const foldPlain = (text: string): string | undefined => {
  if (!PLAIN.test(text) || text.includes('=?') || text.includes('  ') || text !== text.trim())
    return undefined
  if (text.length <= LINE - 16) return text
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (word.length > LINE - 2) return undefined
    if (line !== '' && line.length + word.length + 17 > LINE) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].join('\r\n ')
}

const encodedWords = (text: string): string => {
  const words: string[] = []
  let word = ''
  let bytes = 0
  for (const character of text) {
    const size = Buffer.byteLength(character)
    if (bytes + size > WORD_BYTES) {
      words.push(word)
      word = ''
      bytes = 0
    }
    word += character
    bytes += size
  }
  words.push(word)
  return words.map((part) => `=?UTF-8?B?${Buffer.from(part).toString('base64')}?=`).join('\r\n ')
}

/** `"Name" <address>, …`, one on a line. */
export const addressList = (addresses: readonly MailAddress[]): string =>
  addresses.map(addressText).filter(Boolean).join(',\r\n ')

const addressText = ({ name, address }: MailAddress): string => {
  const mailbox = cleanText(address ?? '')
    .replace(/[<>,;\s]/g, '')
    .slice(0, 900)
  const display = cleanText(name ?? '').trim()
  if (display === '' || display === mailbox) return mailbox === '' ? '' : `<${mailbox}>`
  return `${phrase(display)} <${mailbox}>`
}

const phrase = (text: string): string => {
  if (!PLAIN.test(text) || text.length > LINE - 8 || text.includes('=?')) return encodedWords(text)
  return `"${text.replace(/["\\]/g, '\\$&')}"`
}

/** `; name="value"`, or the continued and percent-encoded form of RFC 2231 for what a quoted string cannot say. */
export const parameter = (name: string, value: string): string => {
  const clean = cleanText(value)
  if (PLAIN.test(clean) && clean.length <= 60 && !/["\\]|=\?/.test(clean) && clean === clean.trim())
    return `;\r\n ${name}="${clean}"`
  const pieces: string[] = []
  let piece = ''
  for (const character of clean) {
    const encoded = percentEncoded(character)
    if (piece.length + encoded.length > 50) {
      pieces.push(piece)
      piece = ''
    }
    piece += encoded
  }
  pieces.push(piece)
  return pieces
    .map((text, index) => `;\r\n ${name}*${index}*=${index === 0 ? `UTF-8''` : ''}${text}`)
    .join('')
}

const percentEncoded = (character: string): string =>
  /^[A-Za-z0-9._-]$/.test(character)
    ? character
    : [...Buffer.from(character)]
        .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
        .join('')

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** RFC 5322 date in UTC. */
export const dateText = (date: Date): string => {
  const two = (number: number): string => String(number).padStart(2, '0')
  const day = `${DAYS[date.getUTCDay()]}, ${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`
  return `${day} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} +0000`
}

/** The media type where it is one that cannot change how the message around it is read. */
export const safeMediaType = (type: string): string => {
  const bare = type.split(';')[0]!.trim().toLowerCase()
  if (!/^[a-z0-9][a-z0-9!#$&^_.+-]{0,60}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,80}$/.test(bare)) return OCTETS
  return /^(multipart|message)\//.test(bare) ? OCTETS : bare
}

const OCTETS = 'application/octet-stream'
