import { describe, expect, it } from 'vitest'
import { unavailable } from '#base'
import type { Storage } from '#storage'
import { PointView } from '../explore/point-view.ts'
import { clock, keepWorkers } from './tests/backup-world.ts'
import { ShardedWorld } from './tests/sharded-world.ts'

const USERS = Array.from({ length: 12 }, (_, n) => `user${n}`)

const seeded = async (count: number): Promise<ShardedWorld> => {
  const world = await ShardedWorld.of(count)
  for (const id of USERS) world.mailbox(id).folder('in', 'Inbox').put(`${id}-a`, 'in').put(`${id}-b`, 'in')
  return world
}

/** Refuses to write snapshots, as if the process had been killed before. */
const withoutSnapshots = (storage: Storage): Storage => ({
  ...storage,
  name: storage.name,
  write: (path, parts, signal) =>
    path.startsWith('snapshots/')
      ? Promise.reject(unavailable('killed'))
      : storage.write(path, parts, signal),
  read: (path, range, signal) => storage.read(path, range, signal),
  stat: (path, signal) => storage.stat(path, signal),
  list: (folder, signal) => storage.list(folder, signal),
  remove: (path, signal) => storage.remove(path, signal),
  space: (signal) => storage.space(signal),
  [Symbol.asyncDispose]: () => Promise.resolve(),
})

keepWorkers()

describe('a run over several shards', () => {
  it.each([1, 4, 16])('protects everybody in %i shards, each at one moment', async (count) => {
    await using world = await seeded(count)
    await expect(world.run()).resolves.toMatchObject({ succeeded: USERS.length, failed: 0 })
    for (const id of USERS) expect(await world.mailsOf(id)).toEqual([`${id}-a`, `${id}-b`])
    const used = new Set(USERS.map((id) => world.shardOf(id)))
    const made = world.opened.flatMap(({ catalogue }) => catalogue.points())
    expect(made).toHaveLength(used.size)
    expect(new Set(made.map(({ time }) => time.getTime())).size).toBe(1)
    for (const { repository } of world.opened)
      expect(await repository.check({ readData: true })).toMatchObject({ problems: [] })
  })

  it('is seen whole by whoever looks at its moment', async () => {
    await using world = await seeded(4)
    await world.run()
    const shards = world.opened.map((shard) => ({ repositoryId: 'r', ...shard }))
    const { time } = world.catalogueOf(world.shardOf('user0')).points()[0]!
    const view = await PointView.load(shards, { at: time })
    expect(view.objects.size).toBe(USERS.length)
  })

  it('writes no snapshot before all data is durable', async () => {
    await using world = await seeded(4)
    const events: string[] = []
    world.wrap = (storage, shard) => ({
      ...withoutSnapshots(storage),
      write: async (path, parts, signal) => {
        await storage.write(path, parts, signal)
        if (/^(data|index|snapshots)\//.test(path)) events.push(`${path.split('/')[0]} ${shard}`)
      },
    })
    await world.reopen()
    await world.run()
    const first = events.findIndex((event) => event.startsWith('snapshots'))
    expect(first).toBeGreaterThan(0)
    const snapshots = events.slice(first)
    expect(snapshots.every((event) => event.startsWith('snapshots'))).toBe(true)
    expect(snapshots).toEqual([...snapshots].sort())
  })

  it('killed between two snapshots is completed by the next start, and nothing is read twice', async () => {
    await using world = await seeded(4)
    const used = [...new Set(USERS.map((id) => world.shardOf(id)))].sort()
    const dead = used[1]!
    world.wrap = (storage, shard) => (shard === dead ? withoutSnapshots(storage) : storage)
    await world.reopen()
    await expect(world.run({ sessionId: 's' })).rejects.toMatchObject({ code: 'unavailable' })
    const pointsIn = (): number[] => used.filter((shard) => world.catalogueOf(shard).points().length > 0)
    for (const { catalogue } of world.opened) await catalogue.sync()
    expect(pointsIn()).toEqual(used.slice(0, 1))

    clock.advance(60_000)
    world.wrap = (storage) => storage
    await world.reopen()
    for (const mailbox of world.mailboxes.values()) mailbox.calls.changes = 0
    await expect(world.run({ sessionId: 's', isResumed: true })).resolves.toMatchObject({ succeeded: 12 })
    expect(pointsIn()).toEqual(used)
    for (const [id, mailbox] of world.mailboxes)
      // Those of the shard that was done are not asked at all, the others for what is new.
      expect([id, mailbox.calls.changes]).toEqual([id, world.shardOf(id) === used[0] ? 0 : 1])
    for (const { catalogue } of world.opened)
      expect(catalogue.points().map(({ run }) => run.sessionId)).toEqual(['s'])
    for (const id of USERS) expect(await world.mailsOf(id)).toHaveLength(2)
  })

  it('writes no snapshot at all when a shard fails before that', async () => {
    await using world = await seeded(4)
    const dead = world.shardOf('user0')
    world.wrap = (storage, shard) => ({
      ...withoutSnapshots(storage),
      write: (path, parts, signal) =>
        shard === dead && path.startsWith('data/')
          ? Promise.reject(unavailable('the disk is gone'))
          : storage.write(path, parts, signal),
    })
    await world.reopen()
    await expect(world.run()).rejects.toThrow('the disk is gone')
    for (const { catalogue } of world.opened) {
      await catalogue.sync()
      expect(catalogue.points()).toEqual([])
    }
  })

  it('reads no more mailboxes at once than a run over one shard', async () => {
    await using world = await seeded(16)
    let [inside, most] = [0, 0]
    for (const mailbox of world.mailboxes.values())
      mailbox.beforePage = async () => {
        most = Math.max(most, (inside += 1))
        await new Promise((resolve) => setTimeout(resolve, 5))
        inside -= 1
      }
    await world.run()
    expect(most).toBeGreaterThan(1)
    expect(most).toBeLessThanOrEqual(8)
  })
})
