import { isHoldfastError } from '#base'
import { damagedItemRows, objectToReadRows, type DamagedItemRow } from '#database'
import type { BlobId, BlobName, BlobType, Snapshot } from '#repository'
import { objectPath, OBJECTS_FOLDER, versionsPath } from '../catalogue/object-state.ts'
import { isDriveRow } from '../catalogue/rows.ts'
import type { ObjectAtPoint } from '../catalogue/catalogue.ts'
import type { OrganizationShard } from '../repositories/organization-shards.ts'
import { syncIfWhole, type TrustParts } from './trust-work.ts'

/** A path of a shard that cannot be read in full, at the newest restore point that has it so. */
export interface DamagedPath {
  readonly path: string
  readonly type: 'file' | 'folder'
  readonly newest: Snapshot
  readonly points: number
  readonly blobs: ReadonlySet<string>
}

const OPEN = ['Damaged', 'Waiting', 'Lost'] as const
const PAGE = 1_000

export const blobText = ({ type, id }: BlobName): string => `${type} ${id}`

const blobOf = (text: string): BlobName => {
  const [type, id] = text.split(' ') as [BlobType, BlobId]
  return { type, id }
}

/** What needs these blobs, by path; each path once however many points have it. */
export const damagedPaths = async (
  { repository }: OrganizationShard,
  blobs: readonly BlobName[],
  signal?: AbortSignal,
): Promise<readonly DamagedPath[]> => {
  const paths = new Map<string, { entry: DamagedPath; blobs: Set<string> }>()
  for await (const { snapshot, path, type, blobs: needed } of repository.affectedBy(blobs, signal)) {
    const known = paths.get(path)
    const all = known?.blobs ?? new Set<string>()
    for (const id of needed) all.add(`${type === 'file' ? 'data' : 'tree'} ${id}`)
    const newest =
      known === undefined || snapshot.time > known.entry.newest.time ? snapshot : known.entry.newest
    const entry = { path, type, newest, points: (known?.entry.points ?? 0) + 1, blobs: all }
    paths.set(path, { entry, blobs: all })
  }
  return [...paths.values()].map(({ entry }) => entry)
}

/** The objects that a path belongs to: one, or all below a folder. */
export const objectsOfPath = (path: string, objects: readonly ObjectAtPoint[]): readonly ObjectAtPoint[] =>
  objects.filter((object) => {
    const files = objectPath(object)
    const places = [files, versionsPath(files), `${OBJECTS_FOLDER}/${object.key}`]
    return places.some(
      (place) =>
        path === '' || path === place || path.startsWith(`${place}/`) || place.startsWith(`${path}/`),
    )
  })

/** Keeps what was found, by name, and marks the objects that the next run has to read in full. Returns how many are new. */
export const keepDamaged = async (
  parts: TrustParts,
  shard: OrganizationShard,
  found: { readonly paths: readonly DamagedPath[]; readonly problemOf: (blob: string) => string },
  signal?: AbortSignal,
): Promise<readonly DamagedItemRow[]> => {
  const { queries } = parts.database
  await syncIfWhole(shard, parts.log, signal)
  const { repositoryId, organizationId, index } = shard
  const place = { repositoryId, organizationId, shard: index }
  const known = await damagedItemRows.list(queries, { ...place, status: OPEN })
  const byPath = new Map(known.items.map((row) => [row.path, row]))
  const names = await namesOf(shard, found.paths, signal)
  const kept: DamagedItemRow[] = []
  for (const damaged of found.paths) {
    const blobs = [...damaged.blobs].sort()
    const problem = found.problemOf(blobs[0] ?? '')
    const before = byPath.get(damaged.path)
    // What a run did not bring back is not asked of every further run.
    const isKnownLoss = before?.status !== 'Damaged' && before?.blobs.join() === blobs.join()
    if (before !== undefined) {
      const status = isKnownLoss ? before.status : ('Damaged' as const)
      const changes = { blobs, points: damaged.points, problem, status }
      await damagedItemRows.update(queries, before.id, changes)
      kept.push({ ...before, ...changes })
    } else {
      const named = namedRow(damaged, names)
      const row = { ...place, ...named, ...ownerOf(shard, damaged), blobs, problem, points: damaged.points }
      const whole = {
        ...row,
        id: parts.random.uuid(),
        foundAt: parts.clock.now(),
        status: 'Damaged' as const,
      }
      await damagedItemRows.insert(queries, whole)
      kept.push(whole)
    }
    if (isKnownLoss) continue
    for (const { key } of objectsOfPath(damaged.path, objectsAround(shard, damaged)))
      await objectToReadRows.put(queries, {
        repositoryId,
        organizationId,
        objectKey: key,
        since: parts.clock.now(),
      })
  }
  return kept
}

/** Whose it is, where that is one alone. */
const ownerOf = (shard: OrganizationShard, damaged: DamagedPath): Pick<DamagedItemRow, 'objectKey'> => {
  const [owner, ...others] = objectsOfPath(damaged.path, objectsAround(shard, damaged))
  return owner === undefined || others.length > 0 ? {} : { objectKey: owner.key }
}

/** Those of the point; where it is too damaged to tell, those that are known now. */
const objectsAround = (
  { catalogue }: OrganizationShard,
  { newest }: DamagedPath,
): readonly ObjectAtPoint[] => {
  const there = catalogue.objectsAt(newest.id)
  return there.length > 0 ? there : catalogue.objectsAt({ at: new Date(8.64e15) })
}

interface ItemName {
  readonly name: string
  readonly kind: 'Mail' | 'Document'
  readonly objectKey: string
}

const namedRow = (
  { path, type }: DamagedPath,
  names: ReadonlyMap<string, ItemName>,
): Pick<DamagedItemRow, 'path' | 'name' | 'kind' | 'objectKey'> => {
  const named = names.get(path)
  if (named !== undefined) return { path, ...named }
  const kind =
    path === '' || path.startsWith('.holdfast') ? 'Catalogue' : type === 'folder' ? 'Folder' : 'Document'
  return { path, name: path === '' ? 'a whole restore point' : path.slice(path.lastIndexOf('/') + 1), kind }
}

/** Subjects and file names by path, out of the catalogue where that can be read. */
const namesOf = async (
  shard: OrganizationShard,
  paths: readonly DamagedPath[],
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, ItemName>> => {
  const names = new Map<string, ItemName>()
  const wanted = new Map<string, { object: ObjectAtPoint; blobs: Set<string> }>()
  for (const damaged of paths.filter(({ type }) => type === 'file'))
    for (const object of objectsOfPath(damaged.path, shard.catalogue.objectsAt(damaged.newest.id))) {
      const of = `${object.key} ${object.version}`
      const there = wanted.get(of) ?? { object, blobs: new Set<string>() }
      for (const blob of damaged.blobs) there.blobs.add(blob)
      wanted.set(of, there)
    }
  for (const { object, blobs } of wanted.values()) {
    signal?.throwIfAborted()
    const isRead = await shard.catalogue.load(object.key, signal).then(
      () => true,
      (error: unknown) => !isHoldfastError(error, 'corrupt') && !isHoldfastError(error, 'not-found'),
    )
    if (isRead) nameItems(shard, object, blobs, names)
  }
  return names
}

const nameItems = (
  { catalogue }: OrganizationShard,
  { key, version }: ObjectAtPoint,
  blobs: ReadonlySet<string>,
  names: Map<string, ItemName>,
): void => {
  for (let offset = 0; ; offset += PAGE) {
    const { items } = catalogue.items(key, version, undefined, { offset, limit: PAGE })
    for (const row of items) {
      if (!row.content.some((id) => blobs.has(`data ${id}`))) continue
      const path = catalogue.item(key, version, row.id)?.path
      if (path === undefined) continue
      const [name, kind] = isDriveRow(row) ? [row.name, 'Document' as const] : [row.subject, 'Mail' as const]
      names.set(path, { name, kind, objectKey: key })
    }
    if (items.length < PAGE) return
  }
}

/** What a run read in full, and whether that was all that it had to. */
export interface Reread {
  readonly keys: ReadonlySet<string>
  readonly isAll: boolean
}

/**
 * Looks whether the blobs of what was damaged are stored again. Only for blobs that the index has forgotten. What a run that
 * read its object in full did not bring back is `Lost`.
 */
export const recheckDamaged = async (
  parts: Pick<TrustParts, 'database' | 'clock'>,
  shard: Pick<OrganizationShard, 'repositoryId' | 'organizationId' | 'index' | 'repository'>,
  reread?: Reread,
): Promise<number> => {
  const { queries } = parts.database
  const { repositoryId, organizationId, index, repository } = shard
  const place = { repositoryId, organizationId, shard: index, status: ['Waiting', 'Lost'] as const }
  const { items } = await damagedItemRows.list(queries, place)
  if (items.length > 0) await repository.refresh()
  let healed = 0
  for (const row of items) {
    const isWhole = row.blobs.map(blobOf).every(({ type, id }) => repository.hasBlob(type, id))
    if (isWhole) {
      healed += 1
      await damagedItemRows.update(queries, row.id, { status: 'Healed', endedAt: parts.clock.now() })
    } else if (row.status === 'Waiting' && isReread(row, reread))
      await damagedItemRows.update(queries, row.id, { status: 'Lost' })
  }
  return healed
}

/** What belongs to no object alone, such as the record of a run, waits until all is read. */
const isReread = ({ objectKey }: DamagedItemRow, reread: Reread | undefined): boolean =>
  reread !== undefined && (objectKey === undefined ? reread.isAll : reread.keys.has(objectKey))

/** After the index forgot what is damaged. */
export const markForgotten = async (
  { database }: Pick<TrustParts, 'database'>,
  rows: readonly DamagedItemRow[],
): Promise<void> => {
  for (const { id, status } of rows)
    if (status === 'Damaged') await damagedItemRows.update(database.queries, id, { status: 'Waiting' })
}

/** What no restore point needs any more is no loss of anybody's. */
export const forgetUnneeded = async (
  parts: TrustParts,
  { repositoryId, organizationId, index }: OrganizationShard,
  needed: ReadonlySet<string>,
): Promise<void> => {
  const { queries } = parts.database
  const place = { repositoryId, organizationId, shard: index, status: OPEN }
  for (const row of (await damagedItemRows.list(queries, place)).items)
    if (!needed.has(row.path))
      await damagedItemRows.update(queries, row.id, { status: 'Gone', endedAt: parts.clock.now() })
}
