import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { link, mkdtemp, readdir, readFile, rename, rm, stat, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { localStorage, probeFolder, type ProbedFiles } from '../index.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})
const newFolder = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-probe-'))
  undo.push(() => rm(folder, { recursive: true, force: true }))
  return folder
}
const isMounted = (path: string, ...args: string[]): boolean => {
  mkdirSync(path, { recursive: true })
  try {
    execFileSync('mount', [...args, path], { stdio: 'ignore' })
  } catch {
    return false
  }
  undo.push(() => execFileSync('umount', ['-l', path]))
  return true
}
const hasMount = async (path: string): Promise<boolean> => {
  for (let tries = 0; tries < 50; tries += 1) {
    if (readFileSync('/proc/mounts', 'utf8').includes(` ${path} `)) return true
    await delay(100)
  }
  return false
}
const systemError = (code: string): Error => Object.assign(new Error(code), { code })

/** A real folder, told to do one thing as some file systems do. */
const files = (instead: Partial<ProbedFiles>): ProbedFiles => ({
  create: async (path, bytes) => {
    await writeFile(path, bytes, { flag: 'wx' })
    return bytes.length
  },
  sync: async () => {},
  read: (path) => readFile(path),
  sizeOf: async (path) => (await stat(path).catch(() => undefined))?.size,
  link,
  rename,
  remove: unlink,
  names: (folder) => readdir(folder),
  kind: async () => 0xef53,
  ...instead,
})

describe('a folder that is probed', () => {
  it('passes on an ordinary disk, holds nothing afterwards, and need not be there yet', async () => {
    const folder = await newFolder()
    await probeFolder(folder)
    await probeFolder(join(folder, 'not/yet'))
    expect(readdirSync(folder)).toEqual([])
  })

  it('passes in memory, and is refused there when it is full', async ({ skip }) => {
    const folder = join(await newFolder(), 'disk')
    if (!isMounted(folder, '-t', 'tmpfs', '-o', 'size=128k', 'tmpfs'))
      skip('mounting a small disk needs root')
    await probeFolder(folder)
    writeFileSync(join(folder, 'filler'), Buffer.alloc(100 * 1024))
    await expect(probeFolder(folder)).rejects.toMatchObject({
      code: 'full',
      message: 'the folder is on a disk without free space',
    })
    expect(readdirSync(folder)).toEqual(['filler'])
  })

  it('is refused when it is mounted to be read alone', async ({ skip }) => {
    const folder = join(await newFolder(), 'disk')
    if (!isMounted(folder, '-t', 'tmpfs', '-o', 'ro', 'tmpfs')) skip('mounting needs root')
    await expect(probeFolder(folder)).rejects.toMatchObject({
      code: 'denied',
      message: 'the folder is read-only',
    })
  })

  it.each(['/proc/self', '/sys/kernel', '/dev/pts'])('is refused in %s', async (folder) => {
    await expect(probeFolder(folder)).rejects.toMatchObject({ code: 'invalid' })
  })

  it('is refused on a mount by rclone, which cannot give a second name', async ({ skip }) => {
    const base = await newFolder()
    const [from, point] = [join(base, 'from'), join(base, 'point')]
    for (const folder of [from, point]) mkdirSync(folder)
    const args = ['--config', join(base, 'none'), '--cache-dir', base, '--vfs-cache-mode', 'writes']
    const mounting = spawn('rclone', ['mount', from, point, ...args], { stdio: 'ignore' })
    const ended = once(mounting, 'exit').catch(() => undefined)
    const isUp = await hasMount(point)
    undo.push(async () => {
      if (isUp) execFileSync('umount', ['-l', point])
      mounting.kill()
      await ended
    })
    if (!isUp) skip('mounting by rclone needs rclone, FUSE and root')
    await expect(probeFolder(point)).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('cannot give a finished file its name') as string,
    })
    expect(readdirSync(point)).toEqual([])
  })

  it('is refused when it is a file', async () => {
    const folder = await newFolder()
    writeFileSync(join(folder, 'file'), 'x')
    await expect(probeFolder(join(folder, 'file'))).rejects.toMatchObject({ message: 'the folder is a file' })
  })

  it.each<[string, Partial<ProbedFiles>]>([
    ['cannot say when a file is safe', { sync: () => Promise.reject(systemError('EINVAL')) }],
    ['is on a disk that reports errors', { sync: () => Promise.reject(systemError('EIO')) }],
    ['took only a part of a small file', { create: async () => 4_096 }],
    ['reports another size', { sizeOf: async () => 0 }],
    ['gives back other bytes', { read: async () => Buffer.alloc(64 * 1024) }],
    [
      'nothing can be locked',
      { create: async (path, bytes) => writeFile(path, bytes, { flag: 'a' }).then(() => bytes.length) },
    ],
    ['takes the name of another', { link: async () => {} }],
    ['cannot give a finished file its name', { link: () => Promise.reject(systemError('EXDEV')) }],
    ['cannot rename files', { rename: () => Promise.reject(systemError('EBUSY')) }],
    [
      'does not rename files in one step',
      { rename: async (from, to) => writeFile(to, await readFile(from)) },
    ],
    ['does not list a file', { names: async () => [] }],
    [
      'keeps files that were removed',
      { remove: async () => {}, link: () => Promise.reject(systemError('EPERM')) },
    ],
    ['a network share that has gone away', { create: () => Promise.reject(systemError('ESTALE')) }],
    ['cannot be written to (EFUNNY)', { create: () => Promise.reject(systemError('EFUNNY')) }],
  ])('is refused when it %s', async (why, instead) => {
    const folder = await newFolder()
    const words = why === 'takes the name of another' ? 'lets a file take the name of another' : why
    await expect(probeFolder(folder, { files: files(instead) })).rejects.toThrow(words)
  })

  it('passes without hard links', async () => {
    const noLinks = files({ link: () => Promise.reject(systemError('EPERM')) })
    await probeFolder(await newFolder(), { files: noLinks })
  })
})

describe('a disk that goes away under a storage', () => {
  it('is missed by every call, keeps its mount point empty, and is taken again when it is back', async ({
    skip,
  }) => {
    const base = await newFolder()
    const [disk, point] = [join(base, 'disk'), join(base, 'point')]
    mkdirSync(disk)
    if (!isMounted(point, '--bind', disk)) skip('mounting needs root')
    await using storage = localStorage(point)
    await storage.write('s00/config', [Buffer.from('config')])
    execFileSync('umount', ['-l', point])
    const vanished = { code: 'unavailable', reason: 'folder-vanished' }
    await expect(storage.write('s00/data/aa/one', [Buffer.from('x')])).rejects.toMatchObject(vanished)
    await expect(storage.read('s00/config')).rejects.toMatchObject(vanished)
    await expect(storage.stat('s00/config')).rejects.toMatchObject(vanished)
    await expect(storage.remove('s00/config')).rejects.toMatchObject(vanished)
    await expect(storage.list('s00')[Symbol.asyncIterator]().next()).rejects.toMatchObject(vanished)
    expect(readdirSync(point)).toEqual([])
    execFileSync('mount', ['--bind', disk, point])
    await storage.write('s00/data/aa/one', [Buffer.from('x')])
    expect(readdirSync(join(disk, 's00'))).toEqual(['config', 'data'])
  })

  it('is taken again as another device with the same files, and not as another device without', async ({
    skip,
  }) => {
    const base = await newFolder()
    const point = join(base, 'point')
    if (!isMounted(point, '-t', 'tmpfs', 'tmpfs')) skip('mounting needs root')
    await using storage = localStorage(point)
    await storage.write('config', [Buffer.from('config')])
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', point])
    await expect(storage.write('a', [Buffer.from('x')])).rejects.toMatchObject({ code: 'unavailable' })
    writeFileSync(join(point, 'config'), 'config')
    await storage.write('a', [Buffer.from('x')])
    execFileSync('umount', ['-l', point])
  })
})

describe('a disk without hard links', () => {
  it('lets one of many writers of a name win, and leaves nothing beside it', async () => {
    const folder = await newFolder()
    const noLinks = { link: () => Promise.reject(systemError('EPERM')) }
    const storages = [localStorage(folder, noLinks), localStorage(folder, noLinks)]
    for (let round = 0; round < 5; round += 1) {
      const name = `same-${round}`
      const outcomes = await Promise.allSettled(
        [...storages, ...storages].map((storage, at) => storage.write(name, [Buffer.alloc(9_000, at)])),
      )
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      for (const outcome of outcomes)
        if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'conflict' })
      expect(new Set(readFileSync(join(folder, name))).size).toBe(1)
    }
    expect(readdirSync(folder)).toHaveLength(5)
  })
})
