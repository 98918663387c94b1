import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import fc from 'fast-check'
import type { PracticeTenant } from '../../core/practice-tenant.ts'
import { DriveClient, errorOf, MovingClock, startDrives, type Item, type Page } from './drive-world.ts'

/** What a client knows of a drive when it has only ever read deltas. */
class Replica {
  readonly items = new Map<string, Item>()
  apply(changes: readonly Item[]): void {
    for (const item of changes) {
      if (item.deleted === undefined) this.items.set(item.id, item)
      else this.items.delete(item.id)
    }
  }
  /** Path, size and hash of everything, by names and parents alone. */
  listing(): string[] {
    return [...this.items.values()].map((item) => lineOf(this.#path(item), item)).sort()
  }
  #path(item: Item): string {
    const { id } = item.parentReference
    if (id === undefined) return ''
    const parent = this.items.get(id)
    if (parent === undefined) throw new Error(`${item.name} lies in a folder that delta has not told`)
    return `${this.#path(parent)}/${item.name}`
  }
}

/** A folder's size changes with what it holds, which is no change of the folder. */
const lineOf = (path: string, item: Item): string =>
  [
    path,
    item.id,
    item.eTag,
    item.file === undefined ? '' : item.size,
    item.file?.hashes?.quickXorHash ?? '',
  ].join(' ')

/** The same, by walking through the folders. */
const walk = async (client: DriveClient): Promise<string[]> => {
  const lines: string[] = []
  const visit = async (item: Item, path: string): Promise<void> => {
    lines.push(lineOf(path, item))
    if ((item.folder?.childCount ?? 0) === 0) return
    for (const child of (await client.pages(`/items/${item.id}/children?$top=7`)).items) {
      await visit(child, `${path}/${child.name}`)
    }
  }
  await visit(await client.item('/root'), '')
  return lines.sort()
}

interface Edit {
  readonly kind:
    'create' | 'folder' | 'content' | 'rename' | 'move' | 'delete' | 'restore' | 'purge' | 'copy' | 'share'
  readonly pick: number
  readonly other: number
}

const KINDS = [
  'create',
  'folder',
  'content',
  'rename',
  'move',
  'delete',
  'restore',
  'purge',
  'copy',
  'share',
] as const

const edits = fc.array(
  fc.record({ kind: fc.constantFrom(...KINDS), pick: fc.nat(1000), other: fc.nat(1000) }),
  { minLength: 1, maxLength: 14 },
)

class Editor {
  readonly #client: DriveClient
  readonly #deleted: string[] = []
  #n = 0
  constructor(client: DriveClient) {
    this.#client = client
  }

  /** Refusals (a folder moved into itself, a taken name) are part of the game. */
  async edit({ kind, pick, other }: Edit, known: readonly Item[]): Promise<void> {
    const item = choose(
      known.filter(({ root }) => root === undefined),
      pick,
    )
    const folder = choose(
      known.filter((each) => each.folder !== undefined && each.package === undefined),
      other,
    )!
    this.#n += 1
    const name = `new ${pick % 20}`
    const client = this.#client
    if (kind === 'create') {
      await client.call('PUT', `/items/${folder.id}:/${name}.txt:/content`, {
        body: Buffer.from(`${this.#n}`),
      })
      return
    }
    if (kind === 'folder') {
      await client.call('POST', `/items/${folder.id}/children`, { body: { name, folder: {} } })
      return
    }
    if (item === undefined) return
    switch (kind) {
      case 'content':
        await client.call('PUT', `/items/${item.id}/content`, {
          body: Buffer.from(`${this.#n}`.repeat(pick % 50)),
        })
        return
      case 'rename':
        await client.call('PATCH', `/items/${item.id}`, { body: { name: `renamed ${this.#n}` } })
        return
      case 'move':
        await client.call('PATCH', `/items/${item.id}`, { body: { parentReference: { id: folder.id } } })
        return
      case 'delete':
        await client.call('DELETE', `/items/${item.id}`)
        this.#deleted.push(item.id)
        return
      case 'restore':
        await client.call('POST', `/items/${choose(this.#deleted, pick) ?? item.id}/restore`)
        return
      case 'purge':
        await client.call('POST', `/items/${item.id}/permanentDelete`)
        return
      case 'copy':
        await client.call('POST', `/items/${item.id}/copy`, {
          body: { parentReference: { id: folder.id }, name: `copy ${this.#n}` },
        })
        return
      case 'share':
        await client.call('POST', `/items/${item.id}/createLink`, {
          body: { type: 'view', scope: 'organization' },
        })
    }
  }
}

const choose = <T>(list: readonly T[], n: number): T | undefined => list[n % Math.max(1, list.length)]

describe('delta of a drive', () => {
  const clock = new MovingClock()
  let tenant: PracticeTenant

  beforeAll(async () => {
    tenant = await startDrives(clock, { users: 4, files: 12 })
  })
  afterAll(() => tenant[Symbol.asyncDispose]())

  it('replayed gives the full listing, whatever was done in between', async () => {
    const client = DriveClient.of(tenant, 3)
    const editor = new Editor(client)
    const replica = new Replica()
    let link = '/root/delta?$top=5'
    const follow = async (): Promise<void> => {
      const round = await client.pages(link)
      replica.apply(round.items)
      link = round.link!
    }
    await follow()
    await fc.assert(
      fc.asyncProperty(edits, async (batch) => {
        for (const edit of batch) await editor.edit(edit, [...replica.items.values()])
        await follow()
        expect(replica.listing()).toEqual(await walk(client))
        const files = [...replica.items.values()].filter(({ file }) => file !== undefined)
        expect((await client.item('/root')).size).toBe(files.reduce((sum, { size }) => sum + size, 0))
      }),
      { numRuns: 25, seed: 7, endOnFailure: true },
    )
  })

  it('tells what changes while its pages are read', async () => {
    const client = DriveClient.of(tenant, 2)
    const replica = new Replica()
    const first = (await client.call('GET', '/root/delta?$top=10')).json<Page>()
    replica.apply(first.value)
    const told = first.value.find(({ file }) => file !== undefined) ?? first.value.at(-1)!
    await client.call('PATCH', `/items/${told.id}`, { body: { name: 'renamed between pages' } })
    await client.put('made between pages.txt', 'x')
    const deleted = first.value.find(({ name }) => name === 'Empty folder') ?? first.value.at(-2)!
    await client.call('DELETE', `/items/${deleted.id}`)
    const rest = await client.pages(first['@odata.nextLink']!)
    replica.apply(rest.items)
    expect(replica.listing()).toEqual(await walk(client))
    expect((await client.pages(rest.link!)).items).toEqual([])
  })

  it('begins with the root, names no path above an item, and no cTag', async () => {
    const { items } = await DriveClient.of(tenant, 0).pages('/root/delta')
    expect(items[0]).toHaveProperty('root')
    expect(
      items.filter((item) => item.parentReference.path !== undefined || item.cTag !== undefined),
    ).toEqual([])
  })

  it('brings the folders above a change along, unless told not to', async () => {
    const client = DriveClient.of(tenant, 0)
    const { link } = await client.pages('/root/delta?token=latest')
    await client.put('Documents/Finance/New.txt', 'x')
    expect((await client.pages(link!)).items.map(({ name }) => name)).toEqual([
      'root',
      'Documents',
      'Finance',
      'New.txt',
    ])
    const alone = await client.pages(link!, { headers: { deltaExcludeParent: 'true' } })
    expect(alone.items.map(({ name }) => name)).toEqual(['New.txt'])
  })

  it('shows a renamed folder alone, and a deleted one without a name', async () => {
    const client = DriveClient.of(tenant, 0)
    const folder = await client.item('/root:/Projects')
    const { link } = await client.pages('/root/delta?token=latest')
    await client.call('PATCH', `/items/${folder.id}`, { body: { name: 'Ventures' } })
    const renamed = await client.pages(link!)
    expect(renamed.items.map(({ name }) => name)).toEqual(['root', 'Ventures'])
    await client.call('DELETE', `/items/${folder.id}`)
    const gone = (await client.pages(renamed.link!)).items.find(({ id }) => id === folder.id)!
    expect(gone).toEqual({
      id: folder.id,
      folder: {},
      deleted: { state: 'deleted' },
      parentReference: { driveType: 'business', driveId: await client.id(), id: folder.parentReference.id },
    })
  })

  it('begins now with token=latest, in the function’s form, too', async () => {
    const client = DriveClient.of(tenant, 1)
    await client.put('before.txt', 'x')
    for (const form of ['/root/delta?token=latest', "/root/delta(token='latest')"]) {
      const { items, link } = await client.pages(form)
      expect(items).toEqual([])
      const name = `after ${form.length}.txt`
      await client.put(name, 'x')
      expect((await client.pages(link!)).items.map((item) => item.name)).toEqual(['root', name])
    }
  })

  it('begins at a time', async () => {
    const client = DriveClient.of(tenant, 1)
    await client.put('early.txt', 'x')
    clock.advance(60_000)
    const time = clock.now().toISOString()
    clock.advance(60_000)
    await client.put('late.txt', 'x')
    const { items } = await client.pages(`/root/delta?token=${encodeURIComponent(time)}`)
    expect(items.map(({ name }) => name)).toEqual(['root', 'late.txt'])
  })

  it('is silent about sharing unless asked', async () => {
    const client = DriveClient.of(tenant, 1)
    const file = await client.put('shared later.txt', 'x')
    const { link } = await client.pages('/root/delta?token=latest')
    await client.call('POST', `/items/${file.id}/createLink`, {
      body: { type: 'view', scope: 'organization' },
    })
    expect((await client.pages(link!)).items).toEqual([])
    const prefer =
      'deltashowremovedasdeleted, deltatraversepermissiongaps, deltashowsharingchanges, hierarchicalsharing'
    const { items } = await client.pages(link!, { headers: { prefer } })
    expect(items.at(-1)).toMatchObject({
      id: file.id,
      '@microsoft.graph.sharedChanged': 'True',
      shared: { scope: 'organization' },
    })
  })

  it('says where sharing begins with hierarchicalsharing, and all that is shared without', async () => {
    const client = DriveClient.of(tenant, 1)
    const folder = (
      await client.call('POST', '/root/children', { body: { name: 'Team', folder: {} } })
    ).json<Item>()
    await client.put('Team/plan.txt', 'x')
    await client.call('POST', `/items/${folder.id}/createLink`, {
      body: { type: 'edit', scope: 'organization' },
    })
    const sharedNames = async (headers: Record<string, string>) =>
      (await client.pages('/root/delta', { headers })).items
        .filter(({ shared, name }) => shared !== undefined && ['Team', 'plan.txt'].includes(name))
        .map(({ name }) => name)
    expect(await sharedNames({})).toEqual(['Team', 'plan.txt'])
    expect(await sharedNames({ prefer: 'hierarchicalsharing' })).toEqual(['Team'])
  })

  it('of one folder tells what comes into it and what leaves it', async () => {
    const client = DriveClient.of(tenant, 1)
    const folder = await client.item('/root:/Documents/Finance')
    const outside = (
      await client.call('POST', '/root/children', { body: { name: 'Out', folder: {} } })
    ).json<Item>()
    const file = await client.put('Documents/Finance/leaves.txt', 'x')
    await client.put('Out/comes.txt', 'x')
    const { items, link } = await client.pages(`/items/${folder.id}/delta`)
    expect(items.map(({ name }) => name)).toContain('leaves.txt')
    expect(items.map(({ name }) => name)).not.toContain('comes.txt')
    await client.call('PATCH', `/items/${file.id}`, {
      body: { parentReference: { id: (await client.item('/root')).id } },
    })
    await client.call('PATCH', `/items/${outside.id}`, { body: { parentReference: { id: folder.id } } })
    await client.put('elsewhere.txt', 'x')
    const next = (await client.pages(link!)).items
    expect(next.find(({ id }) => id === file.id)).toHaveProperty('deleted')
    expect(next.map(({ name }) => name)).toEqual(expect.arrayContaining(['Out', 'comes.txt']))
    expect(next.map(({ name }) => name)).not.toContain('elsewhere.txt')
  })

  it('answers 410 with the address of a new start to a token that is too old, and refuses nonsense', async () => {
    const client = DriveClient.of(tenant, 1)
    const { link } = await client.pages('/root/delta')
    clock.advance(70 * 24 * 3_600_000)
    const answer = await client.call('GET', link!)
    expect(errorOf(answer)).toEqual({
      status: 410,
      code: 'resyncRequired',
      inner: 'resyncChangesApplyDifferences',
    })
    const anew = await client.pages(String(answer.headers['location']))
    expect(anew.items.length).toBe((await client.pages('/root/delta')).items.length)
    expect((await client.call('GET', '/root/delta?token=nonsense')).status).toBe(400)
  })

  it('is reset once for expired-delta, and then goes on', async () => {
    const client = DriveClient.of(tenant, 'expired-delta')
    const { link } = await client.pages('/root/delta')
    const answer = await client.call('GET', link!)
    expect(answer.status).toBe(410)
    const anew = await client.pages(String(answer.headers['location']))
    await client.put('after the reset.txt', 'x')
    expect((await client.pages(anew.link!)).items.at(-1)?.name).toBe('after the reset.txt')
  })

  it('repeats items across pages for repeat-delta', async () => {
    const client = DriveClient.of(tenant, 'repeat-delta')
    const { items } = await client.pages('/root/delta?$top=5')
    const once = await client.pages('/root/delta?$top=1000')
    expect(items.length).toBeGreaterThan(once.items.length)
    expect(new Set(items.map(({ id }) => id)).size).toBe(once.items.length)
  })
})
