import { Readable } from 'node:stream'
import { invalid, type Clock } from '#base'
import { exportEml, nameKey, storedName, zipFiles, type ZipEntry } from '#formats'
import type { Audit } from '../access/audit.ts'
import type { Principal } from '../access/principal.ts'
import type { DriveRow, MailRow } from '../catalogue/rows.ts'
import type { LocatedObject } from '../explore/point-view.ts'
import type { RestoreSession } from '../explore/restore-session.ts'
import type { RestoreSessions } from '../explore/restore-sessions.ts'
import { chosenDriveRows, chosenMails, parentsOf, savedMail, type Selection } from '../explore/saved-items.ts'
import { folderChain, type SavedFolder } from '../restore/mail-folders.ts'

/** A file to send to the caller, as a stream that fails when what it reads is damaged. */
export interface Download {
  /** Safe as a file name everywhere. */
  readonly fileName: string
  readonly contentType: string
  readonly content: Readable
}

interface ExportParts {
  readonly sessions: RestoreSessions
  readonly audit: Audit
  readonly clock: Clock
}

/** Gives items of an open restore session out as files: mail as EML, files as they are, several of either as ZIP. */
export class Exports {
  readonly #parts: ExportParts

  constructor(parts: ExportParts) {
    this.#parts = parts
  }

  async mail(
    principal: Principal,
    sessionId: string,
    mailboxId: string,
    selection: Selection,
  ): Promise<Download> {
    const { session, view } = await this.#parts.sessions.view(principal, sessionId)
    const mailbox = await view.open('mail', mailboxId)
    const single = selection.itemIds?.length === 1 ? chosenMails(mailbox, selection).next().value : undefined
    await this.#note(principal, session, mailbox, single?.subject ?? `mail of ${mailbox.displayName}`)
    if (single !== undefined) {
      const eml = emlOf(mailbox, single as MailRow)
      return { fileName: emlName(single as MailRow), contentType: 'message/rfc822', content: stream(eml) }
    }
    checkAll(chosenMails(mailbox, selection))
    return zip(`${mailbox.displayName} mail`, mailEntries(mailbox, selection))
  }

  async files(
    principal: Principal,
    sessionId: string,
    driveId: string,
    selection: Selection & { readonly asZip?: boolean },
  ): Promise<Download> {
    const { session, view } = await this.#parts.sessions.view(principal, sessionId)
    const drive = await view.open('onedrive', driveId)
    const single =
      selection.itemIds?.length === 1 ? chosenDriveRows(drive, selection).next().value : undefined
    await this.#note(principal, session, drive, single?.name ?? `files of ${drive.displayName}`)
    if (single?.kind === 'file' && selection.asZip !== true) {
      const content = stream(drive.repository.readFile(single))
      return { fileName: storedName(single.name), contentType: 'application/octet-stream', content }
    }
    checkAll(chosenDriveRows(drive, selection))
    return zip(`${drive.displayName} files`, fileEntries(drive, selection))
  }

  async #note(
    principal: Principal,
    session: RestoreSession,
    object: LocatedObject,
    name: string,
  ): Promise<void> {
    const { audit, sessions, clock } = this.#parts
    const now = clock.now()
    await audit.record({
      actor: principal,
      action: 'exports.save',
      object: object.principalName,
      result: 'done',
    })
    await sessions.note(session.id, {
      type: 'Export',
      status: 'Success',
      title: name,
      message: 'handed out as a file',
      startTime: now,
      endTime: now,
      itemName: name,
      source: object.principalName,
      target: principal.name,
    })
  }
}

const stream = (bytes: AsyncIterable<Uint8Array>): Readable => Readable.from(bytes, { objectMode: false })

const zip = (name: string, entries: AsyncIterable<ZipEntry>): Download => ({
  fileName: `${storedName(name)}.zip`,
  contentType: 'application/zip',
  content: zipFiles(entries),
})

/** A wrong id is told before the first byte is sent. */
const checkAll = (rows: Iterable<unknown>): void => {
  for (const _ of rows) return
  throw invalid('nothing is selected')
}

async function* emlOf(mailbox: LocatedObject, row: MailRow): AsyncGenerator<Uint8Array> {
  yield* exportEml(await savedMail(mailbox, row).open())
}

const emlName = (row: MailRow): string => `${storedName(row.subject.slice(0, 100) || 'no subject')}.eml`

/** Names in a ZIP are told apart whatever the letter case. */
class TakenPaths {
  readonly #taken = new Set<string>()
  free(folder: string, name: string): string {
    const dot = name.lastIndexOf('.')
    const [base, ending] = dot <= 0 ? [name, ''] : [name.slice(0, dot), name.slice(dot)]
    let path = [folder, name].filter(Boolean).join('/')
    for (let n = 2; this.#taken.has(nameKey(path)); n += 1)
      path = [folder, `${base} (${n})${ending}`].filter(Boolean).join('/')
    this.#taken.add(nameKey(path))
    return path
  }
}

async function* mailEntries(mailbox: LocatedObject, selection: Selection): AsyncGenerator<ZipEntry> {
  const { catalogue, key, version } = mailbox
  const folders = new Map<string, SavedFolder>(catalogue.allFolders(key, version).map((f) => [f.id, f]))
  const taken = new TakenPaths()
  for (const row of chosenMails(mailbox, selection)) {
    const folder = folderChain(folders, row.folderId).map(({ name }) => storedName(name))
    const when = row.receivedAt ?? row.sentAt ?? row.modifiedAt
    const name = [when?.slice(0, 10), emlName(row)].filter(Boolean).join(' ')
    yield {
      path: taken.free(folder.join('/'), name),
      modifiedAt: new Date(when ?? 0),
      open: () => emlOf(mailbox, row),
    }
  }
  await Promise.resolve()
}

async function* fileEntries(drive: LocatedObject, selection: Selection): AsyncGenerator<ZipEntry> {
  const taken = new TakenPaths()
  for (const row of chosenDriveRows(drive, selection)) {
    if (row.kind !== 'file') continue
    yield fileEntry(drive, row, taken)
  }
  await Promise.resolve()
}

const fileEntry = (drive: LocatedObject, row: DriveRow, taken: TakenPaths): ZipEntry => {
  const folder = parentsOf(drive, row).map(({ name }) => storedName(name))
  return {
    path: taken.free(folder.join('/'), storedName(row.name)),
    modifiedAt: new Date(row.modifiedAt ?? 0),
    open: () => drive.repository.readFile(row),
  }
}
