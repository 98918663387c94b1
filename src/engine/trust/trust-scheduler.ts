import { isHoldfastError } from '#base'
import { repositoryRows, trustScheduleRows, type RepositoryRow, type TrustScheduleRow } from '#database'
import { systemPrincipal } from '../access/principal.ts'
import type { TaskQueue } from '../tasks/task-queue.ts'
import { keepImmutable } from './keep-immutable.ts'
import { settingsOf } from './trust.ts'
import { requestTrustRun, type TrustRequest, type TrustRunKind } from './trust-run.ts'
import type { TrustParts } from './trust-work.ts'

const POLL_MS = 60_000
const DAY_MS = 86_400_000
/** A quarter of the shortest window. */
const UPKEEP_MS = DAY_MS / 4
/** After one that failed: long before any date can run out. */
const UPKEEP_AGAIN_MS = 5 * POLL_MS

/**
 * Queues verifications and restore tests when they are due, and moves the dates of immutable files on. Days missed while the
 * server was off are made up for once.
 */
export class TrustScheduler implements AsyncDisposable {
  readonly #parts: TrustParts & { readonly tasks: TaskQueue }
  readonly #closing = new AbortController()
  readonly #upkeep = new Map<string, { readonly atMs: number; readonly restMs: number }>()
  #loop: Promise<void> | undefined

  constructor(parts: TrustParts & { readonly tasks: TaskQueue }) {
    this.#parts = parts
  }

  start(): void {
    this.#loop ??= this.#poll()
  }

  /** Queues what is due. */
  async tick(): Promise<void> {
    const { database, log } = this.#parts
    const { items } = await repositoryRows.list(database.queries)
    for (const repository of items) {
      await this.#schedule(repository)
      await this.#keep(repository).catch((error: unknown) => {
        if (!this.#closing.signal.aborted)
          log.error({ err: error, repositoryId: repository.id }, 'dates of immutable files not moved')
      })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    await this.#loop
  }

  async #poll(): Promise<void> {
    const { clock, log } = this.#parts
    while (!this.#closing.signal.aborted) {
      await this.tick().catch((error: unknown) => log.error({ err: error }, 'trust schedules not looked at'))
      await clock.sleep(POLL_MS, this.#closing.signal).catch(() => undefined)
    }
  }

  async #schedule({ id }: RepositoryRow): Promise<void> {
    const { database, clock } = this.#parts
    const known = await trustScheduleRows.find(database.queries, id)
    const row: TrustScheduleRow = known ?? { repositoryId: id, settings: {}, nextShare: 0 }
    const settings = settingsOf(row)
    const now = clock.nowMs()
    const testMs = settings.restoreTestDays * DAY_MS
    const verification = dueOf(row.nextVerification, settings.verifyDaily, now, DAY_MS)
    const test = dueOf(row.nextRestoreTest, settings.restoreTests, now, testMs)
    if (verification.isDue) await this.#request('Verification', id, { data: 'share' })
    if (test.isDue) {
      const seed = Math.floor(this.#parts.random.fraction() * 2 ** 32)
      await this.#request('RestoreTest', id, { seed, itemsPerObject: settings.restoreTestItems })
    }
    const isSame =
      verification.next?.getTime() === row.nextVerification?.getTime() &&
      test.next?.getTime() === row.nextRestoreTest?.getTime()
    if (isSame) return
    const { nextVerification: _, nextRestoreTest: __, ...rest } = row
    await trustScheduleRows.put(database.queries, {
      ...rest,
      ...(verification.next === undefined ? {} : { nextVerification: verification.next }),
      ...(test.next === undefined ? {} : { nextRestoreTest: test.next }),
    })
  }

  async #request(kind: TrustRunKind, repositoryId: string, request: TrustRequest): Promise<void> {
    const { database, log } = this.#parts
    const wanted = { kind, repositoryId, initiatedBy: systemPrincipal.name, request }
    await database
      .transaction((queries) => requestTrustRun(this.#parts, queries, wanted))
      .catch((error: unknown) => {
        if (!isHoldfastError(error, 'conflict')) throw error
        log.info({ repositoryId, kind }, 'left out: one is under way')
      })
  }

  async #keep({ id }: RepositoryRow): Promise<void> {
    const atMs = this.#parts.clock.nowMs()
    const last = this.#upkeep.get(id)
    if (last !== undefined && Math.abs(atMs - last.atMs) < last.restMs) return
    this.#upkeep.set(id, { atMs, restMs: UPKEEP_AGAIN_MS })
    await keepImmutable(this.#parts, id, this.#closing.signal)
    this.#upkeep.set(id, { atMs, restMs: UPKEEP_MS })
  }
}

/** A time further ahead than one period comes from a clock that was wrong. */
const dueOf = (planned: Date | undefined, isOn: boolean, nowMs: number, periodMs: number) => {
  if (!isOn) return { isDue: false, next: undefined }
  const isSound = planned !== undefined && planned.getTime() <= nowMs + periodMs
  if (isSound && planned.getTime() > nowMs) return { isDue: false, next: planned }
  return { isDue: isSound, next: new Date(nowMs + periodMs) }
}
