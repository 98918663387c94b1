import type { Clock, Random } from '#base'
import type { PageRequest } from '#database'

export interface ListingRequest extends PageRequest {
  /** Part of a name or address, any letter case. */
  readonly search?: string
  /** A listing that an earlier page came from. An unknown or old one is read afresh. */
  readonly setId?: string
}

/** A page of a listing of the live tenant. Further pages with `setId` come from the same listing. */
export interface ListingPage<Item> {
  readonly items: readonly Item[]
  /** Of the listing, after `search`. */
  readonly totalCount: number
  readonly setId: string
}

interface Listing {
  readonly of: string
  readonly items: readonly unknown[]
  usedAtMs: number
}

const KEPT_MS = 10 * 60_000
const MOST_ITEMS = 200_000

/** Listings of live tenants, kept for a while so that following pages are cut from the first one's. */
export class Listings {
  readonly #clock: Clock
  readonly #random: Random
  readonly #listings = new Map<string, Listing>()

  constructor(parts: { readonly clock: Clock; readonly random: Random }) {
    this.#clock = parts.clock
    this.#random = parts.random
  }

  /** `of` says what is listed: a set of something else is not used. */
  async page<Item>(
    of: string,
    request: ListingRequest,
    read: () => AsyncIterable<Item>,
  ): Promise<ListingPage<Item>> {
    const offset = request.offset ?? 0
    const cut = (setId: string, items: readonly Item[]): ListingPage<Item> => ({
      items: items.slice(offset, request.limit === undefined ? undefined : offset + request.limit),
      totalCount: items.length,
      setId,
    })
    const there = request.setId === undefined ? undefined : this.#listings.get(request.setId)
    if (there?.of === of && there.usedAtMs + KEPT_MS > this.#clock.nowMs()) {
      there.usedAtMs = this.#clock.nowMs()
      return cut(request.setId!, there.items as readonly Item[])
    }
    const items = await Array.fromAsync(read())
    const setId = this.#random.uuid()
    this.#listings.set(setId, { of, items, usedAtMs: this.#clock.nowMs() })
    this.#forgetOld()
    return cut(setId, items)
  }

  #forgetOld(): void {
    const newestFirst = [...this.#listings].sort(([, left], [, right]) => right.usedAtMs - left.usedAtMs)
    let total = 0
    for (const [setId, { items, usedAtMs }] of newestFirst) {
      total += items.length + 1
      const isOld = usedAtMs + KEPT_MS <= this.#clock.nowMs()
      if (isOld || total > MOST_ITEMS) this.#listings.delete(setId)
    }
  }
}
