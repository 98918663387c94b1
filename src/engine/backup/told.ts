import type { RestorePoint } from '../catalogue/catalogue.ts'
import type { FailedItem, ObjectRunStatus } from '../catalogue/object-state.ts'

// What the log of a run tells a person of an object.

const MOST_TOLD = 3

/** `, 2 not read: a.txt: refused (since 2026-11-20); b.txt: broken`. Empty when nothing is missing. */
export const toldLosses = (failed: readonly FailedItem[], runStartedAt: string): string => {
  if (failed.length === 0) return ''
  const told = failed
    .slice(0, MOST_TOLD)
    .map(
      ({ name, reason, since }) =>
        `${name}: ${reason}${since < runStartedAt ? ` (since ${dayOf(since)})` : ''}`,
    )
  const more = failed.length - told.length
  return `, ${failed.length} not read: ${told.join('; ')}${more === 0 ? '' : `; and ${more} more`}`
}

export type Streak = Pick<ObjectRunStatus, 'since' | 'protectedAt'>

/** Since when an object that cannot be protected now has not been, and when it last was. `points` newest first. */
export const streakOf = (key: string, points: readonly RestorePoint[], now: Date): Streak => {
  for (const { run, time } of points) {
    const before = run.objects.find((object) => object.key === key)
    if (before === undefined) continue
    if (before.status === 'success' || before.status === 'warning')
      return { since: now.toISOString(), protectedAt: time.toISOString() }
    const { since = time.toISOString(), protectedAt } = before
    return { since, ...(protectedAt === undefined ? {} : { protectedAt }) }
  }
  return { since: now.toISOString() }
}

export const toldStreak = ({ since, protectedAt }: Streak): string => {
  if (protectedAt !== undefined) return `; protected last on ${dayOf(protectedAt)}, what was kept stays`
  return since === undefined ? '' : `; not protected since ${dayOf(since)}`
}

const dayOf = (iso: string): string => iso.slice(0, 10)
