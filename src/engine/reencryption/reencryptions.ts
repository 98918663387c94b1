import { notFound, type Clock, type Random } from '#base'
import { reencryptionRows, repositoryRows, type Database, type Page, type PageRequest } from '#database'
import type { Audit } from '../access/audit.ts'
import { requireAdministrator, type Principal } from '../access/principal.ts'
import type { TaskQueue } from '../tasks/task-queue.ts'
import {
  presentReencryption,
  REENCRYPTION,
  requestReencryption,
  type Reencryption,
  type ReencryptionRequest,
} from './reencryption-run.ts'

export interface ReencryptionsParts {
  readonly database: Database
  readonly tasks: TaskQueue
  readonly audit: Audit
  readonly clock: Clock
  readonly random: Random
  /** Where runs are done. */
  readonly runner: { wake(): void; stop(runId: string): void }
}

/** New master keys for all that a repository holds, asked for by a person. For administrators alone. */
export class Reencryptions {
  readonly #parts: ReencryptionsParts

  constructor(parts: ReencryptionsParts) {
    this.#parts = parts
  }

  /** Queues a run. `conflict` while one runs or waits for the repository. */
  async start(
    principal: Principal,
    repositoryId: string,
    request: ReencryptionRequest = {},
  ): Promise<Reencryption> {
    requireAdministrator(principal)
    const { audit, database, runner } = this.#parts
    return audit.around(principal, 'repositories.reencrypt', repositoryId, async () => {
      await this.#checkKnown(repositoryId)
      const wanted = { repositoryId, initiatedBy: principal.name, request }
      const row = await database.transaction((queries) => requestReencryption(this.#parts, queries, wanted))
      runner.wake()
      return presentReencryption(row)
    })
  }

  /** Asks a run to stop. What it has copied serves the next one. */
  async stop(principal: Principal, id: string): Promise<void> {
    const { repositoryId } = await this.run(principal, id)
    const { audit, tasks, runner } = this.#parts
    await audit.around(principal, 'repositories.stopReencryption', id, async () => {
      if (!(await tasks.requestStop(REENCRYPTION, repositoryId))) throw notFound('the run has ended')
      runner.stop(id)
    })
  }

  /** Newest first. */
  async runs(
    principal: Principal,
    repositoryId: string,
    page: PageRequest = {},
  ): Promise<Page<Reencryption>> {
    requireAdministrator(principal)
    await this.#checkKnown(repositoryId)
    const { items, totalCount } = await reencryptionRows.list(this.#parts.database.queries, {
      ...page,
      repositoryId,
    })
    return { items: items.map(presentReencryption), totalCount }
  }

  async run(principal: Principal, id: string): Promise<Reencryption> {
    requireAdministrator(principal)
    const row = await reencryptionRows.find(this.#parts.database.queries, id)
    if (row === undefined) throw notFound('the run is not known')
    return presentReencryption(row)
  }

  async #checkKnown(id: string): Promise<void> {
    if ((await repositoryRows.find(this.#parts.database.queries, id)) === undefined)
      throw notFound('the backup repository is not known')
  }
}
