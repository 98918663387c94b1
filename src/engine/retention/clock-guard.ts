import type { Clock } from '#base'
import { clockMarkRows, type ClockMarkRow, type Database } from '#database'

const HOUR_MS = 3_600_000
const DAYS = 24 * HOUR_MS
/** A clock that is set right by less does no harm: the shortest rule of practice counts days. */
const BACK_MS = HOUR_MS
/** A server that was off for longer is asked about, too: nobody can tell one from the other. */
const FORWARD_MS = 7 * DAYS
const MARK = 'server'

export type ClockMark = Omit<ClockMarkRow, 'id'>

/** What the clock shows now, against what it showed before: in doubt as long as it does not go on from there. */
export const nextMark = (mark: ClockMark | undefined, now: Date): ClockMark => {
  if (mark === undefined) return { seenAt: now }
  const trusted = mark.trustedAt ?? mark.seenAt
  const ahead = now.getTime() - trusted.getTime()
  if (ahead < -BACK_MS || ahead > FORWARD_MS) return { seenAt: now, trustedAt: trusted }
  // Many small steps back must not add up to a large one.
  return { seenAt: ahead < 0 ? trusted : now }
}

const doubtText = ({ seenAt, trustedAt }: ClockMark): string | undefined => {
  if (trustedAt === undefined) return undefined
  const went = seenAt < trustedAt ? 'went back' : 'jumped ahead'
  return `the clock ${went} from ${trustedAt.toISOString()} to ${seenAt.toISOString()}, or the server was off for long`
}

/**
 * Remembers what the clock showed, so that a clock that jumped lets nothing go before its time. A doubt stays, over
 * restarts too, until the clock goes on from where it was or a person confirms it.
 */
export class ClockGuard {
  readonly #database: Database
  readonly #clock: Clock

  constructor(parts: { readonly database: Database; readonly clock: Clock }) {
    this.#database = parts.database
    this.#clock = parts.clock
  }

  /** Looks at the clock. Call it every minute or so. Returns why the clock is not to be trusted, if so. */
  async look(): Promise<string | undefined> {
    return this.#database.transaction(async (queries) => {
      const mark = nextMark(await clockMarkRows.find(queries, MARK), this.#clock.now())
      await clockMarkRows.put(queries, { id: MARK, ...mark })
      return doubtText(mark)
    })
  }

  /** A person has looked at the clock and says that it is right. */
  async confirm(): Promise<void> {
    await clockMarkRows.put(this.#database.queries, { id: MARK, seenAt: this.#clock.now() })
  }
}

/** A restore point of a time to come says that the clock is behind. */
export const doubtByPoints = (points: readonly { readonly time: Date }[], now: Date): string | undefined => {
  const newest = Math.max(0, ...points.map(({ time }) => time.getTime()))
  if (newest <= now.getTime() + BACK_MS) return undefined
  return `the clock shows ${now.toISOString()}, and there is a restore point of ${new Date(newest).toISOString()}`
}
