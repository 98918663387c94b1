import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { MailDesk } from './mail-desk.ts'
import type { Json } from './mail-desk.ts'

// Whatever happens to a mailbox: who follows delta has in the end what a full listing shows.

let desk: MailDesk
let user: string
let folders: string[]

beforeAll(async () => {
  desk = await MailDesk.open({ seed: { users: 4, mails: 24 } })
  user = desk.user(3)
  const made = await desk.post(`${user}/mailFolders`, { displayName: 'Followed' })
  folders = ['inbox', 'archive', String(made['id'])]
})
afterAll(async () => {
  await desk[Symbol.asyncDispose]()
})

/** What a client knows of a folder: ids with versions, and how to go on. */
class Follower {
  readonly known = new Map<string, string>()
  readonly #path: string
  readonly #prefer: string
  #link: string | undefined

  constructor(path: string, ids: string) {
    this.#path = path
    this.#prefer = ids
  }

  async follow(size: number): Promise<void> {
    const headers = { prefer: `odata.maxpagesize=${size}${this.#prefer}` }
    const { items, deltaLink } = await desk.all(this.#link ?? this.#path, headers)
    for (const item of items) this.#learn(item)
    this.#link = deltaLink
  }

  /** What the service says is there. */
  async listed(): Promise<Map<string, string>> {
    const path = this.#path.replace('/delta', '')
    const { items } = await desk.all(`${path}&$top=100`, { prefer: `x${this.#prefer}` })
    return new Map(
      items.map((item) => [String(item['id']), String(item['@odata.etag'] ?? item['displayName'])]),
    )
  }

  #learn(item: Json): void {
    if (item['@removed'] !== undefined) this.known.delete(String(item['id']))
    else this.known.set(String(item['id']), String(item['@odata.etag'] ?? item['displayName']))
  }
}

const messagesOf = (folder: string, ids: string): Follower =>
  new Follower(`${user}/mailFolders/${folder}/messages/delta?$select=subject`, ids)

const EDITS = ['create', 'read', 'move', 'copy', 'delete', 'purge', 'follow'] as const

interface Edit {
  readonly kind: (typeof EDITS)[number]
  readonly folder: number
  readonly pick: number
  readonly size: number
}

const pickMessage = async ({ folder, pick }: Edit): Promise<string | undefined> => {
  const { items } = await desk.all(`${user}/mailFolders/${folders[folder]}/messages?$select=id&$top=50`)
  return items.length === 0 ? undefined : String(items[pick % items.length]!['id'])
}

const apply = async (edit: Edit): Promise<void> => {
  if (edit.kind === 'create') {
    await desk.post(`${user}/mailFolders/${folders[edit.folder]}/messages`, { subject: `new ${edit.pick}` })
    return
  }
  const id = await pickMessage(edit)
  if (id === undefined) return
  const destinationId = folders[edit.pick % folders.length]
  switch (edit.kind) {
    case 'read':
      await desk.call('PATCH', `${user}/messages/${id}`, { body: { isRead: edit.pick % 2 === 0 } })
      return
    case 'move':
    case 'copy':
      await desk.post(`${user}/messages/${id}/${edit.kind}`, { destinationId })
      return
    case 'delete':
      await desk.call('DELETE', `${user}/messages/${id}`)
      return
    case 'purge':
      await desk.call('POST', `${user}/messages/${id}/permanentDelete`)
      return
    case 'follow':
      return
  }
}

const edits = fc.array(
  fc.record({
    kind: fc.constantFrom(...EDITS),
    folder: fc.nat(2),
    pick: fc.nat(50),
    size: fc.integer({ min: 1, max: 9 }),
  }),
  { minLength: 5, maxLength: 18 },
)

describe('following delta', () => {
  it.each([
    ['immutable', ', IdType="ImmutableId"'],
    ['ordinary', ''],
  ])('ends with what is listed, by %s ids', async (_name, ids) => {
    const property = fc.asyncProperty(edits, async (steps) => {
      const followers = folders.map((folder) => messagesOf(folder, ids))
      for (const step of steps) {
        await apply(step)
        if (step.kind === 'follow') await followers[step.folder]!.follow(step.size)
      }
      for (const follower of followers) {
        await follower.follow(4)
        expect(follower.known).toEqual(await follower.listed())
      }
    })
    await fc.assert(property, { numRuns: 6, seed: 2026, endOnFailure: true })
  })

  it('sees a message that leaves in the midst of the first round', async () => {
    const address = `${user}/mailFolders/inbox/messages/delta?$select=id`
    const first = await desk.get<{ value: Json[]; '@odata.nextLink': string }>(address, {
      prefer: 'odata.maxpagesize=2',
    })
    const gone = String(first.value[0]!['id'])
    await desk.call('DELETE', `${user}/messages/${gone}`)
    const { items } = await desk.all(first['@odata.nextLink'])
    expect(items.find(({ id }) => id === gone)).toMatchObject({ '@removed': { reason: 'deleted' } })
  })

  it('of folders ends with the tree that is listed', async () => {
    const links = await desk.all(`${user}/mailFolders/delta?includeHiddenFolders=true`, {
      prefer: 'odata.maxpagesize=3',
    })
    const tree = new Map(links.items.map((item) => [item['id'], item]))
    const parents = new Set(links.items.map(({ parentFolderId }) => parentFolderId))
    const listed: unknown[] = []
    for (const parent of parents) {
      const { items } = await desk.all(
        `${user}/mailFolders/${String(parent)}/childFolders?includeHiddenFolders=true&$top=50`,
      )
      listed.push(...items.map((item) => ({ '@odata.type': '#microsoft.graph.mailFolder', ...item })))
    }
    expect(new Set([...tree.values()].map((item) => JSON.stringify(item)))).toEqual(new Set(listed.map((item) => JSON.stringify(item)))) // prettier-ignore
    expect(links.pages).toBeGreaterThan(3)
  })

  it('tells only what was received since a time, when asked so', async () => {
    const { items } = await desk.all(`${user}/mailFolders/archive/messages?$select=receivedDateTime&$top=50`)
    const since = String(items[0]!['receivedDateTime'])
    const filter = `$filter=receivedDateTime ge ${since}`
    const round = await desk.all(
      `${user}/mailFolders/archive/messages/delta?$select=receivedDateTime&${filter}`,
    )
    const expected = items.filter(({ receivedDateTime }) => String(receivedDateTime) >= since)
    expect(new Set(round.items.map(({ id }) => id))).toEqual(new Set(expected.map(({ id }) => id)))
    expect(await desk.refusal('GET', `${user}/mailFolders/archive/messages/delta?$filter=isRead eq true`)).toBe('400 BadRequest') // prettier-ignore
  })
})
