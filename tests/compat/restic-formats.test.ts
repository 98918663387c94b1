import { execFile } from 'node:child_process'
import { chmod, link, lstat, mkdir, readlink, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemRandom } from '#base'
import { type BlobId, openRepository, type Repository, type Snapshot } from '#repository'
import { localStorage, type Storage } from '#storage'
import { sha256Hex } from '../../src/repository/format/ids.ts'
import { encodeIndex } from '../../src/repository/format/index-document.ts'
import { openKeyFile } from '../../src/repository/format/key-file.ts'
import { type PackedBlob, sealHeader } from '../../src/repository/format/pack-header.ts'
import { IV_BYTES, seal } from '../../src/repository/format/sealing.ts'
import { noise, packsOf, pathsIn } from '../../src/repository/tests/damage.ts'
import { TEST_OPTIONS, temporaryFolder } from '../../src/repository/tests/fixtures.ts'
import { filesBelow, filesIn, restic } from './stock-restic.ts'

// One repository on its way through all that stock restic can store: version 1, packs that mix folders and data as its
// first releases wrote them, the upgrade, every compression, and what only a file system has.

const run = promisify(execFile)

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let repo: string
let source: string
let storage: Storage
let repository: Repository

const treeOfSource = async (root: BlobId): Promise<BlobId> => {
  const entry = await repository.entryAt(root, source.slice(1))
  if (entry?.type !== 'folder') throw new Error('the source is not there')
  return entry.subtree
}

const makeSource = async (): Promise<void> => {
  await mkdir(join(source, 'below', 'empty'), { recursive: true })
  await writeFile(join(source, 'below', 'text'), 'text '.repeat(60_000))
  await writeFile(join(source, 'below', 'noise'), noise(3, 1_500_000))
  await writeFile(join(source, 'below', 'tab\there "quoted" \\ ü'), 'odd')
  await writeFile(join(source, 'below', 'run'), '#!/bin/sh\n')
  await chmod(join(source, 'below', 'run'), 0o4751)
  await link(join(source, 'below', 'run'), join(source, 'below', 'same'))
  await symlink('text', join(source, 'below', 'link'))
  await run('mkfifo', [join(source, 'below', 'pipe')])
}

/** Lays all blobs of the repository into one pack and names it in one index, both as version 1 has them. */
const mixPacks = async (): Promise<void> => {
  const [keyFile] = await pathsIn(storage, 'keys')
  const key = (await openKeyFile(await storage.read(keyFile!), TEST_OPTIONS.password))!
  const old = [...(await pathsIn(storage, 'index')), ...(await pathsIn(storage, 'data'))]
  const blobs: PackedBlob[] = []
  const parts: Uint8Array[] = []
  let offset = 0
  for (const pack of [...(await packsOf(storage, 'tree')), ...(await packsOf(storage, 'data'))]) {
    const bytes = await storage.read(pack.path)
    for (const blob of pack.blobs) {
      blobs.push({ ...blob, offset })
      parts.push(bytes.subarray(blob.offset, blob.offset + blob.length))
      offset += blob.length
    }
  }
  const pack = Buffer.concat([...parts, sealHeader(key, blobs, systemRandom.bytes(IV_BYTES))])
  const id = sha256Hex(pack)
  const index = seal(key, Buffer.from(encodeIndex([{ id, blobs }])), systemRandom.bytes(IV_BYTES))
  await storage.write(`data/${id.slice(0, 2)}/${id}`, [pack])
  await storage.write(`index/${sha256Hex(index)}`, [index])
  for (const path of old) await storage.remove(path)
}

const tagged = async (tag: string): Promise<Snapshot> => {
  await repository.refresh()
  const found = (await repository.snapshots()).find(({ tags }) => tags.includes(tag))
  if (found === undefined) throw new Error(`no snapshot has the tag ${tag}`)
  return found
}

const expectSound = async (): Promise<void> => {
  expect((await repository.check({ readData: true })).problems).toEqual([])
  expect((await repository.verify({ data: 'all' })).problems).toEqual([])
}

beforeAll(async () => {
  folder = await temporaryFolder()
  repo = join(folder.path, 'repo')
  source = join(folder.path, 'source')
  storage = localStorage(repo)
  await makeSource()
  await restic(repo, ['init', '--repository-version', '1'])
  await restic(repo, ['backup', source, '--tag', 'one'])
  await mixPacks()
}, 60_000)

afterAll(() => folder[Symbol.asyncDispose]())

describe('a repository that stock restic made', () => {
  it('is read in version 1 with packs that mix folders and data', async () => {
    repository = await openRepository(storage, TEST_OPTIONS)
    expect(repository.version).toBe(1)
    await expectSound()
    const { tree } = await tagged('one')
    expect(await filesBelow(repository, await treeOfSource(tree))).toEqual(await filesIn(source))
    await repository[Symbol.asyncDispose]()
  })

  it('is whole to both after the upgrade, beside what was written with each compression', async () => {
    await restic(repo, ['migrate', 'upgrade_repo_v2'])
    for (const compression of ['off', 'auto', 'max']) {
      await writeFile(join(source, 'below', compression), `${compression} `.repeat(50_000))
      await restic(repo, ['backup', source, '--tag', compression, '--compression', compression])
    }
    repository = await openRepository(storage, TEST_OPTIONS)
    expect(repository.version).toBe(2)
    await expectSound()
    const { tree, parent } = await tagged('max')
    expect(parent).toBe((await tagged('auto')).id)
    expect(await filesBelow(repository, await treeOfSource(tree))).toEqual(await filesIn(source))
    expect(await restic(repo, ['check', '--read-data'])).toContain('no errors were found')
  })

  it('loses nothing of what only a file system has when Holdfast edits its folders', async () => {
    const before = await tagged('max')
    const below = `${source.slice(1)}/below`
    await repository.withWriter(async (writer) => {
      const tree = writer.edit(before.tree)
      const modifiedAt = new Date('2026-01-05T12:00:00Z')
      await tree.putFile(`${below}/new.eml`, { ...(await writer.saveFile([Buffer.from('new')])), modifiedAt })
      await tree.move(`${below}/run`, `${below}/moved`)
      const { time, paths, id: parent } = before
      await writer.saveSnapshot({ time, paths, tags: ['edited'], tree: (await tree.save())!, parent })
    })
    const edited = await tagged('edited')
    const changes = (await restic(repo, ['diff', '--metadata', '--json', before.id, edited.id]))
      .trim()
      .split('\n')
    const paths = changes.flatMap((line) => {
      const { message_type: kind, modifier, path } = JSON.parse(line) as Record<string, string>
      // A folder counts as changed when something below it is.
      return kind === 'change' && !path!.endsWith('/') ? [`${modifier} ${path!.slice(source.length)}`] : []
    })
    expect(paths.sort()).toEqual(['+ /below/moved', '+ /below/new.eml', '- /below/run'])

    const target = join(folder.path, 'restored')
    await restic(repo, ['restore', edited.id, '--target', target])
    const restored = join(target, source, 'below')
    expect(await readlink(join(restored, 'link'))).toBe('text')
    expect((await lstat(join(restored, 'pipe'))).isFIFO()).toBe(true)
    expect((await lstat(join(restored, 'moved'))).mode & 0o7777).toBe(0o4751)
    expect((await lstat(join(restored, 'moved'))).nlink).toBe(2)
    expect((await lstat(join(restored, 'empty'))).isDirectory()).toBe(true)
    expect([...(await filesIn(restored)).keys()]).toContain('tab\there "quoted" \\ ü')
  })

  it('is whole to both after each pruned what the other left', async () => {
    await restic(repo, ['forget', '--tag', 'one', '--keep-tag', 'max', '--prune', '--max-unused', '0'])
    await repository.refresh()
    await expectSound()
    await repository.forget([(await tagged('off')).id, (await tagged('auto')).id])
    await repository.prune({ keepTrees: [] })
    await expectSound()
    expect(await restic(repo, ['check', '--read-data'])).toContain('no errors were found')
    const { tree } = await tagged('max')
    expect(await filesBelow(repository, await treeOfSource(tree))).toEqual(await filesIn(source))
    await repository[Symbol.asyncDispose]()
  })
})
