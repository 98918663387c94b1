import type { MailItem } from '#items'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { bytesOf, ImpatientClock, inPieces, practice } from './practice.ts'

type World = Awaited<ReturnType<typeof practice>>

describe('with one call in five going wrong', () => {
  let world: World
  beforeAll(async () => {
    world = await practice(
      { users: 2, mails: 30, files: 15 },
      { connectors: { clock: new ImpatientClock() } },
    )
  })
  afterAll(() => world[Symbol.asyncDispose]())
  beforeEach(() => world.tenant.faults.clear())

  const storm = (seed: number) =>
    world.tenant.faults.setPlan({
      seed,
      rates: {
        throttled: 0.05,
        unavailable: 0.04,
        emptyUnavailable: 0.02,
        timeout: 0.03,
        cut: 0.04,
        lost: 0.03,
      },
    })

  const readMailbox = async () => {
    const mailbox = world.connection.mailbox(world.idOf(0))
    const found: string[] = []
    for (const folder of await mailbox.folders()) {
      for await (const { items } of mailbox.changes(folder.id)) {
        for (const item of items) found.push(JSON.stringify([item.graph, await attachmentHashes(item)]))
      }
    }
    return found
  }

  const attachmentHashes = async (item: MailItem) => {
    const mailbox = world.connection.mailbox(world.idOf(0))
    if (!item.hasAttachments) return []
    const found: string[] = []
    for await (const { content } of mailbox.attachments(item))
      found.push((await bytesOf(content)).toString('base64'))
    return found
  }

  const readDrive = async () => {
    const drive = world.connection.drive(world.idOf(1))
    const found = new Map<string, number>()
    for await (const { items } of drive.changes()) {
      for (const item of items) {
        if (item.kind !== 'file' || item.isMalware) continue
        found.set(item.id, (await bytesOf(drive.content(item))).length)
      }
    }
    return found
  }

  it('a mailbox is read as without', async () => {
    const calm = await readMailbox()
    storm(11)
    expect(await readMailbox()).toEqual(calm)
    expect(world.connection.traffic().retried).toBeGreaterThan(10)
  })

  it('a drive is read as without', async () => {
    const calm = await readDrive()
    storm(12)
    expect(await readDrive()).toEqual(calm)
  })

  it('every message is restored once', async () => {
    const source = world.connection.mailbox(world.idOf(0))
    const target = world.connection.mailbox(world.idOf(1))
    const folder = await target.createFolder('Storm')
    const inbox = (await source.folders()).find(({ wellKnownName }) => wellKnownName === 'inbox')!
    const originals: MailItem[] = []
    for await (const { items } of source.changes(inbox.id)) originals.push(...items)
    const identified = originals.filter(({ internetMessageId }) => internetMessageId).slice(0, 25)
    storm(13)
    for (const item of identified) {
      await target.createMessage(folder.id, { item, attachments: source.attachments(item) })
    }
    world.tenant.faults.clear()
    const restored: (string | undefined)[] = []
    for await (const { items } of target.changes(folder.id)) {
      restored.push(...items.map(({ internetMessageId }) => internetMessageId))
    }
    expect(restored.toSorted()).toEqual(
      identified.map(({ internetMessageId }) => internetMessageId).toSorted(),
    )
  })

  it('every file is uploaded once', async () => {
    const drive = world.connection.drive(world.idOf(1))
    const folder = await drive.createFolder((await drive.root()).id, 'Storm')
    storm(14)
    const sizes = [0, 10, 100_000, 4_000_000, 5_000_000, 12_000_000]
    for (const sizeBytes of sizes) {
      const upload = { parentId: folder.id, name: `${sizeBytes}.bin`, sizeBytes, onConflict: 'fail' as const }
      await drive.upload(upload, inPieces(Buffer.alloc(sizeBytes, 'storm')))
    }
    world.tenant.faults.clear()
    for (const sizeBytes of sizes) {
      const item = await drive.child(folder.id, `${sizeBytes}.bin`)
      expect((await bytesOf(drive.content(item!))).equals(Buffer.alloc(sizeBytes, 'storm'))).toBe(true)
    }
  })
})
