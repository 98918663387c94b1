import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { initRepository, openRepository, type Repository, type Snapshot } from '#repository'
import { localStorage } from '#storage'
import { backUp, noise, text } from '../../src/repository/tests/damage.ts'
import { collect, TEST_OPTIONS, temporaryFolder } from '../../src/repository/tests/fixtures.ts'
import { restic } from './stock-restic.ts'

// Each of stock restic's commands on one repository of Holdfast, in the order of this file.

const MAIL = 'Subject: hello\r\n\r\nbody\r\n'
const FILES = {
  'users/alice/mail/Inbox/one.eml': text(MAIL),
  'users/alice/onedrive/R&D <draft>/noise.bin': noise(5, 1_800_000),
  'users/bob/onedrive/ü.txt': text('ü'),
}
const LATER = { ...FILES, 'users/bob/onedrive/later.txt': text('later') }

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let repo: string
let repository: Repository
let first: Snapshot
let second: Snapshot

beforeAll(async () => {
  folder = await temporaryFolder()
  repo = join(folder.path, 'repo')
  repository = await initRepository(localStorage(repo), TEST_OPTIONS)
  first = await backUp(repository, FILES, { tags: ['job:daily'] })
  second = await repository.withWriter(async (writer) => {
    const tree = writer.edit(first.tree)
    const time = new Date('2026-02-01T00:00:00Z')
    const saved = await writer.saveFile([text('later')])
    await tree.putFile('users/bob/onedrive/later.txt', { ...saved, modifiedAt: time })
    const { paths, tags, id: parent } = first
    return writer.saveSnapshot({ time, tree: (await tree.save())!, paths, tags, parent })
  })
})

afterAll(async () => {
  await repository[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

const json = async <Shape>(...args: string[]): Promise<Shape> =>
  JSON.parse(await restic(repo, [...args, '--json'])) as Shape

const expectFiles = async (root: Snapshot['tree']): Promise<void> => {
  for (const [path, bytes] of Object.entries(LATER)) {
    const entry = await repository.entryAt(root, path)
    if (entry?.type !== 'file') throw new Error(`${path} is no file`)
    expect((await collect(repository.readFile(entry))).equals(bytes), path).toBe(true)
  }
}

describe('stock restic on a repository of Holdfast', () => {
  it('finds, counts, compares, dumps and shows what is in it', async () => {
    const found = await json<{ snapshot: string; matches: { path: string }[] }[]>('find', '*.eml')
    expect(found.map(({ matches }) => matches.map(({ path }) => path))).toEqual([
      ['/users/alice/mail/Inbox/one.eml'],
      ['/users/alice/mail/Inbox/one.eml'],
    ])
    const bytes = Object.values(LATER).reduce((sum, { length }) => sum + length, 0)
    expect(await json('stats', '--mode', 'restore-size', second.id)).toMatchObject({ total_size: bytes })
    expect(await restic(repo, ['diff', first.id, second.id])).toContain('+    /users/bob/onedrive/later.txt')
    expect(await restic(repo, ['dump', 'latest', '/users/alice/mail/Inbox/one.eml'])).toBe(MAIL)
    expect(JSON.parse(await restic(repo, ['cat', 'snapshot', second.id]))).toMatchObject({
      tree: second.tree,
      parent: first.id,
    })
    expect(JSON.parse(await restic(repo, ['cat', 'config']))).toMatchObject({ version: 2, id: repository.id })
  })

  it('checks a share of its data, and builds a lost index anew', async () => {
    expect(await restic(repo, ['check', '--read-data-subset', '1/2'])).toContain('no errors were found')
    for (const name of await readdir(join(repo, 'index'))) await rm(join(repo, 'index', name))
    await restic(repo, ['rebuild-index'])
    repository = await reopened()
    expect((await repository.check({ readData: true })).problems).toEqual([])
    await expectFiles(second.tree)
  })

  it('and Holdfast see the same passwords, whoever adds, changes or removes them', async () => {
    const file = join(folder.path, 'password')
    await writeFile(file, 'of restic')
    await restic(repo, ['key', 'add', '--new-password-file', file])
    const [, added, ...others] = await repository.keys()
    expect(others).toEqual([])
    const ours = await repository.addKey('of Holdfast')
    const keys = await json<{ id: string; current: boolean }[]>('key', 'list')
    expect(keys.map(({ id }) => id).sort()).toEqual(
      (await repository.keys()).map(({ id }) => id.slice(0, 8)).sort(),
    )
    await writeFile(file, 'changed')
    await restic(repo, ['key', 'passwd', '--new-password-file', file], { RESTIC_PASSWORD: 'of restic' })
    await expect(
      openRepository(localStorage(repo), { ...TEST_OPTIONS, password: 'of restic' }),
    ).rejects.toThrow()
    await using other = await openRepository(localStorage(repo), { ...TEST_OPTIONS, password: 'changed' })
    await other.removeKey(ours)
    expect((await other.keys()).map(({ id }) => id)).not.toContain(added!.id)
    await restic(repo, ['key', 'remove', (await other.keys()).find(({ isCurrent }) => isCurrent)!.id])
    expect(await repository.keys()).toHaveLength(1)
  })

  it('copies out of it and into it, and Holdfast knows the copies again', async () => {
    const copy = join(folder.path, 'copy')
    const from = { RESTIC_FROM_REPOSITORY: repo, RESTIC_FROM_PASSWORD: TEST_OPTIONS.password }
    await restic(copy, ['init', '--copy-chunker-params'], from)
    await restic(copy, ['copy'], from)
    await using theirs = await openRepository(localStorage(copy), TEST_OPTIONS)
    const originals = (await theirs.snapshots()).map(({ original, tree }) => ({ original, tree }))
    expect(originals).toEqual([first, second].map(({ id, tree }) => ({ original: id, tree })))
    expect((await theirs.check({ readData: true })).problems).toEqual([])
    // What restic copied, Holdfast has no more to do about.
    expect(await theirs.copyFrom(repository, {})).toMatchObject({ copied: [], alreadyThere: 2, readBytes: 0 })

    const source = join(folder.path, 'source')
    await mkdir(source)
    await writeFile(join(source, 'theirs'), 'theirs')
    await restic(copy, ['backup', source, '--tag', 'theirs'])
    await restic(repo, ['copy', '--tag', 'theirs'], {
      RESTIC_FROM_REPOSITORY: copy,
      RESTIC_FROM_PASSWORD: TEST_OPTIONS.password,
    })
    repository = await reopened()
    expect((await repository.snapshots()).map(({ tags }) => tags)).toContainEqual(['theirs'])
    expect((await repository.check({ readData: true })).problems).toEqual([])
  })

  it('tags, and forgets and prunes what Holdfast then does without', async () => {
    await restic(repo, ['tag', '--add', 'kept', second.id])
    await restic(repo, ['forget', '--keep-tag', 'kept', '--prune', '--max-unused', '0'])
    await repository.refresh()
    const [left, ...others] = await repository.snapshots()
    expect(others).toEqual([])
    expect(left).toMatchObject({ original: second.id, tags: ['job:daily', 'kept'] })
    expect((await repository.check({ readData: true })).problems).toEqual([])
    await expectFiles(left!.tree)
  })
})

const reopened = async (): Promise<Repository> => {
  await repository[Symbol.asyncDispose]()
  return openRepository(localStorage(repo), TEST_OPTIONS)
}
