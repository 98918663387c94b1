import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FixedClock, HoldfastError, Secret, seededRandom } from '#base'
import { openDatabase, organizationRows, userRows, type Database } from '#database'
import { rootKeyFrom } from '../secrets/root-key.ts'
import { Secrets } from '../secrets/secrets.ts'
import { Access } from './access.ts'
import { Audit } from './audit.ts'
import { hashPassword, passwordFits } from './password-hash.ts'
import { systemPrincipal } from './principal.ts'

const rootKey = rootKeyFrom(new Secret(Buffer.alloc(32, 7).toString('base64')))
const wrong = new Secret('wrong password')

let clock: FixedClock
let database: Database
let secrets: Secrets
let audit: Audit
let access: Access

beforeEach(async () => {
  clock = new FixedClock('2026-03-01T10:00:00Z')
  database = await openDatabase(':memory:', clock)
  secrets = new Secrets({ rootKey, clock })
  audit = new Audit({ database, clock, rootKey })
  access = new Access({ database, secrets, audit, clock, random: seededRandom(1) })
})
afterEach(() => database[Symbol.asyncDispose]())

const administrator = async () => (await access.makeFirstAdministrator())!
const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: unknown) => (error instanceof HoldfastError ? error.code : String(error)),
  )

const addTenant = async (id: string, account: string, password: string): Promise<void> => {
  await organizationRows.insert(database.queries, {
    id,
    type: 'Office365',
    region: 'Worldwide',
    name: 'contoso.example',
    officeName: 'contoso.onmicrosoft.com',
    tenantId: id,
    isExchangeOnline: true,
    isSharePointOnline: false,
    verification: {},
    createdAt: clock.now(),
    updatedAt: clock.now(),
  })
  await organizationRows.replaceAccounts(database.queries, id, [
    { organizationId: id, part: 'exchangeOnlineSettings', accountKey: account },
  ])
  const place = { table: 'organizations', row: id, field: 'exchangeOnlineSettings.password' }
  await secrets.put(database.queries, place, new Secret(password))
}

describe('a password hash', () => {
  it('is an Argon2id PHC string with its own salt', async () => {
    const random = seededRandom(5)
    const [one, two] = [
      await hashPassword(new Secret('same'), random),
      await hashPassword(new Secret('same'), random),
    ]
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
    expect(one).not.toBe(two)
    expect(await passwordFits(new Secret('same'), one)).toBe(true)
    expect(await passwordFits(new Secret('other'), one)).toBe(false)
  })
})

describe('the first administrator', () => {
  it('gets a random password that is nowhere in the database, once', async () => {
    const { name, password } = await administrator()
    expect(name).toBe('administrator')
    expect(password.reveal()).toMatch(/^[\w-]{24}$/)
    const user = await userRows.findByName(database.queries, 'administrator')
    expect(JSON.stringify(user)).not.toContain(password.reveal())
    expect(await access.makeFirstAdministrator()).toBeUndefined()
  })

  it('logs in, whatever the letter case of the name', async () => {
    const { password } = await administrator()
    const tokens = await access.passwordGrant('  Administrator ', password)
    expect(tokens.expiresInSeconds).toBe(3600)
    const principal = await access.authenticate(tokens.accessToken, { address: '127.0.0.1' })
    expect(principal).toMatchObject({
      kind: 'administrator',
      name: 'administrator',
      address: '127.0.0.1',
    })
  })
})

describe('a log-in', () => {
  it('is refused in the same words for a wrong password and an unknown name', async () => {
    await administrator()
    const errors = await Promise.all(
      ['administrator', 'nobody'].map((name) => access.passwordGrant(name, wrong).catch((e: unknown) => e)),
    )
    expect(errors[0]).toEqual(errors[1])
    expect(errors[0]).toMatchObject({ code: 'unauthenticated' })
  })

  it.each(['administrator', 'nobody'])(
    'waits 60 s after five failures, then twice as long, at most 15 min: %s',
    async (name) => {
      await administrator()
      for (let failure = 0; failure < 5; failure += 1)
        expect(await codeOf(access.passwordGrant(name, wrong))).toBe('unauthenticated')
      const waits: number[] = []
      for (let round = 0; round < 6; round += 1) {
        const error = (await access.passwordGrant(name, wrong).catch((e: unknown) => e)) as HoldfastError
        expect(error.code).toBe('throttled')
        waits.push(error.retryAfterMs! / 1000)
        clock.advance(error.retryAfterMs!)
        expect(await codeOf(access.passwordGrant(name, wrong))).toBe('unauthenticated')
      }
      expect(waits).toEqual([60, 120, 240, 480, 900, 900])
    },
  )

  it('with the right password is refused while locked out, and clears the failures after', async () => {
    const { password } = await administrator()
    for (let failure = 0; failure < 5; failure += 1)
      await codeOf(access.passwordGrant('administrator', wrong))
    expect(await codeOf(access.passwordGrant('administrator', password))).toBe('throttled')
    clock.advance(60_000)
    expect(await codeOf(access.passwordGrant('administrator', password))).toBe('done')
    expect(await codeOf(access.passwordGrant('administrator', wrong))).toBe('unauthenticated')
    expect(await codeOf(access.passwordGrant('administrator', password))).toBe('done')
  })

  it('tried many times at once gets no more than five guesses', async () => {
    await administrator()
    const codes = await Promise.all(
      Array.from({ length: 12 }, () => codeOf(access.passwordGrant('administrator', wrong))),
    )
    expect(codes.filter((code) => code === 'unauthenticated')).toHaveLength(5)
    expect(codes.filter((code) => code === 'throttled')).toHaveLength(7)
  })

  it('of a disabled user is refused and its tokens stop', async () => {
    const { password } = await administrator()
    const tokens = await access.passwordGrant('administrator', password)
    await database.queries.updateTable('users').set({ isEnabled: 0 }).execute()
    expect(await codeOf(access.passwordGrant('administrator', password))).toBe('unauthenticated')
    expect(await codeOf(access.authenticate(tokens.accessToken))).toBe('unauthenticated')
  })
})

describe('tokens', () => {
  it('end after an hour, to the millisecond', async () => {
    const { password } = await administrator()
    const { accessToken } = await access.passwordGrant('administrator', password)
    clock.advance(3_600_000 - 1)
    expect(await codeOf(access.authenticate(accessToken))).toBe('done')
    clock.advance(1)
    expect(await codeOf(access.authenticate(accessToken))).toBe('unauthenticated')
  })

  it('are not kept in the clear', async () => {
    const { password } = await administrator()
    const { accessToken, refreshToken } = await access.passwordGrant('administrator', password)
    const stored = JSON.stringify(await database.queries.selectFrom('tokens').selectAll().execute())
    expect(stored).not.toContain(accessToken.reveal())
    expect(stored).not.toContain(refreshToken.reveal())
  })

  it('are swapped for new ones, once: the second use ends the whole log-in', async () => {
    const { password } = await administrator()
    const first = await access.passwordGrant('administrator', password)
    const other = await access.passwordGrant('administrator', password)
    const second = await access.refreshGrant(first.refreshToken)
    expect(await codeOf(access.authenticate(second.accessToken))).toBe('done')
    expect(await codeOf(access.refreshGrant(first.refreshToken))).toBe('unauthenticated')
    expect(await codeOf(access.authenticate(second.accessToken))).toBe('unauthenticated')
    expect(await codeOf(access.refreshGrant(second.refreshToken))).toBe('unauthenticated')
    expect(await codeOf(access.authenticate(other.accessToken))).toBe('done')
  })

  it('are for one thing each: access tokens do not refresh, refresh tokens do not open', async () => {
    const { password } = await administrator()
    const tokens = await access.passwordGrant('administrator', password)
    expect(await codeOf(access.refreshGrant(tokens.accessToken))).toBe('unauthenticated')
    expect(await codeOf(access.authenticate(tokens.refreshToken))).toBe('unauthenticated')
    expect(await codeOf(access.authenticate(new Secret('')))).toBe('unauthenticated')
  })

  it('stop at once at a log-out and at a change of password', async () => {
    const { password } = await administrator()
    const one = await access.passwordGrant('administrator', password)
    const two = await access.passwordGrant('administrator', password)
    await access.logout(one.accessToken)
    expect(await codeOf(access.authenticate(one.accessToken))).toBe('unauthenticated')
    expect(await codeOf(access.refreshGrant(one.refreshToken))).toBe('unauthenticated')
    const principal = await access.authenticate(two.accessToken)
    const next = new Secret('a new long password')
    expect(await codeOf(access.changePassword(principal, { current: wrong, next }))).toBe('denied')
    expect(
      await codeOf(access.changePassword(principal, { current: password, next: new Secret('short') })),
    ).toBe('invalid')
    await access.changePassword(principal, { current: password, next })
    expect(await codeOf(access.authenticate(two.accessToken))).toBe('unauthenticated')
    expect(await codeOf(access.passwordGrant('administrator', password))).toBe('unauthenticated')
    expect(await codeOf(access.passwordGrant('administrator', next))).toBe('done')
  })
})

describe('a tenant', () => {
  it('logs in with the account its organization was added with and is that organization alone', async () => {
    await addTenant('o1', 'admin@contoso.example', 'app-password')
    await addTenant('o2', 'admin@fabrikam.example', 'other-password')
    const tokens = await access.passwordGrant('Admin@Contoso.example', new Secret('app-password'))
    expect(await access.authenticate(tokens.accessToken)).toMatchObject({
      kind: 'organization',
      organizationId: 'o1',
    })
    expect(await codeOf(access.passwordGrant('admin@contoso.example', new Secret('other-password')))).toBe(
      'unauthenticated',
    )
  })

  it('is out when its organization is removed', async () => {
    await addTenant('o1', 'admin@contoso.example', 'app-password')
    const tokens = await access.passwordGrant('admin@contoso.example', new Secret('app-password'))
    await organizationRows.remove(database.queries, 'o1')
    expect(await codeOf(access.authenticate(tokens.accessToken))).toBe('unauthenticated')
  })
})

describe('the audit', () => {
  it('tells who logged in and who was refused', async () => {
    const { password } = await administrator()
    await access.passwordGrant('administrator', password, { address: '192.0.2.7' })
    await codeOf(access.passwordGrant('mallory', wrong))
    const { items } = await audit.list(systemPrincipal)
    expect(items.map(({ actor, result, address }) => [actor, result, address])).toEqual([
      ['administrator', 'done', '192.0.2.7'],
      ['mallory', 'unauthenticated', undefined],
    ])
  })

  it('shows a row that was changed, removed or put elsewhere', async () => {
    for (const object of ['a', 'b', 'c'])
      await audit.record({ actor: systemPrincipal, action: 'x', object, result: 'done' })
    expect(await audit.firstBroken()).toBeUndefined()
    const swap = (from: number, to: number) =>
      database.queries.updateTable('audit').set({ sequence: to }).where('sequence', '=', from).execute()
    await swap(1, 9)
    expect(await audit.firstBroken()).toBe(1)
    await swap(9, 1)
    await database.queries.updateTable('audit').set({ object: 'z' }).where('sequence', '=', 2).execute()
    expect(await audit.firstBroken()).toBe(2)
    await database.queries.updateTable('audit').set({ object: 'b' }).where('sequence', '=', 2).execute()
    expect(await audit.firstBroken()).toBeUndefined()
    await database.queries.deleteFrom('audit').where('sequence', '=', 2).execute()
    expect(await audit.firstBroken()).toBe(2)
  })
})
