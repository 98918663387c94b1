import { createHash } from 'node:crypto'

// Ids look like Microsoft's: a drive's names its site, web and list, so a drive can be found from its id alone, even in
// a database that has never seen it; an item's carries the GUID that its eTag and download address show.

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const DRIVE_ID = /^b![A-Za-z0-9_-]{64}$/
const GUID_BYTES = 16

const digest = (...names: readonly string[]): Buffer =>
  createHash('sha256').update(names.join('\u0000')).digest()

const guidText = (raw: Buffer): string => {
  const hex = raw.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    '-',
  )
}

/** The OneDrive of a user, by the user's GUID. */
export const driveIdOf = (userId: string): string => {
  const user = Buffer.from(userId.replaceAll('-', ''), 'hex')
  const rest = digest('drive', userId)
  return `b!${Buffer.concat([user, rest]).toString('base64url')}`
}

/** The user whose OneDrive has this id, or nothing when it is no drive id of this tenant's making. */
export const userIdOf = (driveId: string): string | undefined => {
  if (!DRIVE_ID.test(driveId)) return undefined
  const userId = guidText(Buffer.from(driveId.slice(2), 'base64url').subarray(0, GUID_BYTES))
  return driveIdOf(userId) === driveId ? userId : undefined
}

/** GUIDs of the site collection and the web that hold a drive. */
export const siteIdOf = (driveId: string, host: string): string => {
  const raw = Buffer.from(driveId.slice(2), 'base64url')
  return [host, guidText(raw.subarray(0, 16)), guidText(raw.subarray(16, 32))].join(',')
}

const base32 = (raw: Buffer): string => {
  let bits = 0n
  for (const byte of raw) bits = (bits << 8n) | BigInt(byte)
  bits <<= 2n
  let text = ''
  for (let i = 0; i < 26; i += 1) {
    text = BASE32[Number(bits & 31n)]! + text
    bits >>= 5n
  }
  return text
}

const fromBase32 = (text: string): Buffer => {
  let bits = 0n
  for (const letter of text) bits = (bits << 5n) | BigInt(BASE32.indexOf(letter))
  return Buffer.from((bits >> 2n).toString(16).padStart(32, '0'), 'hex')
}

/** The item that was made as the `ordinal`-th of its drive. 34 upper-case characters. */
export const itemIdOf = (driveId: string, ordinal: number): string => {
  const prefix = base32(digest('items', driveId).subarray(0, GUID_BYTES)).slice(0, 6)
  return `01${prefix}${base32(digest('item', driveId, String(ordinal)).subarray(0, GUID_BYTES))}`
}

/** The upper-case GUID inside an item id. */
export const guidOf = (itemId: string): string => guidText(fromBase32(itemId.slice(8))).toUpperCase()
