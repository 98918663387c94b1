import { GraphError } from '../core/contract.ts'
import type { Mailbox } from './mailbox.ts'
import { nextChange } from './mailbox.ts'
import { keyOf, numberOf } from './message-row.ts'
import { removeMessage, relocateMessage } from './message-changes.ts'
import { accessDenied, itemNotFound, malformedId } from './refusals.ts'

export interface FolderRow {
  readonly id: number
  readonly box: number
  readonly parent: number | null
  readonly name: string
  readonly well_known: string | null
  readonly is_hidden: number
  readonly change: number
}

interface Counts {
  readonly total: number
  readonly unread: number
}

const WELL_KNOWN: ReadonlySet<string> = new Set([
  'archive', 'clutter', 'conflicts', 'conversationhistory', 'deleteditems', 'drafts', 'inbox', 'junkemail',
  'localfailures', 'msgfolderroot', 'outbox', 'recoverableitemsdeletions', 'scheduled', 'searchfolders', 'sentitems',
  'serverfailures', 'syncissues', 'recoverableitemsroot',
]) // prettier-ignore

/** The folder by its well-known name; undefined where this mailbox has none. */
export const wellKnownFolder = (mailbox: Mailbox, name: string): FolderRow | undefined =>
  mailbox.db
    .prepare<[number, string], FolderRow>('SELECT * FROM mail_folders WHERE box = ? AND well_known = ?')
    .get(mailbox.box, name)

export const folderByKey = (mailbox: Mailbox, key: number): FolderRow | undefined =>
  mailbox.db.prepare<[number], FolderRow>('SELECT * FROM mail_folders WHERE id = ?').get(key)

/** The folder by id or well-known name. Throws 400 for what is no id and 404 for what is no more. */
export const folderOf = (mailbox: Mailbox, idOrName: string): FolderRow => {
  const name = idOrName.toLowerCase()
  const row = WELL_KNOWN.has(name)
    ? wellKnownFolder(mailbox, name)
    : folderByKey(mailbox, folderKey(mailbox, idOrName))
  if (row === undefined) throw itemNotFound()
  return row
}

const folderKey = (mailbox: Mailbox, id: string): number => {
  const named = mailbox.ids.parse(id)
  if (named.kind !== 'folder') throw malformedId()
  return keyOf(mailbox.box, named.number)
}

const countsOf = (mailbox: Mailbox, folder: number): Counts =>
  mailbox.db
    .prepare<[number], Counts>(
      'SELECT COUNT(*) AS total, COALESCE(SUM(is_read = 0), 0) AS unread FROM mail_messages WHERE folder = ?',
    )
    .get(folder)!

const childCount = (mailbox: Mailbox, folder: number): number =>
  mailbox.db
    .prepare<[number], { count: number }>(
      'SELECT COUNT(*) AS count FROM mail_folders WHERE parent = ? AND is_hidden = 0',
    )
    .get(folder)!.count

/** A folder as Graph's JSON. */
export const folderJson = (mailbox: Mailbox, row: FolderRow): Record<string, unknown> => {
  const { total, unread } = countsOf(mailbox, row.id)
  return {
    id: mailbox.ids.folder(numberOf(row.id)),
    displayName: row.name,
    parentFolderId: mailbox.ids.folder(numberOf(row.parent ?? row.id)),
    childFolderCount: childCount(mailbox, row.id),
    unreadItemCount: unread,
    totalItemCount: total,
    isHidden: row.is_hidden === 1,
  }
}

/** The folders directly below one, by name. */
export const childFolders = (mailbox: Mailbox, parent: number, isHiddenToo: boolean): FolderRow[] =>
  mailbox.db
    .prepare<[number, number], FolderRow>(
      'SELECT * FROM mail_folders WHERE parent = ? AND is_hidden <= ? ORDER BY name COLLATE NOCASE, id',
    )
    .all(parent, isHiddenToo ? 1 : 0)

/** The folder and everything below it, top first. */
const subtree = (mailbox: Mailbox, folder: number): FolderRow[] =>
  mailbox.db
    .prepare<[number], FolderRow>(
      `WITH RECURSIVE tree(id) AS (SELECT ? UNION SELECT f.id FROM mail_folders f JOIN tree ON f.parent = tree.id)
       SELECT f.* FROM mail_folders f JOIN tree ON f.id = tree.id ORDER BY f.id`,
    )
    .all(folder)

/** True for folders of the tree that people see: those below `msgfolderroot`, without it. */
export const visibleTree = (mailbox: Mailbox): ReadonlySet<number> => {
  const root = wellKnownFolder(mailbox, 'msgfolderroot')!
  return new Set(
    subtree(mailbox, root.id)
      .map(({ id }) => id)
      .filter((id) => id !== root.id),
  )
}

const folderExists = (name: string): GraphError =>
  new GraphError(409, 'ErrorFolderExists', `A folder with the specified name already exists., Could not create folder '${name}'.`) // prettier-ignore

const refuseTaken = (mailbox: Mailbox, parent: number | null, name: string, self?: number): void => {
  const taken = mailbox.db
    .prepare<[number | null, string], { id: number }>(
      'SELECT id FROM mail_folders WHERE parent = ? AND name = ? COLLATE NOCASE',
    )
    .get(parent, name)
  if (taken !== undefined && taken.id !== self) throw folderExists(name)
}

const checkedName = (name: unknown): string => {
  if (typeof name !== 'string' || name.trim() === '' || name.length > 255) {
    throw new GraphError(400, 'ErrorInvalidRequest', 'The folder display name is missing or not valid.')
  }
  return name
}

/** Makes a folder. Throws 409 `ErrorFolderExists` when its sibling has the name in any case. */
export const createFolder = (
  mailbox: Mailbox,
  parent: FolderRow,
  name: unknown,
  isHidden: boolean,
): FolderRow => {
  const checked = checkedName(name)
  return mailbox.db.transaction(() => {
    refuseTaken(mailbox, parent.id, checked)
    const { folders } = mailbox.db
      .prepare<[number], { folders: number }>(
        'UPDATE mail_boxes SET folders = folders + 1 WHERE box = ? RETURNING folders',
      )
      .get(mailbox.box)!
    const key = keyOf(mailbox.box, folders)
    mailbox.db
      .prepare(
        'INSERT INTO mail_folders (id, box, parent, name, is_hidden, change) VALUES (?, ?, ?, ?, ?, ?)',
      )
      .run(key, mailbox.box, parent.id, checked, isHidden ? 1 : 0, nextChange(mailbox))
    return folderByKey(mailbox, key)!
  })()
}

const refuseWellKnown = (row: FolderRow): void => {
  if (row.well_known !== null) throw accessDenied()
}

export const renameFolder = (mailbox: Mailbox, row: FolderRow, name: unknown): FolderRow => {
  const checked = checkedName(name)
  refuseWellKnown(row)
  return mailbox.db.transaction(() => {
    refuseTaken(mailbox, row.parent, checked, row.id)
    mailbox.db
      .prepare('UPDATE mail_folders SET name = ?, change = ? WHERE id = ?')
      .run(checked, nextChange(mailbox), row.id)
    return folderByKey(mailbox, row.id)!
  })()
}

/** Moves a folder with all below it. Its id stays, as folder ids do. */
export const moveFolder = (mailbox: Mailbox, row: FolderRow, destination: FolderRow): FolderRow => {
  refuseWellKnown(row)
  if (subtree(mailbox, row.id).some(({ id }) => id === destination.id)) {
    throw new GraphError(400, 'ErrorMoveCopyFailed', 'The move or copy operation failed.')
  }
  return mailbox.db.transaction(() => {
    refuseTaken(mailbox, destination.id, row.name, row.id)
    mailbox.db
      .prepare('UPDATE mail_folders SET parent = ?, change = ? WHERE id = ?')
      .run(destination.id, nextChange(mailbox), row.id)
    return folderByKey(mailbox, row.id)!
  })()
}

/** Removes a folder with all below it; its messages go to Recoverable Items, or for ever. */
export const deleteFolder = (mailbox: Mailbox, row: FolderRow, how: { isForEver: boolean }): void => {
  if (row.well_known !== null) {
    throw new GraphError(400, 'ErrorDeleteDistinguishedFolder', 'Distinguished folders cannot be deleted.')
  }
  const bin = wellKnownFolder(mailbox, 'recoverableitemsdeletions')!
  mailbox.db.transaction(() => {
    for (const folder of subtree(mailbox, row.id).reverse()) {
      for (const key of messageKeys(mailbox, folder.id)) {
        if (how.isForEver) removeMessage(mailbox, key)
        else relocateMessage(mailbox, key, bin.id)
      }
      mailbox.db.prepare('DELETE FROM mail_folders WHERE id = ?').run(folder.id)
      mailbox.db
        .prepare('INSERT INTO mail_removed_folders (box, change, folder) VALUES (?, ?, ?)')
        .run(mailbox.box, nextChange(mailbox), folder.id)
    }
  })()
}

const messageKeys = (mailbox: Mailbox, folder: number): number[] =>
  mailbox.db
    .prepare<[number], { id: number }>('SELECT id FROM mail_messages WHERE folder = ? ORDER BY id')
    .all(folder)
    .map(({ id }) => id)
