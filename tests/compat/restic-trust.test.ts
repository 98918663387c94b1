import { execFile } from 'node:child_process'
import { mkdir, readdir, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { initRepository, openRepository } from '#repository'
import { localStorage } from '#storage'
import { TEST_OPTIONS, temporaryFolder } from '../../src/repository/tests/fixtures.ts'

// Copies and repairs of ours, judged by stock restic.

const run = promisify(execFile)

const restic = async (repo: string, ...args: string[]): Promise<string> => {
  const env = { ...process.env, RESTIC_REPOSITORY: repo, RESTIC_PASSWORD: TEST_OPTIONS.password }
  return (await run('restic', ['--no-cache', ...args], { env, maxBuffer: 1 << 26 })).stdout
}

/** The first line names the snapshot, which has another id in a copy. */
const entries = async (repo: string): Promise<string[]> =>
  (await restic(repo, 'ls', '--long', 'latest')).split('\n').slice(1)

const makeSource = async (folder: string): Promise<string> => {
  const source = join(folder, 'source')
  await mkdir(join(source, 'below'), { recursive: true })
  await writeFile(join(source, 'tab\there'), 'odd')
  await writeFile(join(source, 'below', 'text'), 'text '.repeat(100_000))
  await writeFile(join(source, 'sparse'), '')
  await truncate(join(source, 'sparse'), 3_000_000)
  await symlink('below/text', join(source, 'link'))
  return source
}

describe('stock restic on what Holdfast copied and repaired', () => {
  it.each(['1', '2'])(
    'finds version %s of its own, copied by us, the same entry for entry',
    async (version) => {
      await using folder = await temporaryFolder()
      const [theirs, ours] = [join(folder.path, 'theirs'), join(folder.path, 'ours')]
      await restic(theirs, 'init', '--repository-version', version)
      await restic(theirs, 'backup', await makeSource(folder.path), '--tag', 'one')
      await using source = await openRepository(localStorage(theirs), TEST_OPTIONS)
      await using target = await initRepository(localStorage(ours), TEST_OPTIONS)
      expect((await target.copyFrom(source, {})).copied).toHaveLength(1)
      expect(await restic(ours, 'check', '--read-data')).toContain('no errors were found')
      expect(await entries(ours)).toEqual(await entries(theirs))
      expect(await target.copyFrom(source, {})).toMatchObject({ copied: [], alreadyThere: 1 })
      if (version === '2') return
      await expect(source.withWriter(async () => {})).rejects.toMatchObject({ code: 'not-built' })
      expect((await source.verify({ data: 'all' })).problems).toEqual([])
      expect(await restic(theirs, 'check')).toContain('no errors were found')
    },
  )

  it('finds no error after a repair of lost indexes and a lost pack', async () => {
    await using folder = await temporaryFolder()
    const [theirs, copy] = [join(folder.path, 'theirs'), join(folder.path, 'copy')]
    await restic(theirs, 'init')
    await restic(theirs, 'backup', await makeSource(folder.path))
    await using other = await initRepository(localStorage(copy), TEST_OPTIONS)
    {
      await using source = await openRepository(localStorage(theirs), TEST_OPTIONS)
      await other.copyFrom(source, {})
    }
    for (const name of await readdir(join(theirs, 'index'))) await rm(join(theirs, 'index', name))
    const [first] = (await readdir(join(theirs, 'data'), { recursive: true })).filter(
      (path) => path.length > 60,
    )
    await rm(join(theirs, 'data', first!))
    await using damaged = await openRepository(localStorage(theirs), TEST_OPTIONS)
    const report = await damaged.repair({ sources: [other] })
    expect(report).toMatchObject({ lostBlobs: [], notes: [] })
    expect(await restic(theirs, 'check', '--read-data')).toContain('no errors were found')
  })
})
