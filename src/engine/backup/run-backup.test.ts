import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { BackupWorld, clock, keepWorkers } from './tests/backup-world.ts'
import { dyingStorage } from './tests/dying-storage.ts'
import { FakeDrive } from './tests/fake-drive.ts'
import { FakeMailbox } from './tests/fake-mailbox.ts'

/** Two users with what changes between two runs. */
const seed = (world: BackupWorld): void => {
  const meg = new FakeMailbox().folder('in', 'Inbox').folder('old', 'Old')
  for (let n = 0; n < 12; n += 1)
    meg.put(`m${n}`, 'in', {}, n % 4 === 0 ? [{ name: `${n}`, bytes: Buffer.alloc(9000, n) }] : [])
  const drive = new FakeDrive().folder('d', 'Docs')
  for (let n = 0; n < 9; n += 1) drive.file(`f${n}`, `file ${n}`, 'd', `content ${n}`)
  world.mailboxes.set('meg', meg)
  world.drives.set('meg', drive)
}
const change = (world: BackupWorld): void => {
  const meg = world.mailboxes.get('meg')!
  meg.move('m0', 'old')
  meg.put('m1', 'in', { isRead: true }).put('new', 'old')
  meg.delete('m2')
  const drive = world.drives.get('meg')!
  drive.change('d', { name: 'Papers' })
  drive.file('f1', 'file 1', 'd', 'changed')
  drive.delete('f2')
}

interface Outcomes {
  readonly files: Record<string, string>[]
  readonly rows: unknown[]
}

keepWorkers()

describe('a backup run', () => {
  let world: BackupWorld
  beforeEach(async () => {
    world = await BackupWorld.start()
    seed(world)
  })
  afterEach(async () => {
    await world[Symbol.asyncDispose]()
  })

  const cleanRuns = async (): Promise<Outcomes> => {
    const result: Outcomes = { files: [], rows: [] }
    for (const prepare of [() => {}, change]) {
      prepare(world)
      await world.run()
      result.files.push(await world.files())
      result.rows.push(world.rows())
    }
    return result
  }

  it('killed at any write and started again ends as if it had not been', async () => {
    const expected = await cleanRuns()
    let kills = 0
    for (const writes of [1, 2, 3, 5, 8, 13, 21]) {
      await using other = await BackupWorld.start()
      other.savePointMs = -1
      seed(other)
      for (const [index, prepare] of [() => {}, change].entries()) {
        prepare(other)
        await other.restart(dyingStorage(other.storage, writes))
        const killed = await other.run({ sessionId: `s${index}` }).then(
          () => false,
          () => true,
        )
        kills += killed ? 1 : 0
        clock.advance(1000)
        await other.restart()
        await other.run({ sessionId: `s${index}`, isResumed: true })
        expect(await other.files()).toEqual(expected.files[index])
        expect(other.rows()).toEqual(expected.rows[index])
        expect(other.catalogue.points()).toHaveLength(index + 1)
        expect(await other.repository.check({ readData: true })).toMatchObject({ problems: [] })
      }
    }
    expect(kills).toBeGreaterThan(6)
  })

  it('goes on from the last saved page instead of the beginning', async () => {
    world.savePointMs = -1
    const meg = world.mailboxes.get('meg')!
    const controller = new AbortController()
    meg.beforePage = () => {
      if (meg.calls.changes === 5) controller.abort(new Error('killed'))
    }
    await expect(world.run({ signal: controller.signal })).rejects.toThrow('killed')
    expect(world.checkpoints.has('mail-meg')).toBe(true)
    expect(world.catalogue.points()).toEqual([])
    Object.assign(meg.calls, { changes: 0, contents: 0 })
    meg.beforePage = () => {}
    await world.restart()
    await expect(world.run({ isResumed: true })).resolves.toMatchObject({ succeeded: 1 })
    expect(meg.calls.changes).toBeLessThan(5)
    expect(world.rows()['mail-meg']).toHaveLength(12)
    expect(world.checkpoints.size).toBe(0)
  })

  it('that is stopped does not read again what was done', async () => {
    const controller = new AbortController()
    const bob = world.mailbox('bob').folder('in', 'Inbox')
    for (let n = 0; n < 9; n += 1) bob.put(`b${n}`, 'in')
    const checkpointsOfMeg = (): boolean =>
      world.log.some((line) => line.startsWith('Success: Mailbox of meg'))
    bob.beforePage = async () => {
      await vi.waitFor(() => expect(checkpointsOfMeg()).toBe(true))
      controller.abort(new Error('stopped'))
    }
    await expect(world.run({ signal: controller.signal })).rejects.toThrow('stopped')
    expect([...world.checkpoints.keys()]).toContain('mail-meg')
    Object.assign(world.mailboxes.get('meg')!.calls, { changes: 0, contents: 0 })
    bob.beforePage = () => {}
    await world.restart()
    await world.run({ isResumed: true })
    // One look at each of her two folders for what is new.
    expect(world.mailboxes.get('meg')!.calls).toMatchObject({ changes: 2, contents: 0 })
    expect(world.rows()['mail-bob']).toHaveLength(9)
  })

  it('does not make a second snapshot for a session that was cut off after its snapshot', async () => {
    await world.run({ sessionId: 's' })
    await expect(world.run({ sessionId: 's', isResumed: true })).resolves.toMatchObject({ succeeded: 1 })
    expect(world.catalogue.points()).toHaveLength(1)
  })

  it('carries on where another job left an object', async () => {
    await world.run({ jobId: 'job-a' })
    const meg = world.mailboxes.get('meg')!
    meg.calls.changes = 0
    await world.run({ jobId: 'job-b' })
    expect(meg.calls.changes).toBe(2)
  })

  it('no longer holds an object that left the job', async () => {
    world.mailbox('bob').folder('in', 'Inbox').put('b1', 'in')
    await world.run()
    world.mailboxes.delete('bob')
    await world.run()
    expect((await world.paths()).some((path) => path.startsWith('bob'))).toBe(false)
    const [newest, oldest] = world.catalogue.points()
    expect(world.catalogue.objectsAt(newest!.snapshot).map(({ key }) => key)).toEqual([
      'mail-meg',
      'onedrive-meg',
    ])
    expect(world.catalogue.objectsAt(oldest!.snapshot)).toHaveLength(3)
  })

  it('tags its snapshot with organization, job and session', async () => {
    await world.run({ sessionId: 'the-session' })
    const [snapshot] = await world.repository.snapshots()
    expect(snapshot!.tags).toEqual(['holdfast', 'org:org-1', 'job:job-1', 'run:the-session'])
  })

  it('moves the tree of a user whose principal name changed, without reading it again', async () => {
    await world.run()
    const objects = [
      {
        kind: 'user' as const,
        id: 'meg',
        principalName: 'margaret@contoso.com',
        displayName: 'Margaret',
        mailbox: true,
        archiveMailbox: false,
        oneDrive: true,
      },
    ]
    await world.run({ objects })
    expect((await world.paths()).every((path) => path.startsWith('margaret@contoso.com~meg/'))).toBe(true)
    expect(world.totals!.readBytes).toBe(0)
    expect(world.catalogue.objectsAt(world.catalogue.points()[0]!.snapshot)[0]).toMatchObject({
      displayName: 'Margaret',
    })
  })

  it('stops when it is told to, without a snapshot', async () => {
    await expect(world.run({ signal: AbortSignal.abort(new Error('stopped')) })).rejects.toThrow('stopped')
    expect(world.catalogue.points()).toEqual([])
  })

  it('fails when the repository does', async () => {
    await world.restart(dyingStorage(world.storage, 1))
    await expect(world.run()).rejects.toMatchObject({ code: 'unavailable' })
  })
})
