import type { MailItem } from '#items'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { GraphMailbox } from '../mail/graph-mailbox.ts'
import { bytesOf, ImpatientClock, inPieces, practice } from './practice.ts'

type World = Awaited<ReturnType<typeof practice>>

const allOf = async (mailbox: GraphMailbox, folderId: string, token?: string) => {
  const items = new Map<string, MailItem>()
  const removed: string[] = []
  let last = token ?? ''
  for await (const page of mailbox.changes(folderId, token)) {
    page.items.forEach((item) => items.set(item.id, item))
    removed.push(...page.removed)
    last = page.token
  }
  return { items: [...items.values()], removed, token: last }
}

const folderNamed = async (mailbox: GraphMailbox, wellKnownName: string) =>
  (await mailbox.folders()).find((folder) => folder.wellKnownName === wellKnownName)!

async function* nothing(): AsyncGenerator<never> {
  // no attachments
}

describe('a mailbox', () => {
  let world: World
  let mailbox: GraphMailbox
  const clock = new ImpatientClock()
  beforeAll(async () => {
    world = await practice({ users: 4, mails: 250, files: 2 }, { connectors: { clock } })
    mailbox = world.connection.mailbox(world.idOf(0))
  })
  afterAll(() => world[Symbol.asyncDispose]())
  beforeEach(() => world.tenant.faults.clear())

  it('shows its whole tree: nested, hidden, well-known and Recoverable Items, parents first', async () => {
    const folders = await mailbox.folders()
    const seen = new Set<string>()
    for (const folder of folders) {
      if (folder.parentId !== undefined) expect(seen).toContain(folder.parentId)
      seen.add(folder.id)
    }
    const known = folders.map((folder) => folder.wellKnownName)
    expect(known).toEqual(
      expect.arrayContaining(['inbox', 'sentitems', 'drafts', 'deleteditems', 'recoverableitemsdeletions']),
    )
    expect(folders.some((folder) => folder.isHidden)).toBe(true)
    expect(folders.some((folder) => folder.parentId !== undefined)).toBe(true)
  })

  it('gives every message once with its body, in pages that say how to go on', async () => {
    const inbox = await folderNamed(mailbox, 'inbox')
    const { items } = await allOf(mailbox, inbox.id)
    expect(items).toHaveLength(inbox.itemCount)
    const whole = items.every((item) => item.graph.body !== undefined && item.folderId === inbox.id)
    expect(whole).toBe(true)
    let first: string | undefined
    for await (const page of mailbox.changes(inbox.id)) {
      first = page.token
      break
    }
    expect(first).toMatch(/^\/users\//)
  })

  it('costs one request when nothing changed', async () => {
    const inbox = await folderNamed(mailbox, 'inbox')
    const { token } = await allOf(mailbox, inbox.id)
    const before = world.connection.traffic().requests
    expect(await allOf(mailbox, inbox.id, token)).toMatchObject({ items: [], removed: [] })
    expect(world.connection.traffic().requests - before).toBe(1)
  })

  it('sees changes, moves and deletions since a token', async () => {
    const [inbox, archive] = [await folderNamed(mailbox, 'inbox'), await folderNamed(mailbox, 'archive')]
    const from = await allOf(mailbox, inbox.id)
    const into = await allOf(mailbox, archive.id)
    const [read, moved, deleted] = from.items
    await mailbox.updateMessage(read!.id, { ...read!, isRead: !read!.isRead, categories: ['Blue'] })
    await mailbox.moveMessage(moved!.id, archive.id)
    await mailbox.deleteMessage(deleted!.id)
    const later = await allOf(mailbox, inbox.id, from.token)
    const changed = later.items.find(({ id }) => id === read!.id)
    expect(changed).toMatchObject({ isRead: !read!.isRead, categories: ['Blue'], subject: read!.subject })
    expect(later.removed.toSorted()).toEqual([moved!.id, deleted!.id].toSorted())
    const arrived = await allOf(mailbox, archive.id, into.token)
    expect(arrived.items.map(({ id }) => id)).toEqual([moved!.id])
  })

  it('asks to start again when the token has lapsed', async () => {
    const inbox = await folderNamed(mailbox, 'inbox')
    const { token } = await allOf(mailbox, inbox.id)
    world.tenant.faults.addRule({ path: '*/messages/delta*', status: 410, code: 'syncStateNotFound' })
    await expect(allOf(mailbox, inbox.id, token)).rejects.toMatchObject({ reason: 'resync' })
  })

  it('asks for smaller pages when the service chokes on a large one', async () => {
    const inbox = await folderNamed(mailbox, 'inbox')
    world.tenant.faults.addRule({ path: '*/messages/delta*', status: 504, times: 6 })
    expect((await allOf(mailbox, inbox.id)).items.length).toBeGreaterThan(0)
  })

  it('says of somebody without a mailbox that there is none', async () => {
    const without = world.people.find(({ mailboxKind }) => mailboxKind === 'none')!
    await expect(world.connection.mailbox(without.id).folders()).rejects.toMatchObject({
      code: 'not-found',
      reason: 'no-mailbox',
    })
  })

  it('never has more than four calls running and meets no refusal', async () => {
    const folders = await mailbox.folders()
    const all = await Promise.all(folders.map((folder) => allOf(mailbox, folder.id)))
    const withAttachments = all.flatMap(({ items }) => items).filter(({ hasAttachments }) => hasAttachments)
    const throttledBefore = world.connection.traffic().throttled
    await Promise.all(withAttachments.map(async (item) => await Array.fromAsync(mailbox.attachments(item))))
    expect(Math.max(...Object.values(world.tenant.counters.view().mostConcurrent))).toBeLessThanOrEqual(4)
    expect(world.connection.traffic().throttled).toBe(throttledBefore)
  })

  it('puts every message of a mailbox into another as it was', { timeout: 60_000 }, async () => {
    const target = world.connection.mailbox(world.idOf(1))
    const folder = await target.createFolder('Restored')
    let restored = 0
    for (const source of await mailbox.folders()) {
      for (const item of (await allOf(mailbox, source.id)).items) {
        if (restored >= 120) break
        const made = await target.createMessage(folder.id, { item, attachments: mailbox.attachments(item) })
        restored += 1
        expect(essenceOf(made)).toEqual(essenceOf(item))
        expectSameAttachments(await attachmentsOf(target, made), await attachmentsOf(mailbox, item))
      }
    }
    expect(restored).toBe(120)
  })

  it('restores a large attachment by pieces', async () => {
    const target = world.connection.mailbox(world.idOf(1))
    const folder = await target.createFolder('Large')
    const [item] = (await allOf(mailbox, (await folderNamed(mailbox, 'sentitems')).id)).items
    const bytes = Buffer.alloc(7_500_001, 'large')
    const attachment = {
      id: 'x',
      kind: 'file' as const,
      name: 'large.bin',
      contentType: 'application/octet-stream',
      sizeBytes: bytes.length,
      isInline: false,
      graph: {},
    }
    const large = async function* (contentLength?: number) {
      const length = contentLength === undefined ? {} : { contentLength }
      yield await Promise.resolve({ attachment, content: inPieces(bytes), ...length })
    }
    for (const attachments of [large(bytes.length), large()]) {
      const made = await target.createMessage(folder.id, { item: item!, attachments })
      const [put] = await attachmentsOf(target, { ...made, hasAttachments: true })
      expect(put?.bytes.equals(bytes)).toBe(true)
    }
  })

  it('leaves no half-made message behind when an attachment fails', async () => {
    const target = world.connection.mailbox(world.idOf(1))
    const folder = await target.createFolder('Half')
    const [item] = (await allOf(mailbox, (await folderNamed(mailbox, 'inbox')).id)).items
    const failing = async function* () {
      await Promise.reject(new Error('source lost'))
      yield* nothing()
    }
    await expect(target.createMessage(folder.id, { item: item!, attachments: failing() })).rejects.toThrow(
      'source lost',
    )
    expect((await allOf(target, folder.id)).items).toEqual([])
    const deleted = await allOf(target, (await folderNamed(target, 'deleteditems')).id)
    expect(deleted.items.some(({ internetMessageId }) => internetMessageId === item!.internetMessageId)).toBe(
      false,
    )
  })

  it('makes one message, not two, when the answer to the first try is lost', async () => {
    const target = world.connection.mailbox(world.idOf(1))
    const folder = await target.createFolder('Lost')
    const items = (await allOf(mailbox, (await folderNamed(mailbox, 'inbox')).id)).items
    const item = items.find(({ internetMessageId, hasAttachments }) => internetMessageId && !hasAttachments)!
    world.tenant.faults.addRule({ path: '*/messages', method: 'POST', kind: 'lost' })
    const made = await target.createMessage(folder.id, { item, attachments: nothing() })
    expect((await allOf(target, folder.id)).items.map(({ id }) => id)).toEqual([made.id])
  })

  it('puts an attachment once when the answer to it is lost', async () => {
    const target = world.connection.mailbox(world.idOf(1))
    const folder = await target.createFolder('Lost attachments')
    const { items } = await allOf(mailbox, (await folderNamed(mailbox, 'inbox')).id)
    const item = items.find(({ hasAttachments }) => hasAttachments)!
    const originals = await attachmentsOf(mailbox, item)
    for (const kind of ['lost', 'cut'] as const) {
      world.tenant.faults.addRule({ path: '*/attachments', method: 'POST', kind })
      const made = await target.createMessage(folder.id, { item, attachments: mailbox.attachments(item) })
      expectSameAttachments(await attachmentsOf(target, made), originals)
    }
  })

  it('finds messages by their Internet id, and the folder that is there already', async () => {
    const inbox = await folderNamed(mailbox, 'inbox')
    const item = (await allOf(mailbox, inbox.id)).items.find(({ internetMessageId }) => internetMessageId)!
    const found = await mailbox.messagesByInternetId(inbox.id, item.internetMessageId!)
    expect(found.map(({ id }) => id)).toContain(item.id)
    const folder = await mailbox.createFolder('O’Neill & Söhne / 100%')
    const child = await mailbox.createFolder('Inner', folder.id)
    expect((await mailbox.createFolder('o’neill & söhne / 100%')).id).toBe(folder.id)
    expect(child.parentId).toBe(folder.id)
    expect((await mailbox.createFolder('Inner', folder.id)).id).toBe(child.id)
  })

  it('has no message for an id that is gone', async () => {
    const inbox = await folderNamed(mailbox, 'inbox')
    const [item] = (await allOf(mailbox, inbox.id)).items
    expect((await mailbox.message(item!.id))?.subject).toBe(item!.subject)
    expect(await mailbox.message(`${item!.id.slice(0, -4)}AAAA`)).toBeUndefined()
  })
})

/** What a restored message has in common with its original. */
function essenceOf(item: MailItem) {
  const { subject, from, to, cc, bcc, receivedAt, sentAt, isRead, isDraft, isFlagged } = item
  const { importance, categories, internetMessageId, body, headers } = item
  return {
    ...{ subject, from, to, cc, bcc, receivedAt, sentAt, isRead, isDraft, isFlagged },
    ...{ importance, categories, internetMessageId, body },
    // A line that a mailbox file put among the headers is no header to Exchange.
    headers: headers.filter(({ name }) => !/\s/.test(name)),
  }
}

interface FoundAttachment {
  readonly kind: string
  readonly name: string
  readonly contentType: string
  readonly isInline: boolean
  readonly contentId: string | undefined
  readonly bytes: Buffer
}

async function attachmentsOf(mailbox: GraphMailbox, item: MailItem): Promise<FoundAttachment[]> {
  if (!item.hasAttachments) return []
  const found = []
  for await (const { attachment, content } of mailbox.attachments(item)) {
    const { kind, name, contentType, isInline, contentId } = attachment
    found.push({ kind, name, contentType, isInline, contentId, bytes: await bytesOf(content) })
  }
  return found
}

function expectSameAttachments(made: FoundAttachment[], originals: FoundAttachment[]): void {
  expect(made).toHaveLength(originals.length)
  for (const [index, original] of originals.entries()) {
    const copy = made[index]!
    if (original.kind !== 'item') expect(copy).toEqual(original)
    // An attached message comes back as a file with all of it.
    else {
      expect(copy).toMatchObject({ kind: 'file', contentType: 'message/rfc822', isInline: original.isInline })
      expect(copy.bytes.equals(original.bytes)).toBe(true)
    }
  }
}
