import { GraphError, type TenantRequest } from '../core/contract.ts'
import type { Drive, DriveStore } from './drive-store.ts'
import type { ItemRow } from './schema.ts'

const TOKEN_LIFETIME_MS = 60 * 24 * 3_600_000

/** A place in a drive's change log. */
export interface DeltaToken {
  /** Changes up to here were known when the round began; 0 in a round that lists everything. */
  readonly from: number
  /** The drive's position when the round began. */
  readonly began: number
  /** Changes up to here have been told. */
  readonly told: number
  readonly epoch: number
  readonly issuedMs: number
  /** A link of a finished round; otherwise a page within one. */
  readonly isDone: boolean
}

export const writeToken = (token: DeltaToken): string => {
  const { from, began, told, epoch, issuedMs, isDone } = token
  return Buffer.from(['MzslMj', from, began, told, epoch, issuedMs, isDone ? 1 : 0].join(';')).toString(
    'base64url',
  )
}

const readToken = (text: string): DeltaToken => {
  const parts = Buffer.from(text, 'base64url').toString().split(';')
  const [from, began, told, epoch, issuedMs, isDone] = parts.slice(1).map(Number)
  if (parts[0] !== 'MzslMj' || parts.length !== 7 || parts.slice(1).some((part) => !/^\d+$/.test(part))) {
    throw new GraphError(400, 'invalidRequest', 'The delta token is not valid.')
  }
  return { from: from!, began: began!, told: told!, epoch: epoch!, issuedMs: issuedMs!, isDone: isDone === 1 }
}

export interface PageWish {
  readonly top: number
  /** Folders above what has changed come along. */
  readonly withParents: boolean
  /** Items of which only the sharing has changed come along. */
  readonly withSharing: boolean
  /** The page begins with the item that ended the last one. */
  readonly repeats: boolean
}

export interface DeltaPage {
  /** Items in order; one may come twice in a round, its last state counts. */
  readonly items: readonly ItemRow[]
  readonly token: DeltaToken
}

/** Which items of a drive the round is about. */
export interface DeltaScope {
  readonly drive: Drive
  /** The folder whose descendants count; the root for all. */
  readonly folder: ItemRow
}

/** Rounds of changes, read from the drive's log. */
export class Deltas {
  readonly #store: DriveStore
  readonly #nowMs: () => number

  constructor(store: DriveStore, nowMs: () => number) {
    this.#store = store
    this.#nowMs = nowMs
  }

  /** Where a request begins: anew, now, at a time, or where a token says. Throws `resync` for a token that is over. */
  begin(drive: Drive, asked: string | undefined, resync: () => GraphError): DeltaToken {
    if (asked === undefined || asked === '') return this.#at(drive, 0, false)
    if (asked.toLowerCase() === 'latest') return this.#at(drive, drive.position, true)
    if (/^\d{4}-\d\d-\d\dT/.test(asked)) return this.#at(drive, this.#positionAt(drive, asked), false)
    const token = readToken(asked)
    if (token.epoch < drive.epoch || token.issuedMs + TOKEN_LIFETIME_MS < this.#nowMs()) throw resync()
    if (token.told > drive.position) throw resync()
    return token.isDone ? this.#at(drive, token.told, false) : token
  }

  /** The next page of at most `top` changes. */
  page({ drive, folder }: DeltaScope, token: DeltaToken, wish: PageWish): DeltaPage {
    const after = wish.repeats ? Math.max(token.from, token.told - 1) : token.told
    const rows = this.#store.all<ItemRow>(
      'SELECT * FROM drive_items WHERE drive = ? AND position > ? ORDER BY position LIMIT ?',
      ...[drive.key, after, wish.top + 1],
    )
    const isDone = rows.length <= wish.top
    const taken = rows.slice(0, wish.top)
    const news = taken.filter((item) => this.#isNews(item, token, wish.withSharing))
    const wanted = folder.kind === 'root' ? news : news.flatMap((item) => this.#scoped(item, folder, token))
    const items = wish.withParents ? this.#withParents(wanted, token, folder) : wanted
    const told = isDone
      ? Math.max(token.told, taken.at(-1)?.position ?? 0, drive.position)
      : taken.at(-1)!.position
    return { items, token: { ...token, told, isDone, issuedMs: this.#nowMs() } }
  }

  /** Makes every token given so far answer 410. */
  expireTokens(drive: Drive): void {
    this.#store.run('UPDATE drives SET epoch = epoch + 1 WHERE key = ?', drive.key)
  }

  #at(drive: Drive, position: number, isDone: boolean): DeltaToken {
    return {
      from: position,
      began: drive.position,
      told: position,
      epoch: drive.epoch,
      issuedMs: this.#nowMs(),
      isDone,
    }
  }

  #positionAt(drive: Drive, time: string): number {
    const ms = Date.parse(time)
    if (Number.isNaN(ms)) throw new GraphError(400, 'invalidRequest', 'The delta token is not a valid time.')
    const row = this.#store.one<{ position: number | null }>(
      'SELECT min(position) AS position FROM drive_changes WHERE drive = ? AND at_ms > ?',
      ...[drive.key, ms],
    )
    return row?.position == null ? drive.position : row.position - 1
  }

  /** A round that lists everything is silent about what was deleted before it began. */
  #isNews(item: ItemRow, token: DeltaToken, withSharing: boolean): boolean {
    if (token.from === 0) return item.state === 'live' || item.position > token.began
    return withSharing || item.edited > token.from
  }

  /** What a change means to those who look at one folder: what was moved out is gone, what was moved in is all new. */
  #scoped(item: ItemRow, folder: ItemRow, token: DeltaToken): ItemRow[] {
    const moves = this.#store.all<{ from_parent: number }>(
      `SELECT from_parent FROM drive_changes WHERE drive = ? AND position > ? AND item = ? AND kind = 'move'`,
      ...[item.drive, token.from, item.key],
    )
    if (this.#isWithin(item, folder)) return moves.length > 0 ? this.#withDescendants(item) : [item]
    const wasWithin = moves.some(({ from_parent }) => this.#isWithin(this.#store.byKey(from_parent), folder))
    return wasWithin ? [{ ...item, state: 'gone' }] : []
  }

  #withDescendants(item: ItemRow): ItemRow[] {
    const below = this.#store.children(item, Number.MAX_SAFE_INTEGER)
    return [item, ...below.flatMap((child) => this.#withDescendants(child))]
  }

  #isWithin(item: ItemRow, folder: ItemRow): boolean {
    return item.key === folder.key || this.#store.ancestors(item).some(({ key }) => key === folder.key)
  }

  /** Folders come before what they hold, once a page; a round that lists everything does not repeat those of earlier pages. */
  #withParents(wanted: readonly ItemRow[], token: DeltaToken, folder: ItemRow): ItemRow[] {
    const items = new Map<number, ItemRow>()
    const told = new Set<number>()
    for (const item of wanted) {
      if (item.state === 'live') {
        for (const above of this.#untold(item, told, folder)) {
          if (token.from > 0 || above.position > token.told) items.set(above.key, above)
        }
      }
      items.set(item.key, item)
    }
    return [...items.values()]
  }

  #untold(item: ItemRow, told: Set<number>, folder: ItemRow): ItemRow[] {
    const path: ItemRow[] = []
    for (let key = item.parent; key !== null && !told.has(key) && item.key !== folder.key;) {
      const above = this.#store.byKey(key)
      told.add(key)
      path.unshift(above)
      if (key === folder.key) break
      key = above.parent
    }
    return path
  }
}

/** The token of a delta request: `?token=…` or `delta(token='…')`. */
export const askedToken = (request: TenantRequest): string | undefined =>
  request.params['token'] ?? request.query.get('token') ?? request.query.get('$deltatoken')
