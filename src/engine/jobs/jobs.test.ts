import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { HoldfastError } from '#base'
import type { Principal } from '../access/principal.ts'
import {
  administrator,
  jobWorld,
  ORGANIZATION,
  outcome,
  REPOSITORY,
  type JobWorld,
} from '../tests/job-world.ts'
import { scriptedUser } from '../tests/scripted-tenant.ts'
import type { JobInput, JobItemInput } from './job.ts'

let world: JobWorld
beforeEach(async () => {
  world = await jobWorld()
})
afterEach(() => world[Symbol.asyncDispose]())

const alice: JobItemInput = { type: 'User', user: { id: 'user-alice', name: 'alice@contoso.example' } }
const input = (changes: JobInput = {}): JobInput => ({
  organizationId: ORGANIZATION,
  repositoryId: REPOSITORY,
  name: 'Nightly',
  backupType: 'SelectedItems',
  selectedItems: [alice],
  ...changes,
})
const add = (changes: JobInput = {}) => world.jobs.add(administrator, input(changes))
const refusal = async (work: Promise<unknown>): Promise<[string, string | undefined]> =>
  work.then(
    () => ['done', undefined],
    (error: unknown) => {
      if (!(error instanceof HoldfastError)) throw error
      return [error.code, error.property]
    },
  )
const protectedBy = async (changes: JobInput): Promise<string[]> => {
  const job = await add(changes)
  await world.jobs.start(administrator, job.id)
  await world.runner.tick()
  await world.runner.idle()
  return world.runs
    .at(-1)!
    .objects.map(({ displayName, mailbox, oneDrive }) =>
      [displayName, mailbox ? 'mail' : '', oneDrive ? 'drive' : ''].filter(Boolean).join(' '),
    )
}

describe('adding a job', () => {
  it('answers it whole, enabled and manual unless told', async () => {
    const job = await add({ description: 'd' })
    expect(job).toMatchObject({
      name: 'Nightly',
      description: 'd',
      backupType: 'SelectedItems',
      isEnabled: true,
      schedulePolicy: { type: 'ManualOnly', scheduleEnabled: false },
      eTag: 1,
    })
    for (const name of ['lastRun', 'nextRun', 'lastStatus', 'lastBackup'])
      expect(job).not.toHaveProperty(name)
    expect(await world.jobs.get(administrator, job.id)).toEqual(job)
  })

  it('runs at once when asked to', async () => {
    await add({ runNow: true })
    expect((await world.sessions.list(administrator)).totalCount).toBe(1)
  })

  it.each([
    [{ name: '' }, 'name'],
    [{ backupType: 'Everything' }, 'backupType'],
    [{ repositoryId: undefined }, 'repositoryId'],
    [{ repositoryId: '99990000-2222-4333-8444-555555555555' }, 'repositoryId'],
    [{ selectedItems: [] }, 'selectedItems'],
    [{ selectedItems: [{ type: 'Planet' }] }, 'selectedItems[0].type'],
    [{ selectedItems: [alice, { type: 'User' }] }, 'selectedItems[1].user'],
    [{ selectedItems: [{ type: 'Group', group: { id: '' } }] }, 'selectedItems[0].group.id'],
    [{ selectedItems: [{ ...alice, mailbox: false, oneDrive: false }] }, 'selectedItems[0]'],
    [{ excludedItems: [{ type: 'PartialOrganization' }] }, 'excludedItems[0].type'],
    [{ schedulePolicy: { type: 'Daily', dailyTime: 'noon' } }, 'schedulePolicy.dailyTime'],
  ] as [JobInput, string][])('refuses %o', async (changes, property) => {
    expect(await refusal(add(changes))).toEqual(['invalid', property])
    expect((await world.jobs.list(administrator)).totalCount).toBe(0)
  })

  it('says not built for what cannot be protected yet', async () => {
    const site: JobItemInput = { type: 'Site', site: { id: 's' } }
    expect(await refusal(add({ selectedItems: [site] }))).toEqual(['not-built', undefined])
    expect(await refusal(add({ excludedItems: [site] }))).toEqual(['done', undefined])
  })

  it('refuses an unknown organization and a name in use', async () => {
    expect(await refusal(add({ organizationId: REPOSITORY }))).toEqual(['not-found', undefined])
    await add()
    expect(await refusal(add({ name: 'NIGHTLY' }))).toEqual(['conflict', undefined])
  })

  it('is for administrators; a tenant reads its own', async () => {
    const tenant: Principal = { kind: 'organization', organizationId: ORGANIZATION, name: 't' }
    const stranger: Principal = { kind: 'organization', organizationId: 'other', name: 's' }
    const { id } = await add()
    expect(await refusal(world.jobs.add(tenant, input({ name: 'x' })))).toEqual(['denied', undefined])
    expect((await world.jobs.get(tenant, id)).id).toBe(id)
    expect(await refusal(world.jobs.get(stranger, id))).toEqual(['not-found', undefined])
    expect((await world.jobs.list(stranger, { organizationId: ORGANIZATION })).totalCount).toBe(0)
    for (const verb of ['start', 'stop', 'enable', 'disable', 'remove'] as const)
      expect(await refusal(world.jobs[verb](tenant, id))).toEqual(['denied', undefined])
  })
})

describe('changing a job', () => {
  it('keeps what is left out and raises the eTag', async () => {
    const before = await add({ description: 'kept', schedulePolicy: { type: 'Daily', dailyTime: '20:00' } })
    const after = await world.jobs.update(administrator, before.id, { name: 'Other' })
    expect(after).toEqual({ ...before, name: 'Other', eTag: 2 })
    expect(await world.jobs.items(administrator, before.id, 'selected')).toHaveLength(1)
  })

  it('takes a job as it was read', async () => {
    const job = await add({ schedulePolicy: { type: 'Daily', dailyTime: '20:00' } })
    const { eTag: _tag, ...same } = job
    expect(await world.jobs.update(administrator, job.id, same as JobInput)).toMatchObject(same)
  })

  it('replaces a list of items that is given', async () => {
    const { id } = await add()
    const bob: JobItemInput = { type: 'User', user: { id: 'user-bob' }, mailbox: true }
    await world.jobs.update(administrator, id, { selectedItems: [bob] })
    const items = await world.jobs.items(administrator, id, 'selected')
    expect(items).toEqual([{ id: items[0]!.id, type: 'User', user: { id: 'user-bob' }, mailbox: true }])
  })

  it('follows the schedule and the switch with the next run', async () => {
    const { id } = await add()
    const daily = await world.jobs.update(administrator, id, {
      schedulePolicy: { type: 'Daily', dailyTime: '20:00' },
    })
    expect(daily.nextRun).toEqual(new Date('2026-03-02T20:00:00Z'))
    await world.jobs.disable(administrator, id)
    expect(await world.jobs.get(administrator, id)).not.toHaveProperty('nextRun')
    await world.jobs.enable(administrator, id)
    expect((await world.jobs.get(administrator, id)).nextRun).toEqual(daily.nextRun)
    const manual = await world.jobs.update(administrator, id, { schedulePolicy: { type: 'ManualOnly' } })
    expect(manual).not.toHaveProperty('nextRun')
  })

  it('refuses another organization', async () => {
    const { id } = await add()
    const moved = world.jobs.update(administrator, id, { organizationId: REPOSITORY })
    expect(await refusal(moved)).toEqual(['invalid', 'organizationId'])
  })
})

describe('removing a job', () => {
  it('ends a run that waits, and is refused while one is worked on', async () => {
    const { id } = await add({ runNow: true })
    await world.jobs.remove(administrator, id)
    expect((await world.sessions.list(administrator)).items[0]).toMatchObject({ status: 'Stopped' })
    let finish = (): void => {}
    world.backup = () =>
      new Promise((resolve) => {
        finish = () => resolve(outcome())
      })
    const second = await add({ runNow: true })
    await world.runner.tick()
    while (world.runs.length === 0) await new Promise((resolve) => setImmediate(resolve))
    expect(await refusal(world.jobs.remove(administrator, second.id))).toEqual(['conflict', undefined])
    finish()
    await world.runner.idle()
    await world.jobs.remove(administrator, second.id)
    expect(await refusal(world.jobs.get(administrator, second.id))).toEqual(['not-found', undefined])
  })
})

describe('items', () => {
  it('are added, changed and removed one by one', async () => {
    const { id } = await add()
    const [bob] = await world.jobs.addItems(administrator, id, 'selected', [
      { type: 'User', user: { id: 'user-bob' } },
    ])
    expect(bob).toMatchObject({ mailbox: true, oneDrive: true, archiveMailbox: true })
    const changed = await world.jobs.updateItem(administrator, id, 'selected', bob!.id, { oneDrive: false })
    expect(changed).toMatchObject({ id: bob!.id, mailbox: true, oneDrive: false })
    await world.jobs.removeItems(administrator, id, 'selected', [bob!.id])
    expect(await world.jobs.items(administrator, id, 'selected')).toHaveLength(1)
    expect(await refusal(world.jobs.item(administrator, id, 'selected', bob!.id))).toEqual([
      'not-found',
      undefined,
    ])
  })

  it('are listed once for one object', async () => {
    const { id } = await add()
    const [again] = await world.jobs.addItems(administrator, id, 'selected', [{ ...alice, mailbox: true }])
    const items = await world.jobs.items(administrator, id, 'selected')
    expect(items).toEqual([again])
  })

  it('keep at least one selected, and none of an entire organization', async () => {
    const { id } = await add()
    const [only] = await world.jobs.items(administrator, id, 'selected')
    expect(await refusal(world.jobs.removeItems(administrator, id, 'selected', [only!.id]))).toEqual([
      'conflict',
      undefined,
    ])
    await world.jobs.update(administrator, id, { backupType: 'EntireOrganization' })
    expect(await world.jobs.items(administrator, id, 'selected')).toEqual([])
    expect(await refusal(world.jobs.addItems(administrator, id, 'selected', [alice]))).toEqual([
      'conflict',
      undefined,
    ])
  })

  it('take ids of two GUIDs run together', async () => {
    const guid = '0a0a0a0a-1111-4222-8333-444444444444'
    const { id } = await add({
      selectedItems: [{ type: 'User', user: { id: `${guid}00000000-0000-0000-0000-000000000000` } }],
    })
    expect((await world.jobs.items(administrator, id, 'selected'))[0]?.user?.id).toBe(guid)
  })
})

describe('what a job protects', () => {
  const group = (id: string, members: readonly string[]) => ({
    group: { id, displayName: id, kind: 'security' as const, isDynamic: false, graph: {} },
    members: members.map((name) => `user-${name}`),
  })
  beforeEach(() => {
    world.script.users = [
      scriptedUser('alice'),
      scriptedUser('bob'),
      scriptedUser('guest', { isGuest: true, mail: 'guest@elsewhere.example' }),
      scriptedUser('room', { isLicensed: false, isEnabled: false, mail: 'room@contoso.example' }),
      scriptedUser('service', { isLicensed: false }),
    ]
    world.script.groups = [group('staff', ['alice', 'bob', 'guest']), group('board', ['bob'])]
  })

  it('of an entire organization: all but guests and accounts without licence and address', async () => {
    const all = await protectedBy({ backupType: 'EntireOrganization' })
    expect(all).toEqual(['alice mail drive', 'bob mail drive', 'room mail'])
  })

  it('of a part of it: what the flags say', async () => {
    const item: JobItemInput = { type: 'PartialOrganization', oneDrive: true }
    expect(await protectedBy({ selectedItems: [item] })).toEqual(['alice drive', 'bob drive'])
  })

  it('of groups and users: each user once, with all that was chosen', async () => {
    const selectedItems: JobItemInput[] = [
      { type: 'Group', group: { id: 'staff' }, members: true, memberMailbox: true, memberOnedrive: false },
      { type: 'Group', group: { id: 'board' } },
      { type: 'User', user: { id: 'user-alice' }, oneDrive: true },
    ]
    expect(await protectedBy({ selectedItems })).toEqual(['alice mail drive', 'bob mail drive'])
  })

  it('less what is excluded, which wins', async () => {
    const selectedItems: JobItemInput[] = [{ type: 'Group', group: { id: 'staff' } }, alice]
    const excludedItems: JobItemInput[] = [
      { type: 'Group', group: { id: 'board' } },
      { type: 'User', user: { id: 'user-alice' }, oneDrive: true },
    ]
    expect(await protectedBy({ selectedItems, excludedItems })).toEqual(['alice mail'])
  })

  it('goes on without what is gone from the directory, and says so', async () => {
    const selectedItems: JobItemInput[] = [alice, { type: 'Group', group: { id: 'gone', name: 'Old staff' } }]
    expect(await protectedBy({ selectedItems })).toEqual(['alice mail drive'])
    const [session] = (await world.sessions.list(administrator)).items
    expect(session).toMatchObject({ status: 'Warning' })
    const { items } = await world.sessions.logItems(administrator, session!.id)
    expect(items.map(({ message }) => message)).toContain('Group Old staff is no longer in the directory')
  })
})
