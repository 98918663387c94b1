import { createHash } from 'node:crypto'
import type { JsonObject } from '#base'
import { isDriveRow, mailFilePath, type CatalogueRow, type DriveRow, type MailRow } from './rows.ts'

// What can be made from the other properties of a row is not written. A row for which that does not come out exactly is
// written as it is.

const RAW = '~raw'

export const packRow = (row: CatalogueRow): JsonObject => (isDriveRow(row) ? packDrive(row) : packMail(row))

export const unpackRow = (packed: JsonObject): CatalogueRow => {
  if (RAW in packed) return packed[RAW] as unknown as CatalogueRow
  return 'kind' in packed ? unpackDrive(packed) : unpackMail(packed)
}

/** No path: it is the usual one. */
const packMail = (row: MailRow): JsonObject => {
  const { path, ...rest } = row
  return (path === usualPath(rest) ? rest : row) as unknown as JsonObject
}

const unpackMail = (packed: JsonObject): MailRow => {
  const row = packed as unknown as MailRow
  if (row.path !== undefined) return row
  const { id, folderId, path: _none, ...rest } = row
  return { id, folderId, path: usualPath(row)!, ...rest }
}

const usualPath = ({ id, receivedAt, sentAt }: Omit<MailRow, 'path'>): string | undefined => {
  const date = receivedAt ?? sentAt
  if (date === undefined) return undefined
  return mailFilePath(new Date(date), createHash('sha256').update(id).digest('hex').slice(0, 12))
}

const SAME = '='
/** After an address that goes on with the item's name. */
const NAMED = '\n'

const packDrive = (row: DriveRow): JsonObject => {
  const { graph } = row
  const guid = guidOfItem(row.id)
  const packed: Record<string, unknown> = { ...row, graph: { ...graph } }
  const inner = packed['graph'] as Record<string, unknown>
  for (const name of ['eTag', 'cTag'] as const) {
    const tag = row[name]
    if (tag === undefined) continue
    if (graph[name] === tag) inner[name] = SAME
    if (guid !== undefined) packed[name] = tag.replace(guid, SAME)
  }
  if (row.path === row.name) packed['path'] = SAME
  const address = graph['webUrl']
  const end = encodeURIComponent(row.name)
  if (typeof address === 'string' && address.endsWith(end))
    inner['webUrl'] = address.slice(0, address.length - end.length) + NAMED
  const isExact = JSON.stringify(unpackDrive(packed as JsonObject)) === JSON.stringify(row)
  return isExact ? (packed as JsonObject) : { [RAW]: row as unknown as JsonObject }
}

const unpackDrive = (packed: JsonObject): DriveRow => {
  const row = { ...packed, graph: { ...(packed['graph'] as JsonObject) } } as Record<string, unknown>
  const inner = row['graph'] as Record<string, unknown>
  const { id, name } = row as { id: string; name: string }
  for (const tag of ['eTag', 'cTag']) {
    if (typeof row[tag] === 'string') row[tag] = row[tag].replace(SAME, guidOfItem(id) ?? SAME)
    if (inner[tag] === SAME) inner[tag] = row[tag]
  }
  if (row['path'] === SAME) row['path'] = name
  const address = inner['webUrl']
  if (typeof address === 'string' && address.endsWith(NAMED))
    inner['webUrl'] = address.slice(0, -NAMED.length) + encodeURIComponent(name)
  return row as unknown as DriveRow
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const ITEM_ID = /^01[A-Z2-7]{32}$/

/** The service writes an item's GUID into the last 26 characters of its id, and again into its tags. */
const guidOfItem = (id: string): string | undefined => {
  if (!ITEM_ID.test(id)) return undefined
  const bytes = Buffer.alloc(16)
  let [bits, held, at] = [0, 0, 0]
  for (let index = 8; index < id.length && at < 16; index += 1) {
    bits = ((bits << 5) | BASE32.indexOf(id[index]!)) & 0xfff
    held += 5
    if (held < 8) continue
    held -= 8
    bytes[at++] = (bits >> held) & 0xff
  }
  const hex = bytes.toString('hex').toUpperCase()
  return GUID_PARTS.map(([from, to]) => hex.slice(from, to)).join('-')
}

const GUID_PARTS = [
  [0, 8],
  [8, 12],
  [12, 16],
  [16, 20],
  [20, 32],
] as const
