import { conflict, notFound, type Clock, type Random } from '#base'
import {
  legalHoldRows,
  organizationRows,
  repositoryOrganizationRows,
  type Database,
  type LegalHoldRow,
  type Page,
  type PageRequest,
  type Queries,
} from '#database'
import type { Audit } from '../access/audit.ts'
import { requireAdministrator, type Principal } from '../access/principal.ts'
import { objectKey } from '../catalogue/object-state.ts'
import type { Given } from '../organizations/organization.ts'
import { needed, readText, readWord } from '../organizations/read-input.ts'
import type { Hold } from './plan-points.ts'

export const HELD_TYPES = ['User', 'Mailbox', 'OneDrive'] as const
/** `User`: mailbox and OneDrive. */
export type HeldType = (typeof HELD_TYPES)[number]

/** Nothing of the object is removed, by whatever rule or request, until the hold is released. */
export interface LegalHold {
  readonly id: string
  readonly organizationId: string
  /** The directory's id. */
  readonly userId: string
  readonly objectType: HeldType
  readonly name: string
  readonly reason: string
  readonly setBy: string
  readonly setAt: Date
  readonly releasedBy?: string
  readonly releasedAt?: Date
  readonly releaseReason?: string
}

export interface LegalHoldInput {
  readonly organizationId?: Given<string>
  readonly userId?: Given<string>
  readonly objectType?: Given<string>
  readonly name?: Given<string>
  readonly reason?: Given<string>
}

export interface LegalHoldFilter extends PageRequest {
  readonly organizationId?: string
  readonly isActive?: boolean
}

export interface LegalHoldsParts {
  readonly database: Database
  readonly audit: Audit
  readonly clock: Clock
  readonly random: Random
}

const unknown = 'the legal hold is not known'

/** Who may not be touched. For administrators alone. */
export class LegalHolds {
  readonly #parts: LegalHoldsParts

  constructor(parts: LegalHoldsParts) {
    this.#parts = parts
  }

  /** `not-found` for an organization that is neither here nor in a repository, `conflict` for an equal hold in force. */
  async set(principal: Principal, input: LegalHoldInput): Promise<LegalHold> {
    requireAdministrator(principal)
    return this.#parts.audit.around(principal, 'legalHolds.set', String(input.userId ?? ''), async () => {
      const { database, clock, random } = this.#parts
      const organizationId = needed(readText(input.organizationId, 'organizationId', 64), 'organizationId')
      const userId = directoryId(needed(readText(input.userId, 'userId', 128), 'userId'))
      const row: LegalHoldRow = {
        id: random.uuid(),
        organizationId,
        userId,
        objectType: readWord(input.objectType, 'objectType', HELD_TYPES) ?? 'User',
        name: readText(input.name, 'name', 512) ?? userId,
        reason: needed(readText(input.reason, 'reason', 2_000), 'reason'),
        setBy: principal.name,
        setAt: clock.now(),
      }
      await this.#checkOrganization(organizationId)
      await database.transaction(async (queries) => {
        const { items } = await legalHoldRows.list(queries, { organizationId, isActive: true })
        if (items.some((one) => one.userId === userId && one.objectType === row.objectType))
          throw conflict(`${row.name} is under such a hold already`)
        await legalHoldRows.insert(queries, row)
      })
      return present(row)
    })
  }

  /** It stays in the list, with who released it and why. `conflict` when it was released before. */
  async release(
    principal: Principal,
    id: string,
    input: { readonly reason?: Given<string> },
  ): Promise<LegalHold> {
    requireAdministrator(principal)
    return this.#parts.audit.around(principal, 'legalHolds.release', id, async () => {
      const { database, clock } = this.#parts
      const releaseReason = needed(readText(input.reason, 'reason', 2_000), 'reason')
      const row = await this.#find(id)
      if (row.releasedAt !== undefined) throw conflict('the legal hold was released already')
      const changes = { releasedBy: principal.name, releasedAt: clock.now(), releaseReason }
      await legalHoldRows.update(database.queries, id, changes)
      return present({ ...row, ...changes })
    })
  }

  async get(principal: Principal, id: string): Promise<LegalHold> {
    requireAdministrator(principal)
    return present(await this.#find(id))
  }

  /** Newest first, released ones too unless asked otherwise. */
  async list(principal: Principal, filter: LegalHoldFilter = {}): Promise<Page<LegalHold>> {
    requireAdministrator(principal)
    const { items, totalCount } = await legalHoldRows.list(this.#parts.database.queries, filter)
    return { items: items.map(present), totalCount }
  }

  async #find(id: string): Promise<LegalHoldRow> {
    const row = await legalHoldRows.find(this.#parts.database.queries, id)
    if (row === undefined) throw notFound(unknown)
    return row
  }

  async #checkOrganization(organizationId: string): Promise<void> {
    const { queries } = this.#parts.database
    if ((await organizationRows.find(queries, organizationId)) !== undefined) return
    if ((await repositoryOrganizationRows.list(queries, { organizationId })).length > 0) return
    throw notFound('the organization is not known')
  }
}

/** Directories write their ids in small letters, and so do the keys of objects. */
export const directoryId = (id: string): string =>
  /^[0-9a-f]{8}-[0-9a-f-]{27}$/i.test(id) ? id.toLowerCase() : id

const present = ({ objectType, ...row }: LegalHoldRow): LegalHold => ({
  ...row,
  objectType: objectType as HeldType,
})

/** The keys that a mailbox, a drive or both have in the catalogue. */
export const keysOf = (userId: string, type: HeldType = 'User'): readonly string[] => [
  ...(type === 'OneDrive' ? [] : [objectKey({ kind: 'mail', userId })]),
  ...(type === 'Mailbox' ? [] : [objectKey({ kind: 'onedrive', userId })]),
]

/** Those in force, as planning wants them. */
export const holdsInForce = async (queries: Queries): Promise<readonly Hold[]> => {
  const { items } = await legalHoldRows.list(queries, { isActive: true })
  return items.map(({ id, organizationId, userId, objectType }) => ({
    id,
    organizationId,
    objectKeys: keysOf(userId, objectType as HeldType),
  }))
}
