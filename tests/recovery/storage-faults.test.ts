import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { HoldfastError, unavailable } from '#base'
import type { Storage } from '#storage'
import { startWorld, type Answer, type World } from '#world'
import { BackupWorld, clock, keepWorkers } from '../../src/engine/backup/tests/backup-world.ts'
import { FakeDrive } from '../../src/engine/backup/tests/fake-drive.ts'
import { FakeMailbox } from '../../src/engine/backup/tests/fake-mailbox.ts'
import { HAS_ENDED, type JobSession } from './live-server.ts'

keepWorkers()

type Call = 'write' | 'remove'
type Fault = 'before' | 'after' | 'full'

const FAULTS: Readonly<Record<Fault, HoldfastError>> = {
  before: unavailable('the storage did not answer'),
  after: unavailable('the answer of the storage was lost'),
  full: new HoldfastError('full', 'no space is left'),
}

/** One call fails: it is not done, or (`after`) is done and says that it was not. */
const failingOnce = (storage: Storage, at: number, fault: Fault) => {
  let calls = 0
  const through = async (call: () => Promise<void>): Promise<void> => {
    calls += 1
    if (calls !== at) return call()
    if (fault === 'after') await call()
    throw FAULTS[fault]
  }
  const wrapped: Record<Call, (...given: never) => Promise<void>> & Storage = {
    name: storage.name,
    read: (path, range, signal) => storage.read(path, range, signal),
    stat: (path, signal) => storage.stat(path, signal),
    list: (folder, signal) => storage.list(folder, signal),
    space: (signal) => storage.space(signal),
    [Symbol.asyncDispose]: async () => {},
    write: (path, parts, signal) => through(() => storage.write(path, parts, signal)),
    remove: (path, signal) => through(() => storage.remove(path, signal)),
  }
  return { storage: wrapped as Storage, wasHit: () => calls >= at }
}

const seed = (world: BackupWorld): void => {
  const mailbox = new FakeMailbox().folder('in', 'Inbox').folder('old', 'Old')
  for (let n = 0; n < 9; n += 1)
    mailbox.put(`m${n}`, 'in', {}, n % 3 === 0 ? [{ name: `${n}`, bytes: Buffer.alloc(5_000, n) }] : [])
  const drive = new FakeDrive().folder('d', 'Docs')
  for (let n = 0; n < 6; n += 1) drive.file(`f${n}`, `file ${n}`, 'd', `content ${n}`)
  world.mailboxes.set('meg', mailbox)
  world.drives.set('meg', drive)
}

const change = (world: BackupWorld): void => {
  const mailbox = world.mailboxes.get('meg')!
  mailbox.move('m0', 'old')
  mailbox.put('m1', 'in', { isRead: true }).put('new', 'old')
  mailbox.delete('m2')
  world.drives.get('meg')!.file('f1', 'file 1', 'd', 'changed')
}

describe.each(['before', 'after', 'full'] as const)('a storage call that fails once (%s)', (fault) => {
  it('costs the run at most, whichever call it is, and the next run is complete', async () => {
    await using clean = await BackupWorld.start()
    clean.savePointMs = -1
    seed(clean)
    await clean.run()
    change(clean)
    await clean.run()
    const [expectedFiles, expectedRows] = [await clean.files(), clean.rows()]
    let at = 1
    for (; at < 60; at += 1) {
      await using world = await BackupWorld.start()
      world.savePointMs = -1
      seed(world)
      await world.run()
      const [first] = await world.repository.snapshots()
      change(world)
      const faulty = failingOnce(world.storage, at, fault)
      await world.restart(faulty.storage)
      const failure = await world.run({ sessionId: 'second' }).then(
        () => undefined,
        (error: unknown) => error,
      )
      if (!faulty.wasHit()) break
      if (failure !== undefined) expect(failure, `call ${at}`).toMatchObject({ code: FAULTS[fault].code })
      clock.advance(1_000)
      // As the retry of a failed run in the same process does it: nothing is opened anew.
      await world.run({ sessionId: 'third' })
      expect(await world.files(), `call ${at}`).toEqual(expectedFiles)
      expect(world.rows(), `call ${at}`).toEqual(expectedRows)
      expect((await world.repository.snapshots()).map(({ tree }) => tree)).toContain(first!.tree)
      expect(await world.repository.check({ readData: true }), `call ${at}`).toMatchObject({ problems: [] })
    }
    expect(at, 'calls that were made to fail').toBeGreaterThan(5)
  })
})

const backUp = async (world: World, jobId: string): Promise<JobSession> => {
  const api = world.api('v4')
  await api.post(`/Jobs/${jobId}/Action`, { start: null })
  for (const until = Date.now() + 60_000; Date.now() < until; await delay(50)) {
    const [session] = (await api.get(`/Jobs/${jobId}/JobSessions`)).json<JobSession[]>()
    if (session !== undefined && HAS_ENDED.includes(session.status)) return session
  }
  throw new Error('the session does not end')
}

const made = (answer: Answer): string => {
  expect(answer.status, answer.text).toBeLessThan(300)
  return answer.json<{ id: string }>().id
}

const jobOn = async (world: World, path?: string): Promise<{ jobId: string; path: string }> => {
  const api = world.api('v4')
  const organization = await world.addOrganization()
  const [there] = (await api.get('/BackupRepositories')).json<{ id: string; proxyId: string }[]>()
  const repositoryId =
    path === undefined
      ? there!.id
      : made(await api.post('/BackupRepositories', { name: 'Small', path, proxyId: there!.proxyId }))
  const job = await api.post(`/Organizations/${organization.id}/Jobs`, {
    name: 'Everything',
    repositoryId,
    backupType: 'EntireOrganization',
  })
  return { jobId: made(job), path: path ?? join(world.folder, 'data', 'repository') }
}

const mounted = (path: string, size: string): boolean => {
  mkdirSync(path, { recursive: true })
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const boundTo = (disk: string, path: string): boolean => {
  mkdirSync(path, { recursive: true })
  try {
    execFileSync('mount', ['--bind', disk, path], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const holdsPacks = async (disk: string): Promise<void> => {
  for (let tries = 0; tries < 3_000; tries += 1, await delay(5)) {
    const names = readdirSync(disk, { recursive: true, encoding: 'utf8' })
    if (names.some((name) => /\/data\/..\/[0-9a-f]{64}$/.test(name))) return
  }
  throw new Error('the run stores nothing')
}

describe('a repository folder', () => {
  it('that is full fails the run with a clear word, and takes the next one when it has room', async ({
    skip,
  }) => {
    await using world = await startWorld({ users: 2, mails: 60, files: 20 })
    const path = join(world.folder, 'disk')
    if (!mounted(path, '1m')) skip('mounting a small disk needs root')
    try {
      const { jobId } = await jobOn(world, path)
      const failed = await backUp(world, jobId)
      expect(failed).toMatchObject({ status: 'Failed' })
      const log = (await world.api('v8').get(`/JobSessions/${failed.id}/LogItems`)).text
      expect(log).toMatch(/ENOSPC|space/)
      execFileSync('mount', ['-o', 'remount,size=64m', path])
      expect(await backUp(world, jobId)).toMatchObject({ status: 'Warning' })
      const names = readdirSync(path, { recursive: true, encoding: 'utf8' })
      expect(names.filter((name) => name.includes('-tmp-'))).toEqual([])
    } finally {
      await world.server.stop()
      execFileSync('umount', ['-l', path])
    }
  })

  it('that has vanished fails the run, is not made anew in its place, and works when it is back', async () => {
    await using world = await startWorld({ users: 1, mails: 10, files: 5 })
    const { jobId, path } = await jobOn(world)
    await backUp(world, jobId)
    renameSync(path, `${path}.away`)
    const failed = await backUp(world, jobId)
    expect(failed).toMatchObject({ status: 'Failed' })
    const log = (await world.api('v8').get(`/JobSessions/${failed.id}/LogItems`)).text
    expect(log).toContain('folder')
    expect(existsSync(path)).toBe(false)
    renameSync(`${path}.away`, path)
    expect((await backUp(world, jobId)).status).toMatch(/Success|Warning/)
  })

  it('whose disk goes away in the middle of a run fails it, keeps the bare mount point empty, and goes on when it is back', async ({
    skip,
  }) => {
    await using world = await startWorld({ users: 1, mails: 40, files: 10 })
    const [disk, path] = [join(world.folder, 'real-disk'), join(world.folder, 'point')]
    mkdirSync(disk)
    if (!boundTo(disk, path)) skip('mounting needs root')
    try {
      const { jobId } = await jobOn(world, path)
      const running = backUp(world, jobId)
      await holdsPacks(disk)
      execFileSync('umount', ['-l', path])
      const failed = await running
      expect(failed).toMatchObject({ status: 'Failed' })
      const log = (await world.api('v8').get(`/JobSessions/${failed.id}/LogItems`)).text
      expect(log).toContain('is its disk mounted?')
      expect(await backUp(world, jobId)).toMatchObject({ status: 'Failed' })
      expect(readdirSync(path)).toEqual([])
      execFileSync('mount', ['--bind', disk, path])
      expect((await backUp(world, jobId)).status).toMatch(/Success|Warning/)
      const names = readdirSync(disk, { recursive: true, encoding: 'utf8' })
      expect(names.filter((name) => name.startsWith('repo.json'))).toHaveLength(1)
    } finally {
      await world.server.stop()
      execFileSync('umount', ['-l', path])
    }
  })

  it('whose shard was taken away under a running server is made whole again, not written into blindly', async () => {
    await using world = await startWorld({ users: 1, mails: 10, files: 5 })
    const { jobId, path } = await jobOn(world)
    await backUp(world, jobId)
    const [organization] = readdirSync(path).filter((name) => name !== 'repo.json' && !name.startsWith('.'))
    const shard = join(path, organization!, 's00')
    rmSync(shard, { recursive: true })
    expect((await backUp(world, jobId)).status).toMatch(/Success|Warning/)
    for (const name of ['config', 'keys', 'index', 'snapshots']) expect(readdirSync(shard)).toContain(name)
  })
})

describe('what a crash left half-written', () => {
  it('is not seen, and does not stand in the way', async () => {
    await using world = await startWorld({ users: 1, mails: 10, files: 5 })
    const { jobId, path } = await jobOn(world)
    await backUp(world, jobId)
    const [organization] = readdirSync(path).filter((name) => name !== 'repo.json' && !name.startsWith('.'))
    const shard = join(path, organization!, 's00')
    for (const folder of ['index', 'snapshots', 'locks', 'keys', 'data/00']) {
      mkdirSync(join(shard, folder), { recursive: true })
      writeFileSync(join(shard, folder, `${'ab'.repeat(32)}-tmp-0011223344556677`), 'half of a f')
    }
    await world.restart()
    expect((await backUp(world, jobId)).status).toMatch(/Success|Warning/)
  })
})
