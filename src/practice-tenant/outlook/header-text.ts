// Header fields of a message as text: RFC 2047 words, addresses, dates.

import type { MailAddress } from './mail-content.ts'

const isPlain = (text: string): boolean => /^[\x20-\x7e]*$/.test(text)

/** Pieces of at most 39 bytes of UTF-8, cut between characters: a word of RFC 2047 holds 75 characters. */
const wordPieces = (text: string): Buffer[] => {
  const pieces: Buffer[] = []
  let piece = ''
  for (const character of text.toWellFormed()) {
    if (Buffer.byteLength(piece + character) > 39) {
      pieces.push(Buffer.from(piece))
      piece = ''
    }
    piece += character
  }
  pieces.push(Buffer.from(piece))
  return pieces
}

/** Text as it may stand in a header: encoded words where it is not plain ASCII. */
export const headerText = (text: string): string =>
  isPlain(text)
    ? text
    : wordPieces(text)
        .map((piece) => `=?utf-8?B?${piece.toString('base64')}?=`)
        .join(' ')

const phrase = (name: string): string =>
  /^[A-Za-z0-9 _-]+$/.test(name)
    ? name
    : isPlain(name)
      ? `"${name.replace(/[\\"]/g, '\\$&')}"`
      : headerText(name)

export const addressText = ({ name, address }: MailAddress): string => {
  if (address === undefined) return phrase(name ?? '')
  const bare = address.replace(/[\r\n<>]/g, '')
  return name === undefined || name === address ? `<${bare}>` : `${phrase(name)} <${bare}>`
}

export const addressList = (addresses: readonly MailAddress[]): string =>
  addresses.map(addressText).join(', ')

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** `Tue, 24 Nov 2026 11:00:00 +0000` of seconds since 1970. */
export const mailDateText = (seconds: number): string => {
  const date = new Date(seconds * 1000)
  const day = `${DAYS[date.getUTCDay()]}, ${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`
  return `${day} ${date.toISOString().slice(11, 19)} +0000`
}
