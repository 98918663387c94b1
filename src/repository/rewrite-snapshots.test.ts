import { describe, expect, it } from 'vitest'
import { memoryStorage } from '#storage'
import type { BlobId, RepositoryWriter, TreeEntry } from './contract.ts'
import { initRepository } from './repository.ts'
import { TEST_OPTIONS } from './tests/fixtures.ts'

const AT = new Date('2026-01-02T03:04:05Z')

const treeOf = async (writer: RepositoryWriter, paths: readonly string[]): Promise<BlobId> => {
  const tree = writer.edit()
  for (const path of paths) {
    const saved = await writer.saveFile([Buffer.from(path)])
    await tree.putFile(path, { ...saved, modifiedAt: AT })
  }
  return (await tree.save())!
}

const repositoryWith = async (...points: readonly (readonly string[])[]) => {
  const repository = await initRepository(memoryStorage(), TEST_OPTIONS)
  const snapshots = await repository.withWriter(async (writer) => {
    const made = []
    for (const [at, paths] of points.entries()) {
      const tree = await treeOf(writer, paths)
      const time = new Date(AT.getTime() + at * 1000)
      made.push(await writer.saveSnapshot({ time, tree, paths: ['/o'], tags: [`n:${at}`] }))
    }
    return made
  })
  return { repository, snapshots }
}

describe('writing snapshots again', () => {
  it('leaves out paths, and keeps time, paths, tags and the first name', async () => {
    const { repository, snapshots } = await repositoryWith(['a/x', 'a/y', 'b/z'], ['a/x', 'b/z'])
    await using _ = repository
    const report = await repository.rewrite(
      snapshots.map(({ id }) => id),
      (editor) => editor.removePaths(['a/x', 'not/there']),
    )
    const after = await repository.snapshots()
    expect(after.map(({ id }) => id)).toEqual(report.map(({ to }) => to))
    expect(after).toMatchObject(
      snapshots.map(({ id, time, tags, paths }) => ({ original: id, time, tags, paths })),
    )
    expect(await repository.entryAt(after[0]!.tree, 'a/x')).toBeUndefined()
    expect(await repository.entryAt(after[0]!.tree, 'a/y')).toBeDefined()
    expect(await repository.entryAt(after[1]!.tree, 'a')).toBeUndefined()
    expect((await repository.check({ readData: true })).problems).toEqual([])
  })

  it('asks once about what snapshots share', async () => {
    const { repository, snapshots } = await repositoryWith(['a/x', 'a/y', 'b'], ['a/x', 'a/y', 'c'])
    await using _ = repository
    const asked: string[] = []
    const decide = (path: string, entry: TreeEntry) => {
      asked.push(path)
      return path === 'a/y' ? ('drop' as const) : entry.type === 'folder' ? ('enter' as const) : 'keep'
    }
    await repository.rewrite(
      snapshots.map(({ id }) => id),
      (editor) => editor.filter(decide),
    )
    expect(asked.filter((path) => path.startsWith('a/'))).toEqual(['a/x', 'a/y'])
  })

  it('lets a snapshot be that nothing changes in, and removes one that nothing is left of', async () => {
    const { repository, snapshots } = await repositoryWith(['a'], ['b'])
    await using _ = repository
    const [first, second] = snapshots
    const report = await repository.rewrite([first!.id, second!.id], (editor) => editor.removePaths(['a']))
    expect(report).toEqual([
      { from: first!.id, to: undefined },
      { from: second!.id, to: second!.id },
    ])
    expect(await repository.snapshots()).toMatchObject([{ id: second!.id }])
  })
})
