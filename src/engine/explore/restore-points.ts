import { createHash } from 'node:crypto'
import { notFound } from '#base'
import { sessionRows, type Database, type Page, type PageRequest } from '#database'
import { requireOrganization, scopeOf, type Principal } from '../access/principal.ts'
import type { Catalogue } from '../catalogue/catalogue.ts'
import { objectKey } from '../catalogue/object-state.ts'
import type { RestoreSessions } from './restore-sessions.ts'

/** What one job run left in a repository, all shards together. */
export interface OrganizationRestorePoint {
  /** The id of the job session that made it; a copy has an id of its own. */
  readonly id: string
  readonly organizationId: string
  readonly repositoryId: string
  readonly jobId: string
  readonly backupTime: Date
  readonly isExchange: boolean
  readonly isOneDrive: boolean
  /** Made in another repository and copied here. */
  readonly isCopy: boolean
}

export interface RestorePointFilter extends PageRequest {
  readonly organizationId?: string
  readonly jobId?: string
  readonly repositoryId?: string
  /** Those that hold something of this user. */
  readonly userId?: string
  readonly from?: Date
  readonly to?: Date
  readonly oldestFirst?: boolean
  readonly isCopy?: boolean
}

interface Parts {
  readonly database: Database
  readonly sessions: Pick<RestoreSessions, 'shards'>
  readonly organizations: {
    list(principal: Principal): Promise<Page<{ readonly id: string; readonly name: string }>>
  }
}

/** Restore points of all repositories, as the catalogues know them. */
export class RestorePoints {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Newest first unless asked otherwise. A tenant sees its own. */
  async list(principal: Principal, filter: RestorePointFilter = {}): Promise<Page<OrganizationRestorePoint>> {
    const all = await this.#all(principal, filter)
    const direction = filter.oldestFirst === true ? 1 : -1
    all.sort((a, b) => direction * (a.backupTime.getTime() - b.backupTime.getTime()))
    const offset = filter.offset ?? 0
    return { items: all.slice(offset, offset + (filter.limit ?? 30)), totalCount: all.length }
  }

  async get(principal: Principal, id: string): Promise<OrganizationRestorePoint> {
    const found = (await this.#all(principal, {})).find((point) => point.id === id)
    if (found === undefined) throw notFound('there is no such restore point')
    requireOrganization(principal, found.organizationId, 'there is no such restore point')
    return found
  }

  async #all(principal: Principal, filter: RestorePointFilter): Promise<OrganizationRestorePoint[]> {
    const { organizations, sessions } = this.#parts
    const wanted = scopeOf(principal) ?? filter.organizationId
    const { items } = await organizations.list(principal)
    const found: OrganizationRestorePoint[] = []
    for (const { id, name } of items.filter(
      (organization) => wanted === undefined || organization.id === wanted,
    )) {
      const { repositoryId } = filter
      const place = {
        organizationId: id,
        organizationName: name,
        ...(repositoryId === undefined ? {} : { repositoryId }),
      }
      found.push(...(await pointsOf(await sessions.shards(place), id, filter)))
    }
    const told = await Promise.all(found.map((point) => this.#withOrigin(point)))
    return told.filter(({ isCopy }) => filter.isCopy === undefined || filter.isCopy === isCopy)
  }

  /** Two repositories hold the points of one run: those of the second have ids that follow from where they are. */
  async #withOrigin(point: OrganizationRestorePoint): Promise<OrganizationRestorePoint> {
    const session = await sessionRows.find(this.#parts.database.queries, point.id)
    if (session === undefined || session.repositoryId === point.repositoryId) return point
    return { ...point, id: copiedPointId(point), isCopy: true }
  }
}

/** A UUID of version 8, made of the run and the repository. */
const copiedPointId = ({ id, repositoryId }: OrganizationRestorePoint): string => {
  const hex = createHash('sha256').update(`${repositoryId} ${id}`).digest('hex')
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `a${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-')
}

type Shards = Awaited<ReturnType<RestoreSessions['shards']>>

const pointsOfUser = (catalogue: Catalogue, userId: string): ReadonlySet<string> =>
  new Set(
    (['mail', 'onedrive'] as const)
      .flatMap((kind) => catalogue.points(objectKey({ kind, userId })))
      .map(({ snapshot }) => snapshot),
  )

const pointsOf = async (
  shards: Shards,
  organizationId: string,
  filter: RestorePointFilter,
): Promise<OrganizationRestorePoint[]> => {
  const byRun = new Map<string, OrganizationRestorePoint>()
  for (const { catalogue, repository, repositoryId } of shards) {
    await repository.refresh()
    await catalogue.sync()
    const ofUser = filter.userId === undefined ? undefined : pointsOfUser(catalogue, filter.userId)
    for (const { time, jobId, sessionId, snapshot, holdsMail, holdsDrives } of catalogue.points()) {
      if (filter.jobId !== undefined && jobId !== filter.jobId) continue
      if ((filter.from !== undefined && time < filter.from) || (filter.to !== undefined && time > filter.to))
        continue
      if (ofUser !== undefined && !ofUser.has(snapshot)) continue
      const key = `${repositoryId} ${sessionId}`
      const known = byRun.get(key)
      byRun.set(key, {
        id: sessionId,
        organizationId,
        repositoryId,
        jobId,
        backupTime: known !== undefined && known.backupTime > time ? known.backupTime : time,
        isCopy: false,
        isExchange: (known?.isExchange ?? false) || holdsMail,
        isOneDrive: (known?.isOneDrive ?? false) || holdsDrives,
      })
    }
  }
  return [...byRun.values()]
}
