const DAY_MS = 86_400_000
/** Growth is that of the last quarter: what was before says little about the next months. */
const MOST_DAYS = 90
/** Fewer days say nothing: the first runs of an organization are all growth. */
const FEWEST_DAYS = 3

/** What was stored at a moment. */
export interface SizeAt {
  readonly at: Date
  readonly usedBytes: number
}

export interface Forecast {
  /** The days that it was worked out from, from the first to the last. */
  readonly days: number
  /** Below zero where more is given back than comes. */
  readonly bytesPerDay: number
  readonly in30DaysBytes: number
  readonly in90DaysBytes: number
  /** Undefined where it is not growing, or where nobody knows how much room there is. */
  readonly fullAt?: Date
}

/**
 * What becomes of a repository that goes on growing as it does. The growth is the median of the growth between any two
 * days (Theil and Sen), so that a large first run or a clean-up bends it little. Undefined with less than three days.
 */
export const forecastOf = (
  sizes: readonly SizeAt[],
  freeBytes: number | undefined,
  now: Date,
): Forecast | undefined => {
  const last = sizes.at(-1)
  if (last === undefined) return undefined
  const used = sizes.filter(({ at }) => last.at.getTime() - at.getTime() <= MOST_DAYS * DAY_MS)
  const days = (last.at.getTime() - used[0]!.at.getTime()) / DAY_MS
  if (days < FEWEST_DAYS) return undefined
  const bytesPerDay = medianSlope(used)
  const inDays = (count: number): number => Math.max(0, Math.round(last.usedBytes + bytesPerDay * count))
  const fullMs =
    freeBytes === undefined || bytesPerDay <= 0
      ? undefined
      : now.getTime() + (freeBytes / bytesPerDay) * DAY_MS
  return {
    days: Math.round(days),
    bytesPerDay: Math.round(bytesPerDay),
    in30DaysBytes: inDays(30),
    in90DaysBytes: inDays(90),
    ...(fullMs === undefined || fullMs > LAST_MS ? {} : { fullAt: new Date(fullMs) }),
  }
}

/** A time further away is as good as never. */
const LAST_MS = Date.UTC(2200, 0, 1)

const medianSlope = (sizes: readonly SizeAt[]): number => {
  const slopes: number[] = []
  for (const [index, from] of sizes.entries())
    for (const to of sizes.slice(index + 1)) {
      const days = (to.at.getTime() - from.at.getTime()) / DAY_MS
      if (days > 0) slopes.push((to.usedBytes - from.usedBytes) / days)
    }
  slopes.sort((a, b) => a - b)
  const middle = slopes.length >> 1
  if (slopes.length % 2 === 1) return slopes[middle]!
  return slopes.length === 0 ? 0 : (slopes[middle - 1]! + slopes[middle]!) / 2
}
