import type { Command } from 'commander'
import { notFound } from '#base'
import type { ServerConnection } from '../connection.ts'
import { sizeText, table, timeText } from '../output.ts'
import { allOf, type WithContext } from './command.ts'
import {
  exploring,
  type DriveItemView,
  type ExploreOptions,
  type MailboxView,
  type MailFolderView,
  type MailItemView,
  type OneDriveView,
} from './explore.ts'

/** Options that choose what is looked at. */
export const withPointOptions = (command: Command): Command =>
  command
    .option('--organization <name-or-id>', 'the only one when left out')
    .option('--job <name-or-id>', 'restore points of this job alone')
    .option('--at <date>', 'as it was at this time (ISO 8601); the newest state when left out')

const same = (a: string, b: string | undefined): boolean => a.toLowerCase() === b?.toLowerCase()

export const findMailbox = async (
  server: ServerConnection,
  base: string,
  user: string,
): Promise<MailboxView> => {
  for await (const mailbox of allOf<MailboxView>(server, `${base}/organization/mailboxes`))
    if (same(user, mailbox.email) || same(user, mailbox.id) || same(user, mailbox.name)) return mailbox
  throw notFound(`there is no mailbox of ${user} at this restore point`)
}

export const findDrive = async (
  server: ServerConnection,
  base: string,
  user: string,
): Promise<OneDriveView> => {
  for await (const drive of allOf<OneDriveView>(server, `${base}/organization/oneDrives`))
    if (same(user, drive.id) || same(user, drive.name)) return drive
  // The server knows principal names too.
  return server.get<OneDriveView>(`${base}/organization/oneDrives/${encodeURIComponent(user)}`)
}

/** A folder by its path of names: `Inbox/Projects`. */
export const findMailFolder = async (
  server: ServerConnection,
  mailbox: string,
  path: string,
): Promise<string> => {
  let parentId = 'null'
  for (const name of path.split('/').filter(Boolean)) {
    const folders = await Array.fromAsync(allOf<MailFolderView>(server, `${mailbox}/folders`, { parentId }))
    const folder = folders.find((f) => same(name, f.name))
    if (folder === undefined) throw notFound(`there is no folder ${path} at this restore point`)
    parentId = folder.id
  }
  return parentId
}

/** A file or folder of a drive by its path; `kind` tells which it is. */
export const findDriveItem = async (
  server: ServerConnection,
  drive: string,
  path: string,
): Promise<{ readonly kind: 'root' | 'folder' | 'document'; readonly id: string }> => {
  let parentId = 'null'
  const names = path.split('/').filter(Boolean)
  for (const [depth, name] of names.entries()) {
    const folders = await Array.fromAsync(allOf<DriveItemView>(server, `${drive}/folders`, { parentId }))
    const folder = folders.find((f) => same(name, f.name))
    if (folder !== undefined) {
      parentId = folder.id
      continue
    }
    const files = await Array.fromAsync(allOf<DriveItemView>(server, `${drive}/documents`, { parentId }))
    const file = files.find((f) => same(name, f.name))
    if (file === undefined || depth < names.length - 1)
      throw notFound(`there is no ${path} at this restore point`)
    return { kind: 'document', id: file.id }
  }
  return parentId === 'null' ? { kind: 'root', id: 'null' } : { kind: 'folder', id: parentId }
}

interface BrowseOptions extends ExploreOptions {
  readonly search?: string
  readonly limit: string
}

export const addBrowseCommands = (program: Command, withContext: WithContext): void => {
  const group = program.command('browse').description('look into restore points')

  withPointOptions(group.command('mailboxes'))
    .description('list the mailboxes of a restore point')
    .action(async (options: ExploreOptions, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const found = await exploring(server, 'Vex', options, (base) =>
          Array.fromAsync(allOf<MailboxView>(server, `${base}/organization/mailboxes`)),
        )
        output.result(found, () =>
          table(
            ['name', 'address', 'id'],
            found.map((m) => [m.name, m.email, m.id]),
            'No mailbox has been backed up.',
          ),
        )
      }),
    )

  withPointOptions(group.command('mail <user> [folder]'))
    .description('list folders and messages; a folder is a path such as Inbox/Projects')
    .option('--limit <n>', 'how many messages', '30')
    .action(async (user: string, folder: string | undefined, options: BrowseOptions, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const found = await exploring(server, 'Vex', options, async (base) => {
          const mailbox = await findMailbox(server, base, user)
          const path = `${base}/organization/mailboxes/${mailbox.id}`
          const parentId = await findMailFolder(server, path, folder ?? '')
          const folders = await Array.fromAsync(
            allOf<MailFolderView>(server, `${path}/folders`, { parentId }),
          )
          if (parentId === 'null') return { folders, items: [] }
          const query = { parentId, limit: options.limit }
          const { results } = await server.get<{ results: MailItemView[] }>(`${path}/items`, query)
          return { folders, items: results }
        })
        output.result(found, () =>
          [
            table(
              ['folder'],
              found.folders.map((f) => [f.name]),
              'No folders.',
            ),
            table(
              ['received', 'from', 'subject', 'id'],
              found.items.map((i) => [timeText(i.received), i.from, i.subject, i.id]),
              'No messages.',
            ),
          ].join('\n'),
        )
      }),
    )

  withPointOptions(group.command('files <user> [folder]'))
    .description('list folders and files of a OneDrive')
    .action(async (user: string, folder: string | undefined, options: BrowseOptions, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const found = await exploring(server, 'Veod', options, async (base) => {
          const drive = `${base}/organization/oneDrives/${(await findDrive(server, base, user)).id}`
          const { id: parentId } = await findDriveItem(server, drive, folder ?? '')
          return {
            folders: await Array.fromAsync(allOf<DriveItemView>(server, `${drive}/folders`, { parentId })),
            files: await Array.fromAsync(allOf<DriveItemView>(server, `${drive}/documents`, { parentId })),
          }
        })
        const rows = [
          ...found.folders.map((f) => [`${f.name}/`, '', timeText(f.modificationTime), f.id]),
          ...found.files.map((f) => [f.name, sizeText(f.sizeBytes), timeText(f.modificationTime), f.id]),
        ]
        output.result(found, () => table(['name', 'size', 'modified', 'id'], rows, 'The folder is empty.'))
      }),
    )
}
