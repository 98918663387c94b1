import type { OwnerUsage, UsageOptions, UsageReport } from '#repository'
import { objectPath, versionsPath, OBJECTS_FOLDER, type ObjectIdentity } from '../catalogue/object-state.ts'
import type { Catalogue } from '../catalogue/catalogue.ts'
import { treesOfCheckpoints } from '../retention/reclaim-space.ts'
import { openShards, type ContentsParts } from '../retention/repository-contents.ts'

/** What an organization has in a repository, all shards together. Bytes; nothing is shared with other organizations. */
export interface OrganizationSpace {
  readonly shards: number
  readonly points: number
  /** Sizes of the different files of each object: what they were before anything was found twice. */
  readonly fileBytes: number
  /** Their pieces, each once, and with folders and records. */
  readonly dataBytes: number
  readonly plainBytes: number
  /** Compressed and sealed: all that is stored, what is needed of it, and what a clean-up may give back. */
  readonly storedBytes: number
  readonly neededBytes: number
  readonly wasteBytes: number
  /** Pieces that could not be read: the numbers are too small then. */
  readonly unreadable: number
}

export interface ObjectSpace extends OwnerUsage {
  readonly key: string
  readonly identity: ObjectIdentity
}

export interface PointSpace {
  readonly sessionId: string
  readonly jobId: string
  readonly jobName: string
  readonly time: Date
  /** What no earlier point of the organization needs, and what no other one does. */
  readonly grownBytes: number
  readonly exclusiveBytes: number
}

export interface OrganizationSurvey {
  readonly space: OrganizationSpace
  readonly objects: readonly ObjectSpace[]
  readonly points: readonly PointSpace[]
}

/** Looks at every tree of an organization in a repository. Changes nothing and takes no lock. */
export const surveyOrganization = async (
  parts: ContentsParts,
  place: { readonly repositoryId: string; readonly organizationId: string },
  signal: AbortSignal,
): Promise<OrganizationSurvey> => {
  const sum = new Sum()
  for (const { repository, catalogue } of await openShards(parts, { ...place, givesBack: false }, signal)) {
    const objects = identitiesIn(catalogue)
    const keepTrees = await treesOfCheckpoints(parts.database.queries, repository)
    const report = await repository.usage({ ownerOf: ownerOf(objects), keepTrees }, signal)
    sum.add(report, catalogue, objects)
  }
  return sum.survey()
}

/** By key, everyone that an object was in the shard's points: its folder is named after the user. */
type Identities = ReadonlyMap<string, readonly ObjectIdentity[]>

const identitiesIn = (catalogue: Catalogue): Identities => {
  const found = new Map<string, Map<string, ObjectIdentity>>()
  for (const { snapshot } of catalogue.points())
    for (const { key, kind, userId, principalName, displayName } of catalogue.objectsAt(snapshot)) {
      const known = found.get(key) ?? new Map<string, ObjectIdentity>()
      found.set(key, known)
      // Newest points come first.
      if (!known.has(principalName)) known.set(principalName, { kind, userId, principalName, displayName })
    }
  return new Map([...found].map(([key, known]) => [key, [...known.values()]]))
}

const ENTERED = new Set(['.holdfast', OBJECTS_FOLDER, 'users'])

/** Whose a folder of a snapshot is: by `docs/design/catalogue.md`. */
const ownerOf = (objects: Identities): UsageOptions['ownerOf'] => {
  const owners = new Map<string, { readonly owner: string }>()
  for (const [key, identities] of objects) {
    owners.set(`${OBJECTS_FOLDER}/${key}`, { owner: key })
    for (const identity of identities) {
      const path = objectPath(identity)
      owners.set(path, { owner: key })
      owners.set(versionsPath(path), { owner: key })
    }
  }
  return (path) =>
    owners.get(path) ?? (ENTERED.has(path) || /^users\/[^/]+$/.test(path) ? ('enter' as const) : undefined)
}

const NOTHING: OrganizationSpace = {
  shards: 0,
  points: 0,
  fileBytes: 0,
  dataBytes: 0,
  plainBytes: 0,
  storedBytes: 0,
  neededBytes: 0,
  wasteBytes: 0,
  unreadable: 0,
}

/** Shards put together. */
class Sum {
  #space = NOTHING
  readonly #objects: ObjectSpace[] = []
  readonly #points = new Map<string, PointSpace>()

  add(report: UsageReport, catalogue: Catalogue, objects: Identities): void {
    const before = this.#space
    this.#space = {
      shards: before.shards + 1,
      points: 0,
      fileBytes: before.fileBytes + report.fileBytes,
      dataBytes: before.dataBytes + report.dataBytes,
      plainBytes: before.plainBytes + report.plainBytes,
      storedBytes: before.storedBytes + report.storedBytes,
      neededBytes: before.neededBytes + report.neededBytes,
      wasteBytes: before.wasteBytes + report.wasteBytes,
      unreadable: before.unreadable + report.unreadable,
    }
    for (const [key, usage] of report.owners) {
      const identity = objects.get(key)?.[0]
      if (identity !== undefined) this.#objects.push({ key, identity, ...usage })
    }
    this.#addPoints(report, catalogue)
  }

  #addPoints(report: UsageReport, catalogue: Catalogue): void {
    const runs = new Map(catalogue.points().map((point) => [point.snapshot, point]))
    for (const { snapshot, time, grownBytes, exclusiveBytes } of report.snapshots) {
      const point = runs.get(snapshot)
      if (point === undefined) continue
      const { sessionId, jobId } = point
      const known = this.#points.get(sessionId)
      this.#points.set(sessionId, {
        sessionId,
        jobId,
        jobName: known?.jobName ?? point.run.jobName,
        time: known !== undefined && known.time > time ? known.time : time,
        grownBytes: (known?.grownBytes ?? 0) + grownBytes,
        exclusiveBytes: (known?.exclusiveBytes ?? 0) + exclusiveBytes,
      })
    }
  }

  survey(): OrganizationSurvey {
    return {
      space: { ...this.#space, points: this.#points.size },
      objects: this.#objects,
      points: [...this.#points.values()],
    }
  }
}
