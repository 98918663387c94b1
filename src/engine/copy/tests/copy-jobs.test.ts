import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { administrator, REPOSITORY, DAY_MS } from '../../retention/tests/retention-world.ts'
import { clock as backupClock } from '../../backup/tests/backup-world.ts'
import { CopyWorld, TARGET } from './copy-world.ts'

let world: CopyWorld
let mails: number

beforeEach(async () => {
  world = await CopyWorld.start()
  mails = 0
  world.source.backup.mailbox('meg').folder('in', 'Inbox')
})
afterEach(async () => {
  await world[Symbol.asyncDispose]()
})

const backUp = async (): Promise<string> => {
  backupClock.advance(60_000)
  world.source.backup.mailboxes.get('meg')!.put(`m${(mails += 1)}`, 'in')
  return world.source.run()
}
const statuses = async (id: string): Promise<string[]> =>
  (await world.runs(id)).map(({ status }) => status).reverse()

describe('a copy that follows its backup', () => {
  it('is made once for each backup, of what is new', async () => {
    const id = await world.add()
    await world.look()
    expect(await statuses(id)).toEqual([])
    const first = await backUp()
    await world.look()
    await world.look()
    expect(await statuses(id)).toEqual(['Success'])
    const second = await backUp()
    await world.look()
    expect(await statuses(id)).toEqual(['Success', 'Success'])
    expect((await world.copied()).sort()).toEqual([`run:${first}`, `run:${second}`].sort())
  })

  it('goes on in the same session where it was cut off', async () => {
    for (let run = 0; run < 17; run += 1) await backUp()
    const id = await world.add()
    let batches = 0
    let ending: Promise<void> | undefined
    world.beforeCopy = () => {
      batches += 1
      if (batches === 2) ending = world.runner[Symbol.asyncDispose]()
    }
    await world.look()
    await ending
    expect(await statuses(id)).toEqual(['Running'])
    expect((await world.copied()).length).toBe(16)
    world.restart()
    await world.source.tasks.takeOver()
    await world.look()
    expect(await statuses(id)).toEqual(['Success'])
    expect((await world.copied()).length).toBe(17)
    expect(batches).toBe(3)
  })

  it('does not bring back what was removed from the target, unless all of it is gone', async () => {
    const id = await world.add()
    const first = await backUp()
    const second = await backUp()
    await world.look()
    const snapshots = await world.target.snapshots()
    const { id: gone } = snapshots.find(({ tags }) => tags.includes(`run:${first}`))!
    await world.target.forget([gone])
    await world.jobs.start(administrator, id)
    await world.look()
    expect(await world.copied()).toEqual([`run:${second}`])
    await world.target.forget((await world.target.snapshots()).map((snapshot) => snapshot.id))
    await world.jobs.start(administrator, id)
    await world.look()
    expect((await world.copied()).length).toBe(2)
  })

  it('tells what is damaged in the source, and copies it once it is whole again', async () => {
    const first = await backUp()
    const before = new Set(await world.packs())
    const second = await backUp()
    const broken = (await world.packs()).filter((path) => !before.has(path))
    const mend = await world.damage(broken)
    const id = await world.add()
    await world.look()
    expect(await statuses(id)).toEqual(['Warning'])
    expect(await world.copied()).toEqual([`run:${first}`])
    expect((await world.row(id)).marks).toEqual({})
    await mend()
    backupClock.advance(60_000)
    world.source.clock.set(backupClock.now().toISOString())
    await world.jobs.start(administrator, id)
    await world.look()
    expect(await statuses(id)).toEqual(['Warning', 'Success'])
    expect((await world.copied()).sort()).toEqual([`run:${first}`, `run:${second}`].sort())
  })

  it('copies nothing that the rule of the target would remove', async () => {
    await backUp()
    await world.source.days(5)
    const young = await backUp()
    const id = await world.add()
    await world.look()
    expect(await statuses(id)).toEqual(['Success'])
    expect(await world.copied()).toEqual([`run:${young}`])
  })

  it('waits for its window', async () => {
    await backUp()
    const hour = backupClock.now().getUTCDay() * 24 + backupClock.now().getUTCHours()
    const backupWindow = Array.from({ length: 168 }, (_, at) => at === (hour + 24) % 168)
    const window = { backupCopyWindowEnabled: true, backupCopyWindowSettings: { backupWindow } }
    const id = await world.add({ schedulePolicy: { type: 'Immediate', ...window } })
    await world.look()
    expect(await statuses(id)).toEqual([])
    backupClock.advance(DAY_MS)
    await world.look()
    expect(await statuses(id)).toEqual(['Success'])
  })
})

it('starts at the time of day, and not before', async () => {
  await backUp()
  const id = await world.add({ schedulePolicy: { type: 'DailyAtTime', dailyTime: '04:00:00' } })
  await world.look()
  expect(await statuses(id)).toEqual([])
  const { nextRun } = await world.jobs.get(administrator, id)
  backupClock.advance(nextRun!.getTime() - backupClock.nowMs())
  await world.look()
  expect(await statuses(id)).toEqual(['Success'])
  expect((await world.jobs.get(administrator, id)).nextRun!.getTime()).toBe(nextRun!.getTime() + DAY_MS)
})

it('stops where a person says so, and keeps what was copied', async () => {
  for (let run = 0; run < 17; run += 1) await backUp()
  const id = await world.add()
  let batches = 0
  world.beforeCopy = async () => {
    batches += 1
    if (batches === 2) await world.jobs.stop(administrator, id)
  }
  await world.look()
  expect(await statuses(id)).toEqual(['Stopped'])
  expect((await world.copied()).length).toBe(16)
})

it('fails with the reason, and tries again, where the target has another number of shards', async () => {
  await backUp()
  world.targetShards = 4
  const id = await world.add()
  await world.look()
  const [run] = await world.runs(id)
  expect(run).toMatchObject({ status: 'Failed', jobWillBeRetried: true })
  expect(run!.details).toMatch(/4 shards and the source in 1/)
  await expect(world.jobs.update(administrator, id, { repositoryId: REPOSITORY })).rejects.toMatchObject({
    code: 'invalid',
  })
  world.targetShards = 1
  backupClock.advance(600_000)
  await world.look()
  expect(await statuses(id)).toEqual(['Failed', 'Success'])
  expect((await world.row(id)).repositoryId).toBe(TARGET)
})
