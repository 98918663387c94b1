import { describe, expect, it } from 'vitest'
import { forecastOf, type SizeAt } from './forecast.ts'

const DAY_MS = 86_400_000
const NOW = new Date('2026-11-24T12:00:00Z')

/** Sizes of the days up to now. */
const sizes = (...usedBytes: readonly number[]): SizeAt[] =>
  usedBytes.map((bytes, index) => ({
    at: new Date(NOW.getTime() - (usedBytes.length - 1 - index) * DAY_MS),
    usedBytes: bytes,
  }))

describe('a forecast', () => {
  it('goes on as it went', () => {
    expect(forecastOf(sizes(100, 110, 120, 130, 140), 600, NOW)).toEqual({
      days: 4,
      bytesPerDay: 10,
      in30DaysBytes: 440,
      in90DaysBytes: 1040,
      fullAt: new Date(NOW.getTime() + 60 * DAY_MS),
    })
  })

  it('is not led astray by one clean-up or one large run', () => {
    const grown = sizes(100, 110, 120, 30, 40, 50, 60, 70, 80, 90)
    expect(forecastOf(grown, undefined, NOW)?.bytesPerDay).toBe(10)
    const jumped = sizes(100, 110, 120, 130, 5140, 5150, 5160, 5170, 5180, 5190, 5200)
    expect(forecastOf(jumped, undefined, NOW)?.bytesPerDay).toBeLessThan(1_000)
  })

  it('says nothing after less than three days', () => {
    expect(forecastOf([], 100, NOW)).toBeUndefined()
    expect(forecastOf(sizes(1, 2, 3), 100, NOW)).toBeUndefined()
  })

  it('is never full where nothing grows, nor where nobody knows the room', () => {
    expect(forecastOf(sizes(40, 30, 20, 10), 5, NOW)).toMatchObject({ bytesPerDay: -10, in90DaysBytes: 0 })
    expect(forecastOf(sizes(40, 30, 20, 10), 5, NOW)?.fullAt).toBeUndefined()
    expect(forecastOf(sizes(10, 20, 30, 40), undefined, NOW)?.fullAt).toBeUndefined()
    expect(forecastOf(sizes(10, 20, 30, 40), 1e15, NOW)?.fullAt).toBeUndefined()
  })

  it('heeds days that were left out, and none before the last ninety', () => {
    const old = { at: new Date(NOW.getTime() - 200 * DAY_MS), usedBytes: 1_000_000 }
    const gap = { at: new Date(NOW.getTime() - 20 * DAY_MS), usedBytes: 100 }
    expect(forecastOf([old, gap, { at: NOW, usedBytes: 300 }], undefined, NOW)).toMatchObject({
      days: 20,
      bytesPerDay: 10,
    })
  })
})
