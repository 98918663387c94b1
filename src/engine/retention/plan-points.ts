import {
  ageText,
  CALENDAR,
  cutoffOf,
  itemCutoff,
  type CalendarPart,
  type RetentionRule,
} from './retention-rule.ts'

// Which restore points go and which stay, and why. The preview and the run that removes both ask here, and nowhere else.

/** What one job run left in a repository, all shards together: it goes or stays as a whole. */
export interface RetainedPoint {
  /** The id of the job session that made it. */
  readonly id: string
  readonly organizationId: string
  readonly jobId: string
  readonly time: Date
  readonly shards: readonly number[]
  readonly objectKeys: readonly string[]
  /** The run ended well: what is not in the point is not protected by the job any more. */
  readonly isComplete: boolean
  /** An earlier clean-up left of it what was held alone: it is not what a rule counts. */
  readonly isReduced?: boolean
  /** The storage refuses removal before this. */
  readonly lockedUntil?: Date
}

export interface Hold {
  readonly id: string
  readonly organizationId: string
  /** `mail-<user id>`, as in the catalogue. */
  readonly objectKeys: readonly string[]
}

export interface AppliedRule {
  readonly rule: RetentionRule
  readonly from: 'job' | 'repository'
}

export interface RetentionFacts {
  readonly now: Date
  readonly points: readonly RetainedPoint[]
  readonly ruleOf: (jobId: string) => AppliedRule
  /** Jobs that exist: what their newest run holds is still protected. */
  readonly jobs: ReadonlySet<string>
  readonly holds: readonly Hold[]
  /** Of the server. */
  readonly timeZone: string
}

export type ReasonKind =
  'Forever' | 'Count' | 'Age' | 'Calendar' | 'Newest' | 'Hold' | 'Locked' | 'Future' | 'Expired'

export interface Reason {
  readonly kind: ReasonKind
  readonly text: string
  /** Of a lock. */
  readonly until?: Date
  readonly holdId?: string
}

export interface PointVerdict {
  readonly point: RetainedPoint
  readonly goes: boolean
  /** What is under legal hold in it keeps these objects, and no rule keeps the others: it is written again without them. */
  readonly heldAlone?: readonly string[]
  /** Its rule lets items go by their own age: those older than this leave it. It goes when all it can hold is too old. */
  readonly itemCutoff?: Date
  /** Whose rule it is judged by. */
  readonly ruleFrom: AppliedRule['from']
  /** Why it stays, each reason enough by itself; or why it goes, also once the storage's lock has ended. */
  readonly reasons: readonly Reason[]
}

/** Newest first. Every point is judged. */
export const planPoints = (facts: RetentionFacts): readonly PointVerdict[] => {
  const keeping = new Map<string, Reason[]>(facts.points.map(({ id }) => [id, []]))
  const keep = (id: string, reason: Reason): void => void keeping.get(id)!.push(reason)
  for (const [jobId, points] of Map.groupBy([...facts.points].sort(newestFirst), ({ jobId }) => jobId)) {
    keepByRule(points, facts.ruleOf(jobId), facts, keep)
    if (facts.jobs.has(jobId))
      keepNewest(
        points.filter(({ isReduced }) => isReduced !== true),
        keep,
      )
  }
  keepWhatever(facts, keep)
  return [...facts.points].sort(newestFirst).map((point) => {
    const { from, rule } = facts.ruleOf(point.jobId)
    const kept = keeping.get(point.id)!
    const cutoff = itemCutoff(rule, facts.now)
    const heldAlone = heldIn(point, kept, facts.holds)
    const what = heldAlone === undefined ? 'not kept' : 'all else in it is not kept'
    const expired: Reason = { kind: 'Expired', text: `${what} by the rule of the ${from}` }
    const isLockedAlone = kept.length > 0 && kept.every(({ kind }) => kind === 'Locked')
    return {
      point,
      goes: kept.length === 0,
      ...(heldAlone === undefined ? {} : { heldAlone }),
      ...(cutoff === undefined ? {} : { itemCutoff: cutoff }),
      ruleFrom: from,
      reasons: kept.length === 0 || isLockedAlone || heldAlone !== undefined ? [...kept, expired] : kept,
    }
  })
}

/** Keys of what alone is to stay of a point that nothing but holds keeps; undefined where nothing else is in it. */
const heldIn = (
  point: RetainedPoint,
  kept: readonly Reason[],
  holds: readonly Hold[],
): readonly string[] | undefined => {
  if (!kept.some(({ kind }) => kind === 'Hold')) return undefined
  if (kept.some(({ kind }) => kind !== 'Hold' && kind !== 'Locked')) return undefined
  const held = heldKeys(point.organizationId, holds)
  return point.objectKeys.every((key) => held.has(key))
    ? undefined
    : [...new Set(point.objectKeys.filter((key) => held.has(key)))]
}

/** What of an organization is held. */
export const heldKeys = (organizationId: string, holds: readonly Hold[]): ReadonlySet<string> =>
  new Set(holds.filter((one) => one.organizationId === organizationId).flatMap((one) => one.objectKeys))

type KeepPoint = (id: string, reason: Reason) => void

const newestFirst = (a: RetainedPoint, b: RetainedPoint): number =>
  b.time.getTime() - a.time.getTime() || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)

/** `points` of one job, newest first. */
const keepByRule = (
  points: readonly RetainedPoint[],
  { rule }: AppliedRule,
  facts: RetentionFacts,
  keep: KeepPoint,
): void => {
  const { forever, last, age } = rule.keep
  const whole = points.filter(({ isReduced }) => isReduced !== true)
  if (forever === true) for (const { id } of points) keep(id, { kind: 'Forever', text: 'kept for ever' })
  if (last !== undefined)
    for (const { id } of whole.slice(0, last))
      keep(id, { kind: 'Count', text: `one of the last ${last} points` })
  if (age !== undefined) {
    const cutoff = cutoffOf(age, facts.now)
    for (const { id, time } of points)
      if (time >= cutoff) keep(id, { kind: 'Age', text: `not older than ${ageText(age)}` })
  }
  for (const part of Object.keys(CALENDAR) as CalendarPart[])
    keepByCalendar(whole, part, { rule, timeZone: facts.timeZone }, keep)
}

/** The newest point of each of the newest so many days (weeks, months, years) that have points. */
const keepByCalendar = (
  points: readonly RetainedPoint[],
  part: CalendarPart,
  { rule, timeZone }: { readonly rule: RetentionRule; readonly timeZone: string },
  keep: KeepPoint,
): void => {
  const wanted = rule.keep[part] ?? 0
  if (wanted === 0) return
  const periodOf = calendar(rule.timeZone ?? timeZone)
  const seen = new Set<string>()
  for (const { id, time } of points) {
    const period = periodOf(time, part)
    if (seen.has(period)) continue
    if (seen.size === wanted) return
    seen.add(period)
    keep(id, { kind: 'Calendar', text: `the last of a ${CALENDAR[part]}, of ${wanted} kept` })
  }
}

/** Names of the day, week, month and year that a moment is in, in a time zone. */
const calendar = (timeZone: string): ((at: Date, part: CalendarPart) => string) => {
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  })
  return (at, part) => {
    const day = format.format(at)
    if (part === 'daily') return day
    if (part === 'monthly') return day.slice(0, -3)
    if (part === 'yearly') return day.slice(0, -6)
    const monday = new Date(`${day}T00:00:00Z`)
    monday.setUTCDate(monday.getUTCDate() - ((monday.getUTCDay() + 6) % 7))
    return monday.toISOString()
  }
}

/**
 * What a job protects now is never let go: its newest point, and where that one is of a run that was cut off, also the
 * newest of each shard that the run did not come to.
 */
const keepNewest = (points: readonly RetainedPoint[], keep: KeepPoint): void => {
  const covered = new Set<number>()
  for (const { id, shards, isComplete } of points) {
    if (shards.some((shard) => !covered.has(shard)))
      keep(id, { kind: 'Newest', text: 'the newest of what the job protects' })
    for (const shard of shards) covered.add(shard)
    if (isComplete) return
  }
}

/** Holds, locks, and points of a time to come: no rule goes over them. */
const keepWhatever = ({ points, holds, now }: RetentionFacts, keep: KeepPoint): void => {
  for (const point of points) {
    for (const hold of holds.filter((one) => one.organizationId === point.organizationId)) {
      if (!hold.objectKeys.some((key) => point.objectKeys.includes(key))) continue
      keep(point.id, { kind: 'Hold', text: 'holds an object under legal hold', holdId: hold.id })
    }
    const { lockedUntil } = point
    if (lockedUntil !== undefined && lockedUntil > now) {
      const text = `immutable until ${lockedUntil.toISOString()}`
      keep(point.id, { kind: 'Locked', text, until: lockedUntil })
    }
    if (point.time > now) keep(point.id, { kind: 'Future', text: 'made after this moment' })
  }
}
