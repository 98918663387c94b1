import { createHash } from 'node:crypto'
import { expect } from 'vitest'
import type { DriveRow, MailRow } from '#engine'
import type { LiveTenant, LiveUser } from './live-tenant.ts'
import type { SavedContent } from './saved-content.ts'

const EVERYTHING = { offset: 0, limit: 100_000 }

/** What the tenant holds now and what the newest restore point holds are the same, each item once. */
export const expectEqualToTenant = async (
  tenant: LiveTenant,
  saved: SavedContent,
  why: string,
): Promise<void> => {
  await saved.catalogue.sync()
  await saved.catalogue.load()
  const files = await saved.newestFiles()
  const [newest] = saved.catalogue.points()
  if (newest === undefined) throw new Error(`there is no restore point; ${why}`)
  const versions = new Map(
    saved.catalogue.objectsAt(newest.snapshot).map(({ key, version }) => [key, version]),
  )
  let rows = 0
  for (const user of tenant.users) {
    rows += await expectEqualMail(tenant, saved, user, versions, why)
    rows += await expectEqualFiles(tenant, saved, user, versions, why)
  }
  // A second copy of an item would be a file that no row names.
  expect(files.size, `files in the tree; ${why}`).toBe(rows)
}

const expectEqualMail = async (
  tenant: LiveTenant,
  { catalogue }: SavedContent,
  { id, userPrincipalName }: LiveUser,
  versions: ReadonlyMap<string, number>,
  why: string,
): Promise<number> => {
  const key = `mail-${id}`
  const version = versions.get(key)
  if (version === undefined) return 0
  const saved = catalogue.items(key, version, undefined, EVERYTHING).items as MailRow[]
  const live: string[] = []
  for (const folder of catalogue.allFolders(key, version))
    for (const message of await tenant.messages(id, folder.id))
      live.push(`${message.id} ${message.changeKey}`)
  const had = saved.map((row) => `${row.id} ${row.changeKey}`)
  expect(had.sort(), `mail of ${userPrincipalName}; ${why}`).toEqual(live.sort())
  const visible = new Set((await tenant.messages(id)).map((message) => message.id))
  expect(saved.filter((row) => visible.has(row.id)).length, `folders of ${userPrincipalName}; ${why}`).toBe(
    visible.size,
  )
  return saved.length
}

const expectEqualFiles = async (
  tenant: LiveTenant,
  saved: SavedContent,
  { id, userPrincipalName }: LiveUser,
  versions: ReadonlyMap<string, number>,
  why: string,
): Promise<number> => {
  const key = `onedrive-${id}`
  const version = versions.get(key)
  if (version === undefined) return 0
  const rows = (saved.catalogue.items(key, version, undefined, EVERYTHING).items as DriveRow[]).filter(
    ({ kind }) => kind === 'file',
  )
  const live = await tenant.files(id)
  const seen = ({ id: item, name, size, quickXorHash, parent }: Record<string, unknown>): string =>
    JSON.stringify([item, name, size, quickXorHash, parent])
  expect(
    rows.map(({ sizeBytes: size, parentId: parent, ...row }) => seen({ ...row, size, parent })).sort(),
    `files of ${userPrincipalName}; ${why}`,
  ).toEqual(
    live
      .map(({ file, parentReference, ...item }) =>
        seen({ ...item, quickXorHash: file?.hashes?.quickXorHash, parent: parentReference?.id }),
      )
      .sort(),
  )
  for (const row of rows.slice(0, 8)) {
    const bytes = await tenant.fileBytes(id, row.id)
    expect(await saved.hashOf(row), `${row.name}; ${why}`).toBe(
      createHash('sha256').update(bytes).digest('hex'),
    )
  }
  return rows.length
}
