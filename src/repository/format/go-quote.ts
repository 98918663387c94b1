import { corrupt, invalid } from '#base'

// A node's name is stored as Go's strconv.Quote writes it, without the outer quotes. Bytes that are not UTF-8 become
// lone low surrogates U+DC80 to U+DCFF here, so that different names stay different.

const ESCAPES: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
  '\\': 92,
  '"': 34,
}
const HEX_DIGITS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 }

/** Go prints letters, marks, numbers, punctuation, symbols and the ASCII space; it quotes everything else. */
const PLAIN_NAME = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]+$/u

/**
 * Whether a name can be stored as it is. The writer refuses others, because every reader has to come to the same bytes:
 * quotes, backslashes, slashes, control and format characters, spaces other than U+0020, `.` and `..`, more than 255 bytes.
 */
export const isPlainName = (name: string): boolean =>
  PLAIN_NAME.test(name) &&
  !/["\\/]/.test(name) &&
  name !== '.' &&
  name !== '..' &&
  Buffer.byteLength(name) <= 255

export const checkPlainName = (name: string): void => {
  if (!isPlainName(name)) throw invalid(`the name ${JSON.stringify(name)} cannot be stored as it is`)
}

/** The name behind a quoted one. Throws `corrupt`. */
export const unquoteName = (quoted: string): string => {
  if (!quoted.includes('\\')) {
    if (quoted.includes('"')) throw corrupt('a name is quoted wrongly')
    return quoted
  }
  const bytes: Uint8Array[] = []
  for (let at = 0; at < quoted.length;) {
    const [piece, next] = quoted[at] === '\\' ? unescape(quoted, at + 1) : plainRun(quoted, at)
    bytes.push(piece)
    at = next
  }
  return textOfBytes(Buffer.concat(bytes))
}

const plainRun = (quoted: string, from: number): readonly [Uint8Array, number] => {
  const next = quoted.indexOf('\\', from)
  const until = next === -1 ? quoted.length : next
  return [Buffer.from(quoted.slice(from, until)), until]
}

const unescape = (quoted: string, at: number): readonly [Uint8Array, number] => {
  const letter = quoted[at] ?? ''
  const simple = ESCAPES[letter]
  if (simple !== undefined) return [Uint8Array.of(simple), at + 1]
  const digits = HEX_DIGITS[letter]
  if (digits === undefined) throw corrupt('a name is quoted wrongly')
  const text = quoted.slice(at + 1, at + 1 + digits)
  if (text.length !== digits || !/^[0-9a-fA-F]+$/.test(text)) throw corrupt('a name is quoted wrongly')
  const value = Number.parseInt(text, 16)
  if (letter === 'x') return [Uint8Array.of(value), at + 1 + digits]
  if (value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) throw corrupt('a name is quoted wrongly')
  return [Buffer.from(String.fromCodePoint(value)), at + 1 + digits]
}

/** UTF-8 text; a byte that is not part of any becomes U+DC00 + byte. */
export const textOfBytes = (bytes: Uint8Array): string => {
  let text = ''
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes, at)
    text +=
      length === 0
        ? String.fromCharCode(0xdc00 + bytes[at]!)
        : Buffer.from(bytes.subarray(at, at + length)).toString('utf8')
    at += Math.max(1, length)
  }
  return text
}

/** Bytes of a name as `textOfBytes` gave it. */
export const bytesOfText = (text: string): Buffer => {
  if (!/[\udc80-\udcff]/.test(text)) return Buffer.from(text)
  const pieces: Buffer[] = []
  for (const character of text) {
    const code = character.codePointAt(0)!
    pieces.push(code >= 0xdc80 && code <= 0xdcff ? Buffer.of(code - 0xdc00) : Buffer.from(character))
  }
  return Buffer.concat(pieces)
}

/** Bytes of the valid UTF-8 sequence at a place; 0 when there is none. */
const sequenceLength = (bytes: Uint8Array, at: number): number => {
  const first = bytes[at]!
  if (first < 0x80) return 1
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
  if (first < 0xc2 || first > 0xf4 || at + length > bytes.length) return 0
  for (let next = at + 1; next < at + length; next += 1) if ((bytes[next]! & 0xc0) !== 0x80) return 0
  const text = Buffer.from(bytes.subarray(at, at + length)).toString('utf8')
  return text.includes('\ufffd') && !isReplacement(bytes, at) ? 0 : length
}

const isReplacement = (bytes: Uint8Array, at: number): boolean =>
  bytes[at] === 0xef && bytes[at + 1] === 0xbf && bytes[at + 2] === 0xbd
