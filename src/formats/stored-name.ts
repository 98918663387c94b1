// Names for the tree of a repository, made from names that people chose. Rules: docs/design/item-file.md.

const MAX_BYTES = 200
const MAX_EXTENSION_BYTES = 24
/** Not letter, mark, number, punctuation or symbol, and not the plain space: control, format, private, unassigned. */
const UNPRINTABLE = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu
const SPACES = /[\p{Z}\t\r\n]/gu
const REFUSED_SOMEWHERE = /[/\\:*?"<>|]/g
const DEVICE = /^(con|prn|aux|nul|clock\$|conin\$|conout\$|(com|lpt)[0-9¹²³])[ ]*(\.|$)/i

/**
 * A name that every file system and restic's listing take as it is: no separator, no control or invisible character,
 * no device name, no dot or space at its ends where they are dropped, at most 200 bytes of UTF-8, in normal form C.
 * A name that is already so stays the same; two names may become the same: see `uniqueName`.
 */
export const storedName = (name: string): string => {
  const visible = name
    .toWellFormed()
    .normalize('NFC')
    .replace(SPACES, ' ')
    .replace(UNPRINTABLE, '')
    .replace(REFUSED_SOMEWHERE, '_')
    .normalize('NFC')
  const trimmed = trimEnds(visible)
  if (trimmed === '') return '_'
  const short = shorten(trimmed, MAX_BYTES - 1)
  return DEVICE.test(short) ? `_${short}` : short
}

/** Names with equal keys cannot stand beside each other on every file system. */
export const nameKey = (name: string): string =>
  name.normalize('NFC').toUpperCase().toLowerCase().normalize('NFC')

/** `name`, or `name~2`, `name~3` … before its extension: the first that `isTaken` (asked with the key) lets pass. */
export const uniqueName = (name: string, isTaken: (key: string) => boolean): string => {
  if (!isTaken(nameKey(name))) return name
  for (let number = 2; ; number += 1) {
    const candidate = withSuffix(name, `~${number}`)
    if (!isTaken(nameKey(candidate))) return candidate
  }
}

const trimEnds = (name: string): string => {
  let end = name.length
  while (end > 0 && (name[end - 1] === '.' || name[end - 1] === ' ')) end -= 1
  let start = 0
  while (start < end && name[start] === ' ') start += 1
  return name.slice(start, end)
}

const splitExtension = (name: string): [stem: string, extension: string] => {
  const dot = name.lastIndexOf('.')
  if (dot <= 0 || Buffer.byteLength(name.slice(dot)) > MAX_EXTENSION_BYTES) return [name, '']
  return [name.slice(0, dot), name.slice(dot)]
}

const shorten = (name: string, maxBytes: number): string => {
  if (Buffer.byteLength(name) <= maxBytes) return name
  const [stem, extension] = splitExtension(name)
  return trimEnds(cutToBytes(stem, maxBytes - Buffer.byteLength(extension)) + extension)
}

const withSuffix = (name: string, suffix: string): string => {
  const [stem, extension] = splitExtension(name)
  const room = MAX_BYTES - Buffer.byteLength(suffix + extension)
  return cutToBytes(stem, room) + suffix + extension
}

const cutToBytes = (text: string, maxBytes: number): string => {
  if (Buffer.byteLength(text) <= maxBytes) return text
  let bytes = 0
  let kept = ''
  for (const character of text) {
    bytes += Buffer.byteLength(character)
    if (bytes > maxBytes) break
    kept += character
  }
  return kept
}
