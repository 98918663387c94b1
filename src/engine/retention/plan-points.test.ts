import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { planPoints, type Hold, type RetainedPoint, type RetentionFacts } from './plan-points.ts'
import { checkRule, cutoffOf, ruleOfSettings, ruleText, type Keep } from './retention-rule.ts'

const NOW = new Date('2026-11-24T22:00:00Z')
const DAY_MS = 86_400_000

const point = (daysAgo: number, changes: Partial<RetainedPoint> = {}): RetainedPoint => ({
  id: `p${daysAgo}`,
  organizationId: 'org',
  jobId: 'job',
  time: new Date(NOW.getTime() - daysAgo * DAY_MS),
  shards: [0],
  objectKeys: ['mail-meg'],
  isComplete: true,
  ...changes,
})

const staying = (keep: Keep, points: readonly RetainedPoint[], changes: Partial<RetentionFacts> = {}) =>
  planPoints({
    now: NOW,
    points,
    ruleOf: () => ({ rule: { type: 'SnapshotBased', keep }, from: 'repository' }),
    jobs: new Set(),
    holds: [],
    timeZone: 'UTC',
    ...changes,
  })
    .filter(({ goes }) => !goes)
    .map(({ point: { id } }) => id)

const daily = (count: number) => Array.from({ length: count }, (_, day) => point(day))

describe('what a rule keeps', () => {
  it('the last points by number', () => {
    expect(staying({ last: 2 }, daily(5))).toEqual(['p0', 'p1'])
  })

  it('points that are not older than an age, to the millisecond', () => {
    expect(staying({ age: { amount: 2, unit: 'days' } }, daily(5))).toEqual(['p0', 'p1', 'p2'])
    const justOlder = point(2, { id: 'older', time: new Date(NOW.getTime() - 2 * DAY_MS - 1) })
    expect(staying({ age: { amount: 2, unit: 'days' } }, [justOlder])).toEqual([])
  })

  it('the newest of each week, month and year that has points', () => {
    // 24 November 2026 is a Tuesday.
    expect(staying({ weekly: 3 }, daily(20))).toEqual(['p0', 'p2', 'p9'])
    expect(staying({ monthly: 3 }, daily(90))).toEqual(['p0', 'p24', 'p55'])
    expect(staying({ yearly: 2 }, [point(0), point(400), point(401), point(900)])).toEqual(['p0', 'p400'])
  })

  it('what any of its parts keeps', () => {
    expect(staying({ last: 1, weekly: 2, age: { amount: 1, unit: 'days' } }, daily(9))).toEqual([
      'p0',
      'p1',
      'p2',
    ])
  })

  it('days as they are in its time zone, also over a night of 25 hours', () => {
    const at = (id: string, time: string) => point(0, { id, time: new Date(time) })
    // In Berlin the clock goes back at 01:00 UTC on 25 October 2026: that day lasts from 22:00 to 23:00 UTC.
    const points = [
      at('monday', '2026-10-25T23:00:00Z'),
      at('night', '2026-10-25T22:59:59Z'),
      at('first', '2026-10-24T22:00:00Z'),
      at('saturday', '2026-10-24T21:59:59Z'),
    ]
    expect(staying({ daily: 3 }, points, { timeZone: 'Europe/Berlin' })).toEqual([
      'monday',
      'night',
      'saturday',
    ])
  })

  it('everything, where it says so', () => {
    expect(staying({ forever: true }, daily(3))).toHaveLength(3)
  })
})

describe('what no rule lets go', () => {
  const nothing: Keep = { age: { amount: 1, unit: 'hours' } }

  it('the newest point of a job that exists', () => {
    const points = [point(3), point(5)]
    expect(staying(nothing, points, { jobs: new Set(['job']) })).toEqual(['p3'])
    expect(staying(nothing, points)).toEqual([])
  })

  it('the newest of each shard, where the last runs were cut off', () => {
    const points = [
      point(3, { shards: [0], isComplete: false }),
      point(4, { shards: [0], isComplete: false }),
      point(5, { shards: [0, 1] }),
      point(6, { shards: [0, 1, 2] }),
    ]
    expect(staying(nothing, points, { jobs: new Set(['job']) })).toEqual(['p3', 'p5'])
  })

  it('a point with an object under hold, of the same organization', () => {
    const hold: Hold = { id: 'h', organizationId: 'org', objectKeys: ['mail-meg'] }
    const points = [point(3), point(4, { objectKeys: ['mail-bob'] }), point(5, { organizationId: 'other' })]
    expect(staying(nothing, points, { holds: [hold] })).toEqual(['p3'])
  })

  it('of a point with an object under hold that object alone, unless a rule keeps it all', () => {
    const hold: Hold = { id: 'h', organizationId: 'org', objectKeys: ['mail-meg'] }
    const objectKeys = ['mail-meg', 'mail-bob']
    const lockedUntil = new Date(NOW.getTime() + 1)
    const points = [point(1, { objectKeys }), point(3, { objectKeys }), point(4, { objectKeys, lockedUntil })]
    const plan = planPoints({
      now: NOW,
      points: [...points, point(5)],
      ruleOf: () => ({ rule: { type: 'SnapshotBased', keep: { last: 1 } }, from: 'repository' }),
      jobs: new Set(),
      holds: [hold],
      timeZone: 'UTC',
    })
    expect(plan.map(({ goes }) => goes)).toEqual([false, false, false, false])
    expect(plan.map(({ heldAlone }) => heldAlone)).toEqual([undefined, ['mail-meg'], ['mail-meg'], undefined])
    expect(plan.map(({ reasons }) => reasons.map(({ kind }) => kind))).toEqual([
      ['Count', 'Hold'],
      ['Hold', 'Expired'],
      ['Hold', 'Locked', 'Expired'],
      ['Hold'],
    ])
  })

  it('whole points where it counts, and not what is left of others', () => {
    const points = [point(0, { isReduced: true }), point(1), point(2, { isReduced: true }), point(3)]
    expect(staying({ last: 2 }, points)).toEqual(['p1', 'p3'])
    expect(staying({ weekly: 1 }, points)).toEqual(['p1'])
    expect(staying({}, points, { jobs: new Set(['job']) })).toEqual(['p1'])
    expect(staying({ age: { amount: 2, unit: 'days' } }, points)).toEqual(['p0', 'p1', 'p2'])
  })

  it('a point that the storage locks, as long as it does', () => {
    const points = [
      point(3, { lockedUntil: new Date(NOW.getTime() + 1) }),
      point(4, { lockedUntil: new Date(NOW.getTime()) }),
    ]
    expect(staying(nothing, points)).toEqual(['p3'])
  })

  it('a point of a time to come', () => {
    expect(staying(nothing, [point(-1)])).toEqual(['p-1'])
  })
})

describe('a plan', () => {
  const keeps = fc.record<Keep>(
    {
      last: fc.nat(5),
      age: fc.record({ amount: fc.integer({ min: 1, max: 40 }), unit: fc.constant('days' as const) }),
      daily: fc.nat(5),
      weekly: fc.nat(5),
      monthly: fc.nat(5),
      yearly: fc.nat(3),
    },
    { requiredKeys: [] },
  )
  const points = fc
    .uniqueArray(fc.integer({ min: 0, max: 24 * 500 }), { maxLength: 40 })
    .map((hours) => hours.map((hour) => point(hour / 24)))

  it('keeps no less when a rule keeps more', () => {
    fc.assert(
      fc.property(keeps, fc.nat(3), points, (keep, more, all) => {
        const wider = { ...keep, last: (keep.last ?? 0) + more, weekly: (keep.weekly ?? 0) + more }
        const less = staying(keep, all)
        expect(staying(wider, all)).toEqual(expect.arrayContaining(less))
      }),
    )
  })

  it('is at rest: what stays would stay if it were all there is', () => {
    fc.assert(
      fc.property(keeps, points, (keep, all) => {
        const first = staying(keep, all, { jobs: new Set(['job']) })
        const kept = all.filter(({ id }) => first.includes(id))
        expect(staying(keep, kept, { jobs: new Set(['job']) })).toEqual(first)
      }),
    )
  })

  it('lets time take away and never give back', () => {
    fc.assert(
      fc.property(keeps, points, fc.integer({ min: 0, max: 500 }), (keep, all, days) => {
        const later = staying(keep, all, { now: new Date(NOW.getTime() + days * DAY_MS) })
        expect(staying(keep, all)).toEqual(expect.arrayContaining(later))
      }),
    )
  })

  it('leaves at least one point of every job that exists, and judges every point once', () => {
    fc.assert(
      fc.property(keeps, points, (keep, all) => {
        fc.pre(all.length > 0)
        const verdicts = planPoints({
          now: NOW,
          points: all,
          ruleOf: () => ({ rule: { type: 'SnapshotBased', keep }, from: 'job' }),
          jobs: new Set(['job']),
          holds: [],
          timeZone: 'UTC',
        })
        expect(verdicts.map(({ point: { id } }) => id).sort()).toEqual(all.map(({ id }) => id).sort())
        expect(verdicts.some(({ goes }) => !goes)).toBe(true)
        for (const { reasons } of verdicts) expect(reasons.length).toBeGreaterThan(0)
      }),
    )
  })
})

describe("a repository's settings", () => {
  const settings = { retentionType: 'SnapshotBased', retentionFrequencyType: 'Daily' } as const
  it('become a rule', () => {
    const yearly = { ...settings, retentionPeriodType: 'Yearly' } as const
    expect(ruleOfSettings({ ...yearly, yearlyRetentionPeriod: 'Years3' }).keep).toEqual({
      age: { amount: 3, unit: 'years' },
    })
    expect(ruleOfSettings({ ...yearly, yearlyRetentionPeriod: 'Keep' }).keep).toEqual({ forever: true })
    expect(
      ruleText(ruleOfSettings({ ...settings, retentionPeriodType: 'Monthly', monthlyRetentionPeriod: 18 })),
    ).toBe('points of 18 months')
  })

  it('count months by the calendar and never a day early', () => {
    const back = (amount: number, from: string) =>
      cutoffOf({ amount, unit: 'months' }, new Date(from)).toISOString()
    expect(back(1, '2026-03-31T10:00:00Z')).toBe('2026-02-28T10:00:00.000Z')
    expect(back(12, '2028-02-29T10:00:00Z')).toBe('2027-02-28T10:00:00.000Z')
    expect(cutoffOf({ amount: 2, unit: 'years' }, NOW).toISOString()).toBe('2024-11-24T22:00:00.000Z')
  })
})

describe('a rule', () => {
  it.each([
    [{ type: 'ItemLevel', keep: { last: 3 } }],
    [{ type: 'ItemLevel', keep: { age: { amount: 1, unit: 'days' }, weekly: 3 } }],
    [{ type: 'SnapshotBased', keep: {} }],
    [{ type: 'SnapshotBased', keep: { last: 1 }, timeZone: 'Mars/Olympus' }],
  ] as const)('%o is refused', (rule) => {
    expect(() => checkRule(rule)).toThrow()
  })
})
