import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { blobIdOf } from './format/ids.ts'
import { decodeTree } from './format/tree.ts'
import type { BlobId, FileEntry, TreeEntry } from './contract.ts'
import { EditedTree } from './tree-editor.ts'

/** Trees in memory, and how many were read. */
const treeStore = () => {
  const trees = new Map<BlobId, Uint8Array>()
  const counts = { reads: 0, saves: 0 }
  const readTree = async (id: BlobId): Promise<Uint8Array> => {
    counts.reads += 1
    return trees.get(id)!
  }
  const entriesOf = async (id: BlobId): Promise<readonly TreeEntry[]> =>
    decodeTree(trees.get(id)!).flatMap(({ entry }) => (entry === undefined ? [] : [entry]))
  const saveTree = async (tree: Uint8Array): Promise<BlobId> => {
    counts.saves += 1
    trees.set(blobIdOf(tree), tree)
    return blobIdOf(tree)
  }
  /** The text of a folder, as it is stored. */
  const textAt = async (root: BlobId, path = ''): Promise<string> => {
    let id = root
    for (const name of path === '' ? [] : path.split('/')) {
      const entry = (await entriesOf(id)).find((each) => each.name === name)
      if (entry?.type !== 'folder') throw new Error(`${path} is no folder`)
      id = entry.subtree
    }
    return Buffer.from(trees.get(id)!).toString()
  }
  const edit = (base?: BlobId, mostHeld = 10_000) => new EditedTree({ readTree, saveTree, base, mostHeld })
  const pathsBelow = async (tree: BlobId, path = ''): Promise<Map<string, FileEntry>> => {
    const files = new Map<string, FileEntry>()
    for (const entry of await entriesOf(tree)) {
      if (entry.type === 'file') files.set(path + entry.name, entry)
      else
        for (const [name, file] of await pathsBelow(entry.subtree, `${path}${entry.name}/`))
          files.set(name, file)
    }
    return files
  }
  return { edit, pathsBelow, counts, saveTree, textAt }
}

const file = (number: number): Omit<FileEntry, 'type' | 'name'> => ({
  modifiedAt: new Date(number * 1000),
  sizeBytes: number,
  content: [],
})

describe('a tree editor', () => {
  it('agrees with a plain map of paths, and its root depends on the content alone', async () => {
    const name = fc.constantFrom('a', 'b', 'c')
    const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'))
    const step = fc.oneof(
      fc.record({ kind: fc.constant('put' as const), path, number: fc.nat(9) }),
      fc.record({ kind: fc.constant('remove' as const), path }),
      fc.record({ kind: fc.constant('move' as const), path, to: path }),
      fc.record({ kind: fc.constant('save' as const) }),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 25 }),
        fc.integer({ min: 1, max: 12 }),
        async (steps, held) => {
          const store = treeStore()
          const editor = store.edit(undefined, held)
          let model = new Map<string, number>()
          const isBelow = (each: string, folder: string) => each === folder || each.startsWith(`${folder}/`)
          for (const each of steps) {
            if (each.kind === 'save') {
              await editor.save()
              continue
            }
            const below = [...model.keys()].filter((known) => isBelow(known, each.path))
            if (each.kind === 'put') {
              const isDone = await editor.putFile(each.path, file(each.number)).then(
                () => true,
                () => false,
              )
              const isInTheWay = [...model.keys()].some(
                (known) => known !== each.path && (isBelow(known, each.path) || isBelow(each.path, known)),
              )
              expect(isDone).toBe(!isInTheWay)
              if (isDone) model.set(each.path, each.number)
            } else if (each.kind === 'remove') {
              expect(await editor.remove(each.path)).toBe(below.length > 0)
              for (const known of below) model.delete(known)
            } else {
              const isDone = await editor.move(each.path, each.to).then(
                () => true,
                () => false,
              )
              if (!isDone) continue
              model = new Map(
                [...model].map(([known, number]) =>
                  isBelow(known, each.path)
                    ? [each.to + known.slice(each.path.length), number]
                    : [known, number],
                ),
              )
            }
          }
          const root = await editor.save()
          const found = root === undefined ? new Map() : await store.pathsBelow(root)
          expect(new Map([...found].map(([known, { sizeBytes }]) => [known, sizeBytes]))).toEqual(model)
          const fresh = store.edit()
          for (const [known, number] of [...model].reverse()) await fresh.putFile(known, file(number))
          expect(await fresh.save()).toBe(root)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('frees the name of a folder that was emptied', async () => {
    const editor = treeStore().edit()
    await editor.putFile('a/b/c', file(1))
    await editor.remove('a/b/c')
    expect(await editor.remove('a')).toBe(false)
    await editor.putFile('a', file(2))
    expect(await editor.get('a')).toMatchObject({ type: 'file' })
  })

  it('reads only the folders on the way to a change', async () => {
    const store = treeStore()
    const editor = store.edit()
    for (let folder = 0; folder < 50; folder += 1)
      await editor.putFile(`users/u${folder}/mail/m`, file(folder))
    const root = await editor.save()
    store.counts.reads = 0
    const next = store.edit(root)
    await next.putFile('users/u7/mail/n', file(1))
    expect(store.counts.reads).toBe(4)
    expect(await next.get('users/u7/mail/m')).toMatchObject({ type: 'file', sizeBytes: 7 })
    expect(await next.save()).not.toBe(root)
  })

  it('saves what is loaded from time to time, and a large folder not for each of its files', async () => {
    const store = treeStore()
    const many = store.edit(undefined, 40)
    for (let n = 0; n < 200; n += 1) await many.putFile(`f${Math.floor(n / 10)}/${n}`, file(n))
    // Each time the folders since the last time and the root.
    expect(store.counts.saves).toBeGreaterThan(20)
    expect(store.counts.saves).toBeLessThan(50)
    expect((await store.pathsBelow((await many.save())!)).size).toBe(200)
    store.counts.saves = 0
    const large = store.edit(undefined, 40)
    for (let n = 0; n < 2_000; n += 1) await large.putFile(`large/${n}`, file(n))
    expect(store.counts.saves).toBeLessThan(20)
  })

  it('gives a folder the time of its newest file', async () => {
    const store = treeStore()
    const editor = store.edit()
    await editor.putFile('a/b/old', file(5))
    await editor.putFile('a/new', file(9))
    expect(await editor.get('a')).toMatchObject({ type: 'folder', modifiedAt: new Date(9000) })
    expect(await editor.get('a/b')).toMatchObject({ modifiedAt: new Date(5000) })
  })

  it('hangs finished trees, lets emptied folders vanish, and is empty in the end', async () => {
    const store = treeStore()
    const part = store.edit()
    await part.putFile('x/y', file(3))
    const subtree = (await part.save())!
    const editor = store.edit()
    await editor.putTree('users/alice', subtree)
    await editor.putFile('users/alice/z', file(4))
    expect([...(await store.pathsBelow((await editor.save())!)).keys()]).toEqual([
      'users/alice/x/y',
      'users/alice/z',
    ])
    await editor.remove('users/alice/x/y')
    await editor.remove('users/alice/z')
    expect(await editor.save()).toBeUndefined()
  })

  it('refuses what would lose something', async () => {
    const editor = treeStore().edit()
    await editor.putFile('a/b', file(1))
    await editor.putFile('c', file(2))
    await expect(editor.putFile('a', file(1))).rejects.toMatchObject({ code: 'conflict' })
    await expect(editor.putFile('c/d', file(1))).rejects.toMatchObject({ code: 'conflict' })
    await expect(editor.move('a', 'c')).rejects.toMatchObject({ code: 'conflict' })
    await expect(editor.move('a', 'a/d')).rejects.toMatchObject({ code: 'invalid' })
    await expect(editor.putFile('a/"', file(1))).rejects.toMatchObject({ code: 'invalid' })
    await expect(editor.putFile('a//b', file(1))).rejects.toMatchObject({ code: 'invalid' })
  })

  it('keeps what somebody else stored byte for byte, but for what is edited', async () => {
    const store = treeStore()
    const save = (...nodes: string[]) => store.saveTree(Buffer.from(`{"nodes":[${nodes.join(',')}]}\n`))
    const owner = '"uid":1000,"gid":100,"user":"me","inode":18446744073709551615'
    const times =
      '"mtime":"2026-01-05T12:34:56.123456789+01:00","atime":"2026-01-05T12:34:56Z","ctime":"2026-01-05T12:34:56Z"'
    const attributes =
      '"extended_attributes":[{"name":"user.a","value":"YQ=="},{"name":"user.b","value":"Yg=="}]'
    const setuid = `{"name":"run\\\\tit","type":"file","mode":8389101,${times},${owner},"size":1,${attributes},"content":["${'1'.repeat(64)}"]}`
    const pipe = `{"name":"pipe","type":"fifo","mode":33554852,${times},${owner},"content":null}`
    const inner = await save(pipe, setuid)
    const folder = (name: string, subtree: string) =>
      `{"name":"${name}","type":"dir","mode":2147484159,${times},${owner},${attributes},"content":null,"subtree":"${subtree}"}`
    const base = await save(folder('below', inner), folder('empty', await save()), pipe)

    const editor = store.edit(base)
    await editor.get('below/pipe')
    expect(await editor.save()).toBe(base)
    await editor.putFile('below/new', file(1))
    const edited = (await editor.save())!
    const below = await store.textAt(edited, 'below')
    expect(below).toContain(pipe)
    expect(below).toContain(setuid)
    const subtree = /"subtree":"([0-9a-f]{64})"/.exec(await store.textAt(edited))![1]!
    expect(await store.textAt(edited)).toBe(
      `{"nodes":[${folder('below', subtree)},${folder('empty', await save())},${pipe}]}\n`,
    )
    await expect(editor.putFile('pipe', file(1))).rejects.toMatchObject({ code: 'conflict' })
    await expect(editor.putFile('pipe/x', file(1))).rejects.toMatchObject({ code: 'conflict' })

    await editor.remove('below/new')
    expect(await editor.save()).toBe(base)
    await editor.move('below/run\tit', 'below/plain')
    await editor.move('below', 'moved')
    const moved = (await editor.save())!
    expect(await store.textAt(moved, 'moved')).toContain(setuid.replace('run\\\\tit', 'plain'))
    expect(await store.textAt(moved)).toContain('{"name":"moved","type":"dir","mode":2147484159')
    await editor.remove('moved/plain')
    expect(await store.textAt((await editor.save())!, 'moved')).toBe(`{"nodes":[${pipe}]}\n`)
  })
})
