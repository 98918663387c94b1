import type { Logger } from '#base'
import type { BlobId, RepositoryReader } from '#repository'
import type { CacheDatabase } from './cache-file.ts'
import { readObjectState } from './object-state.ts'
import { Statements } from './statements.ts'
import { unlessDamaged } from './unless-damaged.ts'
import type { VersionWriter } from './version-writer.ts'

export interface RowLoadingParts {
  readonly database: CacheDatabase
  readonly reader: RepositoryReader
  readonly writer: VersionWriter
  readonly log: Logger
}

/** Brings rows of objects into the cache, state after state; one object after the other, whoever asks. */
export class RowLoading {
  readonly #parts: RowLoadingParts
  readonly #statements: Statements
  #last: Promise<void> = Promise.resolve()

  constructor(parts: RowLoadingParts) {
    this.#parts = parts
    this.#statements = new Statements(parts.database)
  }

  /** What is not there yet of an object, or of all. `onLoaded` is called after each. */
  load(objectKey: string | undefined, onLoaded: () => void, signal?: AbortSignal): Promise<void> {
    const unloaded = `SELECT DISTINCT o.no FROM objects o JOIN states s ON s.object = o.no AND s.version > o.loaded`
    const within = objectKey === undefined ? '' : ' WHERE o.key = @objectKey'
    const loaded = this.#last.then(async () => {
      for (const { no } of this.#statements.all<{ no: number }>(unloaded + within, { objectKey })) {
        await this.#loadObject(no, signal)
        onLoaded()
      }
    })
    this.#last = loaded.catch(() => undefined)
    return loaded
  }

  async #loadObject(object: number, signal: AbortSignal | undefined): Promise<void> {
    const { log, reader, writer } = this.#parts
    const states = this.#statements.all<{ version: number; stateTree: BlobId }>(
      `SELECT s.version, s.state_tree AS stateTree FROM states s JOIN objects o ON o.no = s.object AND s.version > o.loaded
       WHERE s.object = @object AND EXISTS (SELECT 1 FROM point_objects p WHERE p.object = s.object AND p.version = s.version)
       ORDER BY s.version`,
      { object },
    )
    for (const { version, stateTree } of states) {
      const written = await unlessDamaged(log, stateTree, async () => {
        const state = await readObjectState(reader, stateTree)
        await writer.write({ object, version, state }, signal)
        return true
      })
      if (written !== true)
        this.#statements.run('DELETE FROM point_objects WHERE object = @object AND version = @version', {
          object,
          version,
        })
      this.#statements.run('UPDATE objects SET loaded = @version WHERE no = @object', { object, version })
    }
  }
}
