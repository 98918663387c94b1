import type { Clock, Secret } from '#base'
import { secretRows, type Queries } from '#database'
import { openSecret, sealSecret, type Place } from './envelope.ts'

/** Secrets in the database, each in its envelope. Only what must send a secret asks for it. */
export class Secrets {
  readonly #rootKey: Secret
  readonly #clock: Clock

  constructor(parts: { readonly rootKey: Secret; readonly clock: Clock }) {
    this.#rootKey = parts.rootKey
    this.#clock = parts.clock
  }

  /** Inserts or replaces. Give it the queries of the transaction that writes the row it belongs to. */
  async put(queries: Queries, place: Place, value: Secret): Promise<void> {
    const envelope = sealSecret(this.#rootKey, place, value)
    const updatedAt = this.#clock.now()
    await secretRows.put(queries, {
      tableName: place.table,
      rowId: place.row,
      field: place.field,
      envelope,
      updatedAt,
    })
  }

  /** Undefined when there is none. Throws `corrupt` when it cannot be opened. */
  async find(queries: Queries, place: Place): Promise<Secret | undefined> {
    const row = await secretRows.find(queries, {
      tableName: place.table,
      rowId: place.row,
      field: place.field,
    })
    return row && openSecret(this.#rootKey, place, row.envelope)
  }

  async remove(queries: Queries, place: Place): Promise<void> {
    await secretRows.remove(queries, { tableName: place.table, rowId: place.row, field: place.field })
  }

  /** All secrets of a row. */
  async removeOf(queries: Queries, table: string, row: string): Promise<void> {
    await secretRows.removeOfRow(queries, table, row)
  }
}
