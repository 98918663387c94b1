/** A slice of a list. The edge caps `limit`; rows refuse nothing. */
export interface PageRequest {
  readonly offset?: number
  readonly limit?: number
}

export interface Page<Item> {
  readonly items: readonly Item[]
  /** Of the whole list. */
  readonly totalCount: number
}
