import { storedName } from '#formats'
import type { DriveItem, DriveItemVersion } from '#items'
import type { RepositoryWriter, TreeEditor } from '#repository'
import type { DriveRow, FileVersion } from '../catalogue/rows.ts'
import type { DriveSource } from '../connectors/connectors.ts'
import { isTooOld } from '../retention/item-age.ts'
import { fromSource, isForWholeObject, isVanished, SourceFailure } from './source-failure.ts'

export interface VersionSaving {
  readonly source: Pick<DriveSource, 'versions' | 'versionContent'>
  readonly writer: Pick<RepositoryWriter, 'saveFile'>
  readonly signal: AbortSignal
  /** Versions that are older are not wanted. */
  readonly itemCutoff?: Date | undefined
  ask<Answer>(question: Promise<Answer>): Promise<Answer>
}

export interface SavedVersions extends Pick<DriveRow, 'versions' | 'currentVersion'> {
  /** Bytes that came from the service. */
  readonly readBytes: number
  /** Why the list is not whole. */
  readonly lost?: SourceFailure
}

/**
 * The older versions of a file as the service has them now: one call for the list, one for each that `old` does not hold.
 * What cannot be read is left out and told; only what concerns the whole drive is thrown, as SourceFailure.
 */
export const saveVersions = async (
  saving: VersionSaving,
  item: DriveItem,
  old: DriveRow | undefined,
): Promise<SavedVersions> => {
  try {
    const listed = await saving.ask(saving.source.versions(item.id, saving.signal))
    return await saveListed(saving, { item, old, listed })
  } catch (error) {
    if (!(error instanceof SourceFailure) || isForWholeObject(error)) throw error
    const kept = old?.versions === undefined ? {} : { versions: old.versions }
    return { ...kept, readBytes: 0, lost: error }
  }
}

interface Listed {
  readonly item: DriveItem
  readonly old: DriveRow | undefined
  readonly listed: readonly DriveItemVersion[]
}

const saveListed = async (saving: VersionSaving, { item, old, listed }: Listed): Promise<SavedVersions> => {
  const known = knownVersions(old)
  const versions: FileVersion[] = []
  let readBytes = 0
  let lost: SourceFailure | undefined
  const { itemCutoff } = saving
  const wanted = listed.filter(
    ({ isCurrent, modifiedAt }) =>
      !isCurrent && (itemCutoff === undefined || !isTooOld(modifiedAt ?? item.modifiedAt, itemCutoff)),
  )
  for (const version of wanted.reverse()) {
    const facts = factsOf(version)
    const before = known.get(keyOf(facts))
    if (before !== undefined) {
      versions.push({ ...facts, ...before })
      continue
    }
    try {
      const bytes = saving.source.versionContent(item.id, version.id, saving.signal)
      const saved = await saving.writer.saveFile([fromSource(bytes)])
      readBytes += saved.sizeBytes
      versions.push({ ...facts, sizeBytes: saved.sizeBytes, content: saved.content })
    } catch (error) {
      if (!(error instanceof SourceFailure) || isForWholeObject(error)) throw error
      // The service dropped it in between, as it does with the oldest ones.
      if (!isVanished(error)) lost ??= new SourceFailure(error.cause, `version ${version.id}: `)
    }
  }
  const current = currentVersion(item, listed)
  return {
    versions,
    ...(current === undefined ? {} : { currentVersion: current }),
    readBytes,
    ...(lost === undefined ? {} : { lost }),
  }
}

type Facts = Omit<FileVersion, 'sizeBytes' | 'content'>
type Bytes = Pick<FileVersion, 'sizeBytes' | 'content'>

const factsOf = ({ id, modifiedAt, graph }: DriveItemVersion): Facts => {
  const { user } = (graph['lastModifiedBy'] ?? {}) as { user?: { displayName?: string; email?: string } }
  const modifiedBy = user?.displayName ?? user?.email
  return {
    id,
    ...(modifiedAt === undefined ? {} : { modifiedAt: modifiedAt.toISOString() }),
    ...(modifiedBy === undefined ? {} : { modifiedBy }),
  }
}

/** The service goes on writing into a version while somebody edits: the id alone does not tell what is in it. */
const keyOf = ({ id, modifiedAt }: Pick<FileVersion, 'id' | 'modifiedAt'>): string =>
  `${id} ${modifiedAt ?? ''}`

/** What is stored already; the content of the last run is an older version by now. */
const knownVersions = (old: DriveRow | undefined): ReadonlyMap<string, Bytes> => {
  const known = new Map<string, Bytes>()
  for (const { sizeBytes, content, ...facts } of old?.versions ?? [])
    known.set(keyOf(facts), { sizeBytes, content })
  const { currentVersion: current, sizeBytes, content } = old ?? {}
  if (current !== undefined && sizeBytes !== undefined && content !== undefined)
    known.set(keyOf(current), { sizeBytes, content })
  return known
}

/** Only when it is surely the state that was read: somebody may have written between the two calls. */
const currentVersion = (
  item: DriveItem,
  listed: readonly DriveItemVersion[],
): DriveRow['currentVersion'] | undefined => {
  const current = listed.find(({ isCurrent }) => isCurrent)
  const changedAt = item.graph['lastModifiedDateTime']
  if (current?.modifiedAt === undefined || current.sizeBytes !== item.sizeBytes) return undefined
  if (typeof changedAt !== 'string' || Date.parse(changedAt) !== current.modifiedAt.getTime())
    return undefined
  return { id: current.id, modifiedAt: current.modifiedAt.toISOString() }
}

/** Puts the files of the older versions where the file is, and takes away what was there. */
export const placeVersions = async (
  tree: TreeEditor,
  place: {
    readonly from: string | undefined
    readonly to: string
    readonly row: DriveRow
    readonly old: DriveRow | undefined
  },
): Promise<void> => {
  const { from, to, row, old } = place
  const isSame = from === to && JSON.stringify(row.versions) === JSON.stringify(old?.versions)
  if (isSame) return
  if (from !== undefined && (old?.versions?.length ?? 0) > 0) await tree.remove(from)
  for (const version of row.versions ?? []) {
    const { content, sizeBytes } = version
    const modifiedAt = new Date(version.modifiedAt ?? row.modifiedAt ?? 0)
    await tree.putFile(`${to}/${versionName(version, row.name)}`, { content, sizeBytes, modifiedAt })
  }
}

/** `20260301T081500Z 3.0.docx`: in order of time, and programs open it. */
const versionName = ({ id, modifiedAt }: FileVersion, name: string): string => {
  const dot = name.lastIndexOf('.')
  const ending = dot <= 0 ? '' : name.slice(dot)
  const time = (modifiedAt ?? '').slice(0, 19).replace(/[-:]/g, '')
  return storedName(`${time === '' ? '' : `${time}Z `}${id}${ending}`)
}
