import { execFile, spawn } from 'node:child_process'
import { constants } from 'node:fs'
import { access, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '#base'
import {
  type BlobId,
  initRepository,
  openRepository,
  type Repository,
  type RepositoryWriter,
} from '#repository'
import { localStorage } from '#storage'
import { collect, TEST_OPTIONS, temporaryFolder } from '../../src/repository/tests/fixtures.ts'

// Stock restic, which was written by others, is the judge of our repositories.

const run = promisify(execFile)

const restic = async (repo: string, ...args: string[]): Promise<string> => {
  const env = { ...process.env, RESTIC_REPOSITORY: repo, RESTIC_PASSWORD: TEST_OPTIONS.password }
  const { stdout } = await run('restic', ['--no-cache', ...args], { env, maxBuffer: 1 << 26 })
  return stdout
}

type Files = ReadonlyMap<string, Uint8Array>

/** Mail, documents of several chunks, an empty file, and names in many scripts. */
const someFiles = (seed: number): Files => {
  const random = seededRandom(seed)
  const files = new Map<string, Uint8Array>()
  for (let number = 0; number < 300; number += 1) {
    const text = `Subject: mail ${seed} ${number}\r\n\r\n`.repeat(1 + (number % 50))
    files.set(`users/alice~1/mail/Inbox/2026/01/${1 + (number % 28)}/mail-${number}.eml`, Buffer.from(text))
  }
  const noise = Buffer.alloc(5_000_000)
  for (let at = 0; at < noise.length; at += 4)
    noise.writeUInt32LE(Math.floor(random.fraction() * 2 ** 32), at)
  files.set('users/alice~1/onedrive/R&D <draft>/noise.bin', noise)
  files.set('users/alice~1/onedrive/R&D <draft>/text.csv', Buffer.from('a;b;c;d\n'.repeat(400_000)))
  files.set('users/alice~1/onedrive/empty', Buffer.alloc(0))
  for (const name of ['ü.txt', 'データ.xlsx', '𝒳.txt', '😀.txt', 'ｱ.txt', 'it’s 100%.txt']) {
    files.set(`users/bob~2/onedrive/${name}`, Buffer.from(name))
  }
  return files
}

const saveAll = async (writer: RepositoryWriter, files: Files, base?: BlobId): Promise<BlobId> => {
  const tree = writer.edit(base)
  for (const [path, bytes] of files) {
    const file = await writer.saveFile([bytes])
    await tree.putFile(path, { ...file, modifiedAt: new Date('2026-01-05T12:34:56.700Z') })
  }
  return (await tree.save())!
}

const backUp = (repository: Repository, files: Files, tag: string) =>
  repository.withWriter(async (writer) =>
    writer.saveSnapshot({
      time: new Date('2026-01-05T12:34:56.789Z'),
      tree: await saveAll(writer, files),
      paths: ['/organization'],
      tags: [tag],
    }),
  )

const filesIn = async (folder: string, path = ''): Promise<Map<string, Buffer>> => {
  const files = new Map<string, Buffer>()
  for (const entry of await readdir(join(folder, path), { withFileTypes: true })) {
    const below = path === '' ? entry.name : `${path}/${entry.name}`
    if (entry.isDirectory()) for (const [name, bytes] of await filesIn(folder, below)) files.set(name, bytes)
    else files.set(below, await readFile(join(folder, below)))
  }
  return files
}

const expectSame = (found: ReadonlyMap<string, Buffer>, wanted: Files): void => {
  expect([...found.keys()].sort()).toEqual([...wanted.keys()].sort())
  for (const [path, bytes] of wanted) expect(found.get(path)!.equals(bytes), path).toBe(true)
}

const readAll = async (repository: Repository, tree: BlobId, path = ''): Promise<Map<string, Buffer>> => {
  const files = new Map<string, Buffer>()
  for (const entry of await repository.tree(tree)) {
    const below = path === '' ? entry.name : `${path}/${entry.name}`
    if (entry.type === 'file') files.set(below, await collect(repository.readFile(entry)))
    else for (const [name, bytes] of await readAll(repository, entry.subtree, below)) files.set(name, bytes)
  }
  return files
}

describe('stock restic and Holdfast on one repository', () => {
  it('restic checks, lists and restores what Holdfast wrote', async () => {
    await using folder = await temporaryFolder()
    const repo = join(folder.path, 'repo')
    await using repository = await initRepository(localStorage(repo), TEST_OPTIONS)
    const files = someFiles(1)
    const snapshot = await backUp(repository, files, 'job:daily')

    expect(await restic(repo, 'check', '--read-data')).toContain('no errors were found')
    const listed = (await restic(repo, 'ls', 'latest')).split('\n')
    for (const path of files.keys()) expect(listed).toContain(`/${path}`)
    const [shown] = JSON.parse(await restic(repo, 'snapshots', '--json')) as Record<string, unknown>[]
    expect(shown).toMatchObject({
      id: snapshot.id,
      time: '2026-01-05T12:34:56.789Z',
      tree: snapshot.tree,
      paths: ['/organization'],
      hostname: 'test-host',
      username: 'tester',
      tags: ['job:daily'],
    })
    const target = join(folder.path, 'restored')
    await restic(repo, 'restore', 'latest', '--target', target)
    expectSame(await filesIn(target), files)
  })

  it('restic reads and obeys the lock of Holdfast, and what Holdfast says there beside', async () => {
    await using folder = await temporaryFolder()
    const repo = join(folder.path, 'repo')
    await using repository = await initRepository(localStorage(repo), TEST_OPTIONS)
    await repository.withWriter(async () => {
      const [id] = (await restic(repo, 'list', 'locks', '--no-lock')).trim().split('\n')
      const lock = JSON.parse(await restic(repo, 'cat', 'lock', id!, '--no-lock')) as Record<string, unknown>
      expect(lock).toMatchObject({ exclusive: false, hostname: 'test-host', pid: process.pid })
      await expect(restic(repo, 'prune')).rejects.toThrow(/already locked/)
    })
    await restic(repo, 'prune')
  })

  it('Holdfast reads what restic wrote, before and after restic rewrote it', async () => {
    await using folder = await temporaryFolder()
    const repo = join(folder.path, 'repo')
    const source = join(folder.path, 'source')
    const files = someFiles(2)
    for (const [path, bytes] of files) {
      await mkdir(join(source, path, '..'), { recursive: true })
      await writeFile(join(source, path), bytes)
    }
    await restic(repo, 'init')
    await restic(repo, 'backup', source, '--tag', 'one')
    await using repository = await openRepository(localStorage(repo), TEST_OPTIONS)
    const [first] = await repository.snapshots()
    const root = await repository.entryAt(first!.tree, source.slice(1))
    expectSame(await readAll(repository, root!.type === 'folder' ? root!.subtree : first!.tree), files)
    expect((await repository.check({ readData: true })).problems).toEqual([])

    await writeFile(join(source, 'later'), 'later')
    await restic(repo, 'backup', source, '--tag', 'two')
    await restic(repo, 'forget', first!.id)
    await restic(repo, 'tag', '--add', 'kept', 'latest')
    await restic(repo, 'prune', '--max-unused', '0')
    const [second, ...others] = await repository.snapshots()
    expect(others).toEqual([])
    expect(second!.tags).toEqual(['two', 'kept'])
    const later = await repository.entryAt(second!.tree, `${source.slice(1)}/later`)
    expect(later).toMatchObject({ type: 'file', sizeBytes: 5 })
    const again = await repository.entryAt(second!.tree, source.slice(1))
    const found = await readAll(repository, again!.type === 'folder' ? again!.subtree : second!.tree)
    expectSame(found, new Map([...files, ['later', Buffer.from('later')]]))
  })

  it('both go on in the repository of the other, and each prunes what the other left', async () => {
    await using folder = await temporaryFolder()
    const repo = join(folder.path, 'repo')
    await using repository = await initRepository(localStorage(repo), TEST_OPTIONS)
    const files = someFiles(3)
    const old = await backUp(repository, someFiles(4), 'old')
    const kept = await backUp(repository, files, 'kept')
    const source = join(folder.path, 'source')
    await mkdir(source)
    await writeFile(join(source, 'theirs'), 'theirs'.repeat(1000))
    await restic(repo, 'backup', source, '--tag', 'theirs')

    await repository.forget([old.id])
    const { removedBytes } = await repository.prune({ keepTrees: [] })
    expect(removedBytes).toBeGreaterThan(4_000_000)
    await repository.withWriter((writer) => saveAll(writer, someFiles(7)))
    const { waitingBytes } = await repository.prune({ keepTrees: [], graceMs: 1000 })
    expect(waitingBytes).toBeGreaterThan(4_000_000)
    expect(await restic(repo, 'check', '--read-data')).toContain('no errors were found')
    const target = join(folder.path, 'restored')
    await restic(repo, 'restore', '--tag', 'kept', 'latest', '--target', target)
    expectSame(await filesIn(target), files)

    await restic(repo, 'forget', '--tag', 'theirs', '--keep-tag', 'kept', '--prune')
    expectSame(await readAll(repository, kept.tree), files)
    await backUp(repository, someFiles(4), 'again')
    expect(await restic(repo, 'check', '--read-data')).toContain('no errors were found')
  })

  it('restic mounts what Holdfast wrote', async (context) => {
    const reason = await whyNoMount()
    if (reason !== undefined) {
      expect(reason).toMatch(/fuse/)
      context.skip(`this machine cannot mount: ${reason}`)
    }
    await using folder = await temporaryFolder()
    const repo = join(folder.path, 'repo')
    const mount = join(folder.path, 'mount')
    await mkdir(mount)
    await using repository = await initRepository(localStorage(repo), TEST_OPTIONS)
    const files = someFiles(5)
    await backUp(repository, files, 'mounted')
    const env = { ...process.env, RESTIC_REPOSITORY: repo, RESTIC_PASSWORD: TEST_OPTIONS.password }
    const mounted = spawn('restic', ['--no-cache', 'mount', mount], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const ended = new Promise<void>((resolve) => mounted.once('exit', () => resolve()))
    try {
      await new Promise<void>((resolve, reject) => {
        mounted.stdout.on('data', (text: Buffer) => text.includes('serving') && resolve())
        mounted.once('exit', () => reject(new Error('restic mount ended')))
      })
      const [root] = await readdir(join(mount, 'snapshots'))
      expectSame(await filesIn(join(mount, 'snapshots', root!)), files)
      // Restic's lock is there while it is mounted, so we must not prune.
      await repository.withWriter((writer) => saveAll(writer, someFiles(6)))
      expect((await repository.prune({ keepTrees: [] })).postponed).toContain('locked')
    } finally {
      mounted.kill('SIGINT')
      await ended
    }
  })

  it('restic refuses to prune beside our writer, and to back up beside our prune', async () => {
    await using folder = await temporaryFolder()
    const repo = join(folder.path, 'repo')
    await using repository = await initRepository(localStorage(repo), TEST_OPTIONS)
    await repository.withWriter(async (writer) => {
      await writer.saveFile([Buffer.from('x')])
      await expect(restic(repo, 'prune')).rejects.toThrow('already locked')
      expect(await restic(repo, 'snapshots', '--json')).toContain('[]')
    })
    expect(await restic(repo, 'prune')).not.toContain('Fatal')
  })

  it('opens with a password that the other added', async () => {
    await using folder = await temporaryFolder()
    const repo = join(folder.path, 'repo')
    await using repository = await initRepository(localStorage(repo), TEST_OPTIONS)
    await repository.addKey('second password')
    const env = { ...process.env, RESTIC_REPOSITORY: repo, RESTIC_PASSWORD: 'second password' }
    const { stdout } = await run('restic', ['--no-cache', 'key', 'list', '--json'], { env })
    expect(JSON.parse(stdout)).toHaveLength(2)
    await using other = await openRepository(localStorage(repo), {
      ...TEST_OPTIONS,
      password: 'second password',
    })
    expect(other.id).toBe(repository.id)
  })
})

const whyNoMount = async (): Promise<string | undefined> => {
  try {
    await access('/dev/fuse', constants.R_OK | constants.W_OK)
    await run('fusermount3', ['--version']).catch(() => run('fusermount', ['--version']))
    return undefined
  } catch (error) {
    return String(error)
  }
}
