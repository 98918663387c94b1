import type { DriveRow, FileVersion } from './rows.ts'

/** A version as lists show it: older ones and the current one. */
export interface ListedVersion extends FileVersion {
  readonly isCurrent: boolean
}

/** Of the current one, where the service's own number of it is not known. */
const UNKNOWN_VERSION = '1.0'

/** All versions that are kept of a file, newest first. */
export const versionsOf = (row: DriveRow): readonly ListedVersion[] => {
  const { sizeBytes, content, modifiedAt } = row
  const { user } = (row.graph['lastModifiedBy'] ?? {}) as { user?: { displayName?: string; email?: string } }
  const modifiedBy = user?.displayName ?? user?.email
  const older = (row.versions ?? []).map((version) => ({ ...version, isCurrent: false }))
  const current = {
    id: row.currentVersion?.id ?? following(older.at(-1)?.id),
    ...(modifiedAt === undefined ? {} : { modifiedAt }),
    ...(modifiedBy === undefined ? {} : { modifiedBy }),
    sizeBytes,
    content,
    isCurrent: true,
  }
  return [current, ...older.reverse()]
}

const following = (id: string | undefined): string =>
  id === undefined ? UNKNOWN_VERSION : `${Math.floor(versionNumber(id) / MINOR_VERSIONS) + 1}.0`

const MINOR_VERSIONS = 512

/** SharePoint's number for a version's label: `2.1` is 2 × 512 + 1. */
export const versionNumber = (id: string): number => {
  const [major, minor] = id.split('.').map((part) => Number.parseInt(part, 10) || 0)
  return (major ?? 0) * MINOR_VERSIONS + (minor ?? 0)
}

/** The file as it was at a version; undefined where that is not kept. */
export const atVersion = (row: DriveRow, number: number): DriveRow | undefined => {
  const version = versionsOf(row).find(({ id }) => versionNumber(id) === number)
  if (version === undefined) return undefined
  if (version.isCurrent) return row
  const { eTag: _tag, cTag: _contentTag, quickXorHash: _hash, currentVersion: _current, ...rest } = row
  const { id, sizeBytes, content, modifiedAt } = version
  const time = modifiedAt === undefined ? {} : { modifiedAt }
  const current = { id, ...time }
  return { ...rest, sizeBytes, content, ...time, currentVersion: current, versions: [] }
}
