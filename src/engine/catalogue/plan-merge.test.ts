import { describe, expect, it } from 'vitest'
import { planMerge } from './plan-merge.ts'
import type { SegmentRef } from './object-state.ts'

const segment = (rows: number): SegmentRef => ({ name: 'x', format: 2, rows, sizeBytes: 0, content: [] })

/** Days on each of which some rows come in; the rows that are written on each. */
const written = (
  base: number,
  perDay: number,
  days: number,
): { most: number; all: number; segments: number } => {
  let segments = [segment(base)]
  let [most, all] = [0, 0]
  for (let day = 0; day < days; day += 1) {
    segments.push(segment(perDay))
    const first = planMerge({ segments, superseded: 0 })
    let rows = perDay
    if (first !== undefined) {
      const merged = segments.slice(first).reduce((sum, each) => sum + each.rows, 0)
      segments = [...segments.slice(0, first), segment(merged)]
      rows += merged
    }
    most = Math.max(most, rows)
    all += rows
  }
  return { most, all, segments: segments.length }
}

describe('the merge of segments', () => {
  it('never writes a large base for a few new rows', () => {
    const { most, segments } = written(200_000, 1, 1000)
    expect(most).toBeLessThan(1000)
    expect(segments).toBeLessThan(30)
  })

  it('writes each row a few times over years', () => {
    const { all, segments } = written(200_000, 50, 3650)
    expect(all / (50 * 3650)).toBeLessThan(4)
    expect(segments).toBeLessThan(60)
  })

  it('writes all anew when half of it is over, and not before', () => {
    expect(planMerge({ segments: [segment(10_000)], superseded: 4_000 })).toBeUndefined()
    expect(planMerge({ segments: [segment(10_000)], superseded: 6_000 })).toBe(0)
    expect(planMerge({ segments: [segment(100)], superseded: 90 })).toBeUndefined()
  })
})
