import type { EntryFilter, EntryVerdict, TreeEntry } from '#repository'
import { isDriveRow, isFolderRow, type CatalogueRow, type DriveRow } from '../catalogue/rows.ts'
import type { RowBlock } from '../catalogue/row-block.ts'

// How old items are, to the second: mail by the day and time of its path, which is when it was received, else sent, else
// made; files by their last change; older versions of files by theirs. Rows and trees have to tell the same. What has no
// time stays.

/** Before which second something is too old. */
export type CutoffSecond = number

export const secondOf = (time: Date): CutoffSecond => Math.floor(time.getTime() / 1000)

/** 0 stands for a time that nobody knows. */
const isOld = (second: number | undefined, cutoff: CutoffSecond): boolean =>
  second !== undefined && second !== 0 && second < cutoff

/** Whether something of that time is too old. Paths and trees have 1970 where there is none. */
export const isTooOld = (time: Date | undefined, cutoff: Date): boolean =>
  time !== undefined && time.getUTCFullYear() >= 1000 && isOld(secondOf(time), secondOf(cutoff))

const MAIL_PLACE = /^(\d{4})\/(\d\d)\/(\d\d)\/(\d\d)(\d\d)(\d\d)-/

const mailSecond = (path: string): number | undefined => {
  const parts = MAIL_PLACE.exec(path)?.slice(1).map(Number)
  // The years before are those of times that no path can show.
  if (parts === undefined || parts[0]! < 1000) return undefined
  const [year, month, day, hour, minute, second] = parts as [number, number, number, number, number, number]
  return Date.UTC(year, month - 1, day, hour, minute, second) / 1000
}

const secondIn = (iso: string | undefined): number | undefined =>
  iso === undefined ? undefined : Math.floor(Date.parse(iso) / 1000)

/** What of a row is young enough: the row itself when all is, undefined when nothing is. */
export const youngPart = (row: CatalogueRow, cutoff: CutoffSecond): CatalogueRow | undefined => {
  if (isFolderRow(row)) return row
  if (!isDriveRow(row)) return isOld(mailSecond(row.path), cutoff) ? undefined : row
  if (isOld(secondIn(row.modifiedAt), cutoff)) return undefined
  const versions = row.versions?.filter(
    ({ modifiedAt }) => !isOld(secondIn(modifiedAt ?? row.modifiedAt), cutoff),
  )
  return versions === undefined || versions.length === row.versions?.length
    ? row
    : ({ ...row, versions } satisfies DriveRow)
}

/** The time that an item's age counts from. */
export const timeOf = (row: CatalogueRow): Date | undefined => {
  const second = isDriveRow(row) ? secondIn(row.modifiedAt) : mailSecond(row.path)
  return second === undefined || second === 0 ? undefined : new Date(second * 1000)
}

export type RowVerdict = 'stays' | 'shortened' | 'goes'

/** The same for a row of a block, mostly without reading all of it. It must put something. */
export const judgeRow = (block: RowBlock, row: number, cutoff: CutoffSecond): RowVerdict => {
  const second = block.usualSecond(row)
  if (second !== undefined) return isOld(second, cutoff) ? 'goes' : 'stays'
  const isPlainFile = block.value(row, 'kind') === 'file' && block.value(row, 'versions') === undefined
  if (isPlainFile && block.value(row, 'modifiedAt') !== undefined)
    return isOld(Math.floor(block.timeMs(row, 'modifiedAt')! / 1000), cutoff) ? 'goes' : 'stays'
  const whole = block.row(row)
  const young = youngPart(whole, cutoff)
  if (young === undefined) return 'goes'
  return young === whole ? 'stays' : 'shortened'
}

/** What hangs at a path of a snapshot. */
export type AgedTree = 'mail' | 'files'

const ROOT_DEPTH = 3

/** Leaves out of snapshots what is too old, below the named paths (`users/…/mail`) and nowhere else. */
export const filterByAge = (roots: ReadonlyMap<string, AgedTree>, cutoff: CutoffSecond): EntryFilter => {
  const above = new Set([...roots.keys()].flatMap((root) => ancestors(root)))
  return (path, entry) => {
    const parts = path.split('/')
    if (parts.length < ROOT_DEPTH) return above.has(path) ? 'enter' : 'keep'
    const kind = roots.get(parts.slice(0, ROOT_DEPTH).join('/'))
    if (kind === undefined) return 'keep'
    return kind === 'mail' ? judgeMail(parts.slice(ROOT_DEPTH), entry, cutoff) : judgeFile(entry, cutoff)
  }
}

const ancestors = (path: string): string[] => {
  const parts = path.split('/')
  return parts.slice(0, -1).map((_, at) => parts.slice(0, at + 1).join('/'))
}

/** Mail lies below folders of years, months and days: no other folder has a name of four digits. */
const judgeMail = (below: readonly string[], entry: TreeEntry, cutoff: CutoffSecond): EntryVerdict => {
  const at = below.findIndex((name) => /^\d{4}$/.test(name))
  const date = at < 0 ? [] : below.slice(at)
  if (date.length > 3) return isOld(mailSecond(date.join('/')), cutoff) ? 'drop' : 'keep'
  if (date.length === 0 || entry.type !== 'folder') return entry.type === 'folder' ? 'enter' : 'keep'
  const [year, month, day] = date.map(Number) as [number, number?, number?]
  if (year < 1000) return 'keep'
  const first = Date.UTC(year, (month ?? 1) - 1, day ?? 1) / 1000
  const next = Date.UTC(
    month === undefined ? year + 1 : year,
    month === undefined ? 0 : day === undefined ? month : month - 1,
    (day ?? 0) + 1,
  )
  if (first >= cutoff) return 'keep'
  // What has no time lies in the first second of 1970.
  return first !== 0 && next / 1000 <= cutoff ? 'drop' : 'enter'
}

const judgeFile = (entry: TreeEntry, cutoff: CutoffSecond): EntryVerdict => {
  if (entry.type === 'folder') return 'enter'
  return entry.type === 'file' && isOld(secondOf(entry.modifiedAt), cutoff) ? 'drop' : 'keep'
}
