import { notFound } from '#base'
import { requireOrganization, scopeOf, type Principal } from '../access/principal.ts'
import type { Catalogue, ObjectAtPoint } from '../catalogue/catalogue.ts'
import type { ObjectKind } from '../catalogue/object-state.ts'
import type { BackupRepositories } from '../repositories/backup-repositories.ts'
import type { OrganizationRestorePoint } from './restore-points.ts'
import type { RestoreSessions } from './restore-sessions.ts'

/** A mailbox or a drive that restore points hold. */
export interface HeldObject {
  readonly kind: ObjectKind
  readonly organizationId: string
  readonly repositoryId: string
  /** The directory's id. */
  readonly userId: string
  readonly displayName: string
  readonly principalName: string
  /** Of the newest restore point that could read it; undefined when none could. */
  readonly backedUpTime?: Date
}

/** A user with what is held of them. */
export interface ProtectedUser {
  readonly organizationId: string
  readonly userId: string
  readonly displayName: string
  readonly principalName: string
  readonly mailbox?: HeldObject
  readonly oneDrive?: HeldObject
}

export interface ProtectedFilter {
  readonly repositoryId?: string
  readonly organizationId?: string
  /** Restore points after it do not count. */
  readonly at?: Date
  readonly kind?: ObjectKind
  /** Part of a name or an address. */
  readonly search?: string
}

interface Parts {
  readonly sessions: Pick<RestoreSessions, 'shards'>
  readonly repositories: Pick<BackupRepositories, 'list' | 'get' | 'backedUpOrganizations'>
  readonly points: { get(principal: Principal, id: string): Promise<OrganizationRestorePoint> }
}

interface Choice {
  readonly at?: Date | undefined
  /** Restore points of this run alone. */
  readonly sessionId?: string
}

/** What the repositories hold of whom, by their catalogues: also of organizations that were removed. */
export class ProtectedObjects {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** By name. A tenant sees its own. `not-found` for the repository. */
  async list(principal: Principal, filter: ProtectedFilter = {}): Promise<readonly HeldObject[]> {
    const { repositories } = this.#parts
    const chosen =
      filter.repositoryId === undefined
        ? (await repositories.list(principal, { limit: 1_000_000 })).items
        : [await repositories.get(principal, filter.repositoryId)]
    const wanted = scopeOf(principal) ?? filter.organizationId
    const found: HeldObject[] = []
    for (const { id: repositoryId } of chosen)
      for (const owner of await repositories.backedUpOrganizations(principal, repositoryId)) {
        if (wanted !== undefined && owner.organizationId !== wanted) continue
        if (filter.organizationId !== undefined && owner.organizationId !== filter.organizationId) continue
        found.push(...(await this.#held(repositoryId, owner, { at: filter.at })))
      }
    return found.filter((object) => fits(object, filter)).sort(byName)
  }

  /** What one restore point holds. `not-found`. */
  async ofPoint(principal: Principal, restorePointId: string): Promise<readonly HeldObject[]> {
    const point = await this.#parts.points.get(principal, restorePointId)
    requireOrganization(principal, point.organizationId, 'there is no such restore point')
    const owner = { organizationId: point.organizationId, name: '' }
    return (await this.#held(point.repositoryId, owner, { sessionId: restorePointId })).sort(byName)
  }

  async #held(
    repositoryId: string,
    { organizationId, name }: { readonly organizationId: string; readonly name: string },
    choice: Choice,
  ): Promise<HeldObject[]> {
    const found = new Map<string, HeldObject>()
    const place = { organizationId, organizationName: name, repositoryId }
    for (const { catalogue, repository } of await this.#parts.sessions.shards(place)) {
      await repository.refresh()
      await catalogue.sync()
      const [held, read] = heldIn(catalogue, choice)
      const readAt = new Map(read.map(({ key, time }) => [key, time]))
      for (const { key, kind, userId, displayName, principalName } of held) {
        const backedUpTime = readAt.get(key)
        const object = { kind, organizationId, repositoryId, userId, displayName, principalName }
        found.set(key, { ...object, ...(backedUpTime === undefined ? {} : { backedUpTime }) })
      }
    }
    return [...found.values()]
  }
}

/** What is held, and as what of it could be read last: a run that cannot read an object keeps what the one before had. */
const heldIn = (catalogue: Catalogue, choice: Choice): [ObjectAtPoint[], ObjectAtPoint[]] => {
  if (choice.sessionId === undefined) {
    const at = choice.at ?? END_OF_TIME
    return [catalogue.objectsAt({ at }), catalogue.objectsAt({ at, isRead: true })]
  }
  const points = catalogue.points().filter(({ sessionId }) => sessionId === choice.sessionId)
  const held = points.flatMap(({ snapshot }) => catalogue.objectsAt(snapshot))
  return [held, held.filter(({ status }) => status === 'success' || status === 'warning')]
}

const END_OF_TIME = new Date(8.64e15)

/** Mailboxes and drives put together by whose they are; of several repositories the newest counts. */
export const protectedUsers = (objects: readonly HeldObject[]): readonly ProtectedUser[] => {
  const users = new Map<string, ProtectedUser>()
  for (const object of objects) {
    const { organizationId, userId, displayName, principalName } = object
    const key = `${organizationId} ${userId}`
    const user = users.get(key) ?? { organizationId, userId, displayName, principalName }
    const name = object.kind === 'mail' ? 'mailbox' : 'oneDrive'
    users.set(key, { ...user, [name]: newer(user[name], object) })
  }
  return [...users.values()]
}

/** One of them by the directory's id, in any letter case. */
export const protectedObjectOf = <Held extends { readonly userId: string }>(
  held: readonly Held[],
  userId: string,
  message: string,
): Held => {
  const wanted = userId.toLowerCase()
  const found = held.find((each) => each.userId.toLowerCase() === wanted)
  if (found === undefined) throw notFound(message)
  return found
}

const newer = (known: HeldObject | undefined, other: HeldObject): HeldObject =>
  known !== undefined && timeOf(known) >= timeOf(other) ? known : other

const timeOf = ({ backedUpTime }: HeldObject): number => backedUpTime?.getTime() ?? 0

const fits = (object: HeldObject, { kind, search }: ProtectedFilter): boolean => {
  if (kind !== undefined && object.kind !== kind) return false
  const wanted = search?.toLowerCase() ?? ''
  return [object.displayName, object.principalName].some((name) => name.toLowerCase().includes(wanted))
}

const byName = (a: HeldObject, b: HeldObject): number =>
  a.displayName.localeCompare(b.displayName) || (a.userId < b.userId ? -1 : a.userId > b.userId ? 1 : 0)
