import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import { isHoldfastError, type Clock, type Secret } from '#base'
import { auditRows, type AuditRow, type Database, type Page, type PageRequest, type Queries } from '#database'
import { requireAdministrator, type Principal } from './principal.ts'

export interface AuditEvent {
  readonly actor: Pick<Principal, 'name' | 'address'> & { readonly kind: Principal['kind'] | 'unknown' }
  /** `organizations.add`. */
  readonly action: string
  /** An id or a name, never a secret. */
  readonly object: string
  /** `done`, or why not. */
  readonly result: string
  readonly details?: string
}

export interface AuditEntry {
  readonly sequence: number
  readonly time: Date
  readonly actorKind: string
  readonly actor: string
  readonly action: string
  readonly object: string
  readonly result: string
  readonly address?: string
  readonly details?: string
}

const LONGEST = 300
const CHECKED_AT_ONCE = 1_000

const shortened = (text: string): string => (text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}…`)

/**
 * Who did what to which object. Each row's hash covers the row and the hash before it, keyed from the root key, so that
 * a changed, removed or reordered row shows. A cut tail does not show by itself: keep the last hash elsewhere.
 */
export class Audit {
  readonly #database: Database
  readonly #clock: Clock
  readonly #key: Uint8Array

  constructor(parts: { readonly database: Database; readonly clock: Clock; readonly rootKey: Secret }) {
    this.#database = parts.database
    this.#clock = parts.clock
    this.#key = auditKeyOf(parts.rootKey)
  }

  async record(event: AuditEvent): Promise<void> {
    await this.#database.transaction(async (queries) => {
      const last = await auditRows.last(queries)
      const { address } = event.actor
      const row = {
        sequence: (last?.sequence ?? 0) + 1,
        time: this.#clock.now(),
        actorKind: event.actor.kind,
        actor: shortened(event.actor.name),
        action: event.action,
        object: shortened(event.object),
        result: event.result,
        ...(address === undefined ? {} : { address: shortened(address) }),
        ...(event.details === undefined ? {} : { details: shortened(event.details) }),
      }
      await auditRows.insert(queries, { ...row, hash: this.#hash(row, last?.hash ?? '') })
    })
  }

  /** Records how `work` went, and hands on its result or error. */
  async around<Result>(
    principal: Principal,
    action: string,
    object: string,
    work: () => Promise<Result>,
  ): Promise<Result> {
    const event = { actor: principal, action, object }
    try {
      const result = await work()
      await this.record({ ...event, result: 'done' })
      return result
    } catch (error) {
      await this.record({ ...event, result: isHoldfastError(error) ? error.code : 'failed' })
      throw error
    }
  }

  /** Oldest first. */
  async list(principal: Principal, page: PageRequest = {}): Promise<Page<AuditEntry>> {
    requireAdministrator(principal)
    const { items, totalCount } = await auditRows.list(this.#database.queries, page)
    return { items: items.map(({ hash: _hash, ...entry }) => entry), totalCount }
  }

  /** The first row that is not as it was written, or undefined when all are. */
  async firstBroken(): Promise<number | undefined> {
    let [sequence, previous] = [0, '']
    for (;;) {
      const rows = await auditRows.after(this.#database.queries, sequence, CHECKED_AT_ONCE)
      for (const row of rows) {
        if (row.sequence !== sequence + 1 || !this.#fits(row, previous)) return sequence + 1
        sequence = row.sequence
        previous = row.hash
      }
      if (rows.length < CHECKED_AT_ONCE) return undefined
    }
  }

  #hash(row: Omit<AuditRow, 'hash'>, previous: string): string {
    return hashOf(this.#key, row, previous)
  }

  #fits(row: AuditRow, previous: string): boolean {
    return fits(this.#key, row, previous)
  }
}

const auditKeyOf = (rootKey: Secret): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', Buffer.from(rootKey.reveal(), 'base64'), '', 'holdfast audit', 32))

const hashOf = (key: Uint8Array, row: Omit<AuditRow, 'hash'>, previous: string): string => {
  const { sequence, time, actorKind, actor, action, object, result, address, details } = row
  const fields = [sequence, time, actorKind, actor, action, object, result, address ?? null, details ?? null]
  return createHmac('sha256', key)
    .update(JSON.stringify([previous, ...fields]))
    .digest('hex')
}

const fits = (key: Uint8Array, row: AuditRow, previous: string): boolean => {
  const [stored, expected] = [Buffer.from(row.hash), Buffer.from(hashOf(key, row, previous))]
  return stored.length === expected.length && timingSafeEqual(stored, expected)
}

/**
 * Gives the rows hashes under another root key. A row that is not as it was written keeps its own, and so goes on to show.
 * Give it the queries of the transaction that changes the key. Returns how many rows there are.
 */
export const rehashAudit = async (
  queries: Queries,
  { from, to }: { readonly from: Secret; readonly to: Secret },
): Promise<number> => {
  const [fromKey, toKey] = [auditKeyOf(from), auditKeyOf(to)]
  let [sequence, before, after, count] = [0, '', '', 0]
  for (;;) {
    const rows = await auditRows.after(queries, sequence, CHECKED_AT_ONCE)
    for (const row of rows) {
      const hash = fits(fromKey, row, before) ? hashOf(toKey, row, after) : row.hash
      await auditRows.putHash(queries, row.sequence, hash)
      ;[sequence, before, after] = [row.sequence, row.hash, hash]
      count += 1
    }
    if (rows.length < CHECKED_AT_ONCE) return count
  }
}
