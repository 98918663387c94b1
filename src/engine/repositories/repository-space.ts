import { isHoldfastError, messageOf, type Clock, type Logger } from '#base'
import {
  repositoryOrganizationRows,
  repositoryRows,
  type Database,
  type RepositoryOrganizationRow,
  type RepositoryRow,
} from '#database'
import type { RepositoryPlaces } from './repository-places.ts'

export interface SpaceParts {
  readonly database: Database
  readonly clock: Clock
  readonly log: Logger
}

/** A folder of this machine is quickly summed up, and may be changed by others. */
const LOCAL_MEASURE_KEPT_MS = 5 * 60_000

/**
 * What organizations take up in repositories: the sum of their files. It is measured after runs and kept, since a listing
 * of object storage takes long and costs money.
 */
export class RepositorySpace implements AsyncDisposable {
  readonly #parts: SpaceParts
  readonly #places: RepositoryPlaces
  readonly #measuring = new Map<string, Promise<number>>()
  readonly #again = new Set<string>()
  readonly #closing = new AbortController()

  constructor(parts: SpaceParts, places: RepositoryPlaces) {
    this.#parts = parts
    this.#places = places
  }

  /** Bytes as last measured; measured now where they never were, or long ago in a folder of this machine. */
  async usedBytes(repository: RepositoryRow, row: RepositoryOrganizationRow): Promise<number> {
    const ageMs =
      row.measuredAt === undefined ? Infinity : this.#parts.clock.nowMs() - row.measuredAt.getTime()
    const isLocal = repository.objectStorageId === undefined
    if (row.usedBytes !== undefined && (!isLocal || ageMs < LOCAL_MEASURE_KEPT_MS)) return row.usedBytes
    return this.#measured(repository, row)
  }

  /** Measures in the background: a run has written. */
  remeasure(repositoryId: string, organizationId: string): void {
    if (this.#closing.signal.aborted) return
    const key = `${repositoryId}/${organizationId}`
    if (this.#measuring.has(key)) {
      this.#again.add(key)
      return
    }
    this.#lookUp(repositoryId, organizationId).catch((error: unknown) => {
      if (!this.#closing.signal.aborted)
        this.#parts.log.warn({ repositoryId, message: messageOf(error) }, 'space not measured')
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    await Promise.allSettled(this.#measuring.values())
  }

  async #lookUp(repositoryId: string, organizationId: string): Promise<void> {
    const { queries } = this.#parts.database
    const repository = await repositoryRows.find(queries, repositoryId)
    const row = await repositoryOrganizationRows.find(queries, repositoryId, organizationId)
    if (repository !== undefined && row !== undefined) await this.#measured(repository, row)
  }

  async #measured(repository: RepositoryRow, row: RepositoryOrganizationRow): Promise<number> {
    const key = `${row.repositoryId}/${row.organizationId}`
    const there = this.#measuring.get(key)
    if (there !== undefined) return there
    const measuring = this.#measure(repository, row).finally(() => {
      this.#measuring.delete(key)
      if (this.#again.delete(key)) this.remeasure(row.repositoryId, row.organizationId)
    })
    this.#measuring.set(key, measuring)
    return measuring
  }

  async #measure(repository: RepositoryRow, row: RepositoryOrganizationRow): Promise<number> {
    const { database, clock } = this.#parts
    await this.#places.checkThere(repository)
    const storage = await this.#places.storage(repository)
    let usedBytes = 0
    for await (const file of storage.list(row.folder, this.#closing.signal)) usedBytes += file.sizeBytes
    const changes = { usedBytes, measuredAt: clock.now() }
    await repositoryOrganizationRows
      .update(database.queries, row.repositoryId, row.organizationId, changes)
      .catch((error: unknown) => {
        // The number is right all the same.
        if (!isHoldfastError(error, 'unavailable')) throw error
      })
    return usedBytes
  }
}
