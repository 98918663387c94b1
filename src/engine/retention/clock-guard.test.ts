import { describe, expect, it } from 'vitest'
import { nextMark, type ClockMark } from './clock-guard.ts'

const DAY_MS = 86_400_000
const START = new Date('2026-11-24T10:00:00Z')
const day = (days: number): Date => new Date(START.getTime() + days * DAY_MS)

/** Looks at the clock on each of these days. */
const looks = (...days: number[]): ClockMark =>
  days.reduce<ClockMark | undefined>((mark, at) => nextMark(mark, day(at)), undefined)!

describe('the clock', () => {
  it.each([
    ['as it goes on', [0, 1, 2, 3]],
    ['after six days off', [0, 6]],
    ['set right by half an hour', [0, -0.02]],
    ['that jumped ahead and was set back', [0, 400, 0.1]],
    ['that went back and was set right', [0, -1, -0.9, 0.1]],
  ])('is trusted %s', (_what, days) => {
    expect(looks(...days).trustedAt).toBeUndefined()
  })

  it.each([
    ['+400 days', [0, 400]],
    ['+400 days, however long it goes on', [0, 400, 401, 402, 500]],
    ['+8 days', [0, 8]],
    ['-1 day', [0, -1]],
    ['-400 days', [0, -400]],
    ['+400 days and not quite back', [0, 400, 30]],
  ])('is in doubt after %s', (_what, days) => {
    expect(looks(...days).trustedAt).toEqual(day(0))
  })

  it('is not led away by small steps back', () => {
    let mark: ClockMark | undefined
    for (let step = 0; step < 30; step += 1)
      mark = nextMark(mark, new Date(START.getTime() - step * 1_800_000))
    expect(mark?.trustedAt).toEqual(START)
  })
})
