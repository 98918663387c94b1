import type { Clock } from '#base'
import type { FailedItem } from '../catalogue/object-state.ts'
import { isForWholeObject, isOutage, isVanished, type SourceFailure } from './source-failure.ts'

/** So many items in a row that the service was not there for are no longer a matter of the items. */
const OUTAGE_ITEMS = 20

/** The items of one object that could not be read: kept from run to run until they are. */
export class ItemFailures {
  readonly #clock: Clock
  readonly #failed: Map<string, FailedItem>
  /** Of those that failed, the ones that this run came across. */
  readonly #met = new Set<string>()
  #outages = 0

  constructor(clock: Clock, before: readonly FailedItem[]) {
    this.#clock = clock
    this.#failed = new Map(before.map((item) => [item.id, item]))
  }

  /** Throws the failure when it is not a matter of this item. */
  add(item: { id: string; name: string; folderId?: string }, failure: SourceFailure): void {
    if (isForWholeObject(failure)) throw failure
    if (isVanished(failure)) {
      this.#failed.delete(item.id)
      return
    }
    this.#outages = isOutage(failure) ? this.#outages + 1 : 0
    if (this.#outages >= OUTAGE_ITEMS) throw failure
    this.refuse(item, failure.message)
  }

  /** Records an item that cannot be read for a reason of its own. */
  refuse(item: { id: string; name: string; folderId?: string }, reason: string): void {
    const since = this.#failed.get(item.id)?.since ?? this.#clock.now().toISOString()
    this.#met.add(item.id)
    this.#failed.set(item.id, { ...item, reason, since })
  }

  succeeded(id: string): void {
    this.#outages = 0
    this.#failed.delete(id)
  }

  gone(ids: readonly string[]): void {
    for (const id of ids) this.#failed.delete(id)
  }

  /** Those of earlier runs that this run did not come across. */
  notMet(): FailedItem[] {
    return [...this.#failed.values()].filter(({ id }) => !this.#met.has(id))
  }

  list(): FailedItem[] {
    return [...this.#failed.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  has(id: string): boolean {
    return this.#failed.has(id)
  }
}
