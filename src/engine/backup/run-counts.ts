import type { ObjectRunStatus } from '../catalogue/object-state.ts'
import type { BackupOutcome, RunReport, RunTotals } from '../jobs/backup-run.ts'

/** Adds up what a run does and tells its report. */
export class RunCounts {
  readonly #report: RunReport
  readonly #worst = new Map<string, ObjectRunStatus['status']>()
  #totals: RunTotals

  constructor(report: RunReport, objectsTotal: number) {
    this.#report = report
    this.#totals = {
      objectsDone: 0,
      objectsTotal,
      processedItems: 0,
      readBytes: 0,
      writtenBytes: 0,
      sourceWaitMs: 0,
      targetWaitMs: 0,
    }
  }

  add(amounts: Partial<Omit<RunTotals, 'objectsTotal'>>): void {
    const totals: Record<string, number> = { ...this.#totals }
    for (const [name, amount] of Object.entries(amounts)) totals[name] = (totals[name] ?? 0) + amount
    this.#totals = totals as unknown as RunTotals
    this.#report.totals(this.#totals)
  }

  /** One part, mailbox or drive, of a user is done. */
  part(userId: string, status: ObjectRunStatus['status']): void {
    const before = this.#worst.get(userId)
    const order = ['success', 'skipped', 'warning', 'failed'] as const
    if (before === undefined || order.indexOf(status) > order.indexOf(before)) this.#worst.set(userId, status)
  }

  outcome(details: string | undefined): BackupOutcome {
    const count = (...statuses: ObjectRunStatus['status'][]): number =>
      [...this.#worst.values()].filter((status) => statuses.includes(status)).length
    return {
      totals: this.#totals,
      succeeded: count('success'),
      warnings: count('warning', 'skipped'),
      failed: count('failed'),
      ...(details === undefined ? {} : { details }),
    }
  }
}
