import type { Clock, Random } from '#base'
import { logRows, type Database } from '#database'
import type { LogItemType } from '../sessions/job-session.ts'

export interface RunLogParts {
  readonly database: Database
  readonly clock: Clock
  readonly random: Random
}

/** The lines that a retention run writes for people, kept like those of a job session. */
export class RunLog {
  readonly #parts: RunLogParts
  readonly #runId: string

  constructor(parts: RunLogParts, runId: string) {
    this.#parts = parts
    this.#runId = runId
  }

  async note(type: Exclude<LogItemType, 'Running'>, message: string): Promise<void> {
    const { database, clock, random } = this.#parts
    const at = clock.now()
    const row = {
      id: random.uuid(),
      sessionId: this.#runId,
      type,
      message,
      creationTime: at,
      endTime: at,
    }
    await logRows.insert(database.queries, row)
  }
}
