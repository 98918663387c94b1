import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { HoldfastError } from '#base'
import { waitBeforeRetry } from '../http/retry-plan.ts'
import { seededRandom } from '#base'
import { ImpatientClock, practice } from './practice.ts'

type World = Awaited<ReturnType<typeof practice>>

describe('waiting before a repeat', () => {
  const limits = { throttledTries: 5, transientTries: 3, deadlineMs: 100_000 }
  const random = seededRandom(1)

  it('is as long as the service asks for', () => {
    const failed = { recovery: 'throttled', tries: 1, elapsedMs: 0, retryAfterMs: 31_000 } as const
    expect(waitBeforeRetry(failed, limits, random)).toBe(31_000)
  })

  it('doubles, with chance in it, when the service asks for nothing', () => {
    for (const tries of [1, 2, 3, 4]) {
      const waitMs = waitBeforeRetry({ recovery: 'throttled', tries, elapsedMs: 0 }, limits, random)
      expect(waitMs).toBeGreaterThanOrEqual(500 * 2 ** (tries - 1))
      expect(waitMs).toBeLessThanOrEqual(1000 * 2 ** (tries - 1))
    }
  })

  it('ends with the tries, at the deadline, or at once for what stays as it is', () => {
    const throttled = { recovery: 'throttled', elapsedMs: 0 } as const
    expect(waitBeforeRetry({ ...throttled, tries: 5 }, limits, random)).toBeUndefined()
    expect(waitBeforeRetry({ recovery: 'transient', tries: 3, elapsedMs: 0 }, limits, random)).toBeUndefined()
    expect(waitBeforeRetry({ recovery: 'final', tries: 1, elapsedMs: 0 }, limits, random)).toBeUndefined()
    const late = { ...throttled, tries: 1, elapsedMs: 90_000, retryAfterMs: 20_000 }
    expect(waitBeforeRetry(late, limits, random)).toBeUndefined()
  })
})

describe('a service with troubles', () => {
  let world: World
  const clock = new ImpatientClock()
  beforeAll(async () => {
    world = await practice({ users: 2, mails: 5, files: 2 }, { connectors: { clock } })
  })
  afterAll(() => world[Symbol.asyncDispose]())
  beforeEach(() => {
    world.tenant.faults.clear()
    clock.waitsMs.length = 0
  })

  const countUsers = async () => (await Array.fromAsync(world.connection.users())).length

  it('is not asked again before the time it named', async () => {
    world.tenant.faults.addRule({ path: '*/users*', kind: 'throttled', retryAfterSeconds: 17, times: 2 })
    const before = world.connection.traffic()
    expect(await countUsers()).toBe(world.people.length)
    expect(clock.waitsMs.length).toBe(2)
    for (const wait of clock.waitsMs) expect(wait).toBeGreaterThan(16_900)
    const after = world.connection.traffic()
    expect(after.throttled - before.throttled).toBe(2)
    expect(after.retried - before.retried).toBe(2)
    expect(after.waitedMs - before.waitedMs).toBeGreaterThan(33_000)
  })

  it('holds back every call of the pool while it throttles one', async () => {
    world.tenant.faults.addRule({ path: '*/users*', kind: 'throttled', retryAfterSeconds: 5 })
    const results = await Promise.all([countUsers(), countUsers(), countUsers()])
    expect(new Set(results).size).toBe(1)
    expect(clock.waitsMs.some((wait) => wait > 4900)).toBe(true)
  })

  it.each(['unavailable', 'emptyUnavailable', 'timeout', 'cut'] as const)(
    'is asked again after %s',
    async (kind) => {
      world.tenant.faults.addRule({ path: '*/users*', kind, times: 2 })
      expect(await countUsers()).toBe(world.people.length)
    },
  )

  it('is given up on after some tries, with its own words in the error', async () => {
    world.tenant.faults.addRule({ path: '*/users*', kind: 'timeout', times: 0 })
    const before = world.connection.traffic().requests
    await expect(countUsers()).rejects.toMatchObject({ code: 'unavailable', reason: 'generalException' })
    expect(world.connection.traffic().requests - before).toBe(6)
  })

  it('is not asked again for what it finally refuses', async () => {
    const before = world.connection.traffic().requests
    await expect(world.connection.user('nobody@nowhere.example')).rejects.toMatchObject({
      code: 'not-found',
      reason: 'Request_ResourceNotFound',
    })
    expect(world.connection.traffic().requests - before).toBe(1)
  })

  it('can be left in the middle of a wait', async () => {
    const stop = new AbortController()
    world.tenant.faults.addRule({ path: '*/users*', kind: 'throttled', retryAfterSeconds: 1, times: 0 })
    const reason = new HoldfastError('cancelled', 'stopped')
    const listing = Array.fromAsync(world.connection.users(stop.signal))
    setImmediate(() => stop.abort(reason))
    await expect(listing).rejects.toBe(reason)
  })

  it('is asked under a name of our own', () => {
    const agents = new Set(world.tenant.counters.recent().map(({ userAgent }) => userAgent))
    expect([...agents]).toEqual([expect.stringMatching(/^NONISV\|Holdfast\|/)])
  })
})

describe('the directory', () => {
  it('gives users, groups of all kinds and members through nesting, each once', async () => {
    await using world = await practice({ users: 30, mails: 1, files: 1 })
    const users = await Array.fromAsync(world.connection.users())
    expect(new Set(users.map(({ id }) => id)).size).toBe(world.people.length)
    expect(users.some(({ isGuest }) => isGuest) && users.some(({ isLicensed }) => !isLicensed)).toBe(true)
    const [one] = users
    expect(await world.connection.user(one!.userPrincipalName)).toMatchObject({ id: one!.id })
    const groups = await Array.fromAsync(world.connection.groups())
    expect(new Set(groups.map(({ kind }) => kind))).toEqual(
      new Set(['office365', 'security', 'mailEnabledSecurity', 'distribution']),
    )
    expect(await world.connection.group(groups[0]!.id)).toMatchObject({ displayName: groups[0]!.displayName })
    for (const group of groups) {
      const members = await Array.fromAsync(world.connection.groupMembers(group.id))
      expect(new Set(members.map(({ id }) => id)).size).toBe(members.length)
    }
  })
})
