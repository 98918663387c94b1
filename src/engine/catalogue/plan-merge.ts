import type { SegmentRef } from './object-state.ts'

/** Below so many rows that no longer hold, writing everything anew is not worth it. */
const FEW_ROWS = 1000
/** Segments of one size before they become one of the next. */
const MOST_OF_A_SIZE = 8
/** Segments of at most so many rows are put together; what is larger stays as it is. */
const SIZES = [64, 512, 4096] as const

export interface SegmentsOf {
  readonly segments: readonly SegmentRef[]
  /** Rows in them that no longer hold. */
  readonly superseded: number
}

/**
 * The number of the first segment that is to be put together with all that follow it; 0 for writing all rows anew; undefined
 * when nothing has to be done. Each row is written again at most once for each size, so one new item never costs more than a few
 * small segments, and a large mailbox is written anew only when half of what is stored of it no longer holds.
 */
export const planMerge = ({ segments, superseded }: SegmentsOf): number | undefined => {
  const rows = segments.reduce((sum, segment) => sum + segment.rows, 0)
  if (superseded > Math.max(FEW_ROWS, rows / 2)) return 0
  let start: number | undefined
  let below = 0
  for (const size of SIZES) {
    const first = segments.findLastIndex((segment) => segment.rows > size) + 1
    const ofSize = segments.slice(first).filter((segment) => segment.rows > below)
    if (ofSize.length > MOST_OF_A_SIZE) start = first
    below = size
  }
  return start
}
