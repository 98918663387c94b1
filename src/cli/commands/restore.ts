import type { Command } from 'commander'
import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { systemClock } from '#base'
import type { ServerConnection } from '../connection.ts'
import { statusText, type Output } from '../output.ts'
import { progressBar } from '../progress.ts'
import { findDrive, findDriveItem, findMailbox, findMailFolder, withPointOptions } from './browse.ts'
import type { CommandContext, WithContext } from './command.ts'
import { exploring, type ExploreOptions, type RestoreSessionView } from './explore.ts'

interface Statistics {
  readonly totalItemsCount: number
  readonly restoredItemsCount: number
  readonly failedItemsCount: number
  readonly skippedItemsCount: number
}

interface RestoreOptions extends ExploreOptions {
  readonly folder?: string
  readonly item: readonly string[]
  readonly to?: string
  readonly toFolder?: string
  readonly keep?: boolean
  readonly output?: string
}

const collect = (value: string, all: readonly string[]): readonly string[] => [...all, value]

/** Where an action on the chosen part of a mailbox goes, and what it carries. */
const chosenMail = async (
  server: ServerConnection,
  base: string,
  user: string,
  options: RestoreOptions,
): Promise<{ path: string; body: Record<string, unknown> }> => {
  const mailbox = await findMailbox(server, base, user)
  const path = `${base}/organization/mailboxes/${mailbox.id}`
  if (options.item.length > 0)
    return { path: `${path}/items`, body: { items: options.item.map((id) => ({ id })) } }
  if (options.folder === undefined) return { path, body: {} }
  return { path: `${path}/folders/${await findMailFolder(server, path, options.folder)}`, body: {} }
}

const chosenFiles = async (
  server: ServerConnection,
  base: string,
  user: string,
  path: string | undefined,
): Promise<string> => {
  const drive = `${base}/organization/oneDrives/${(await findDrive(server, base, user)).id}`
  const found = await findDriveItem(server, drive, path ?? '')
  if (found.kind === 'root') return drive
  return `${drive}/${found.kind === 'folder' ? 'folders' : 'documents'}/${found.id}`
}

/** Starts a restore and follows it to its end. */
const follow = async (
  { server, output }: CommandContext,
  start: () => Promise<{ readonly sessionId: string }>,
): Promise<RestoreSessionView & { readonly statistics: Statistics }> => {
  const { sessionId } = await start()
  const bar = progressBar(output.isJson ? undefined : process.stderr, 'Restore')
  try {
    for (;;) {
      const session = await server.get<RestoreSessionView>(`/RestoreSessions/${sessionId}`)
      const statistics = await server.get<Statistics>(`/RestoreSessions/${sessionId}/Statistics`)
      const { totalItemsCount: total, restoredItemsCount, failedItemsCount, skippedItemsCount } = statistics
      const done = restoredItemsCount + failedItemsCount + skippedItemsCount
      bar.update(total === 0 ? 0 : (100 * done) / total, { processedObjects: done })
      if (session.state === 'Stopped') return { ...session, statistics }
      await systemClock.sleep(300)
    }
  } finally {
    bar.stop()
  }
}

const show = (output: Output, done: Awaited<ReturnType<typeof follow>>): void => {
  const { restoredItemsCount, skippedItemsCount, failedItemsCount } = done.statistics
  output.result(done, () =>
    [
      `${statusText(done.result)}: ${restoredItemsCount} restored, ${skippedItemsCount} were there as they were, ${failedItemsCount} failed`,
      ...(done.details === undefined ? [] : [done.details]),
    ].join('\n'),
  )
  if (done.result === 'Failed') throw new Error(done.details ?? 'the restore failed')
}

const save = async (
  context: CommandContext,
  path: string,
  body: object,
  target: string | undefined,
): Promise<void> => {
  const { fileName, content } = await context.server.download(path, body)
  const file = target ?? fileName
  // Under another name until it is whole.
  const partial = `${file}.partial`
  try {
    await pipeline(content, createWriteStream(partial))
    await rename(partial, file)
  } catch (error) {
    await rm(partial, { force: true })
    throw error
  }
  context.output.result({ file }, () => `Saved ${file}`)
}

export const addRestoreCommands = (program: Command, withContext: WithContext): void => {
  const restore = program.command('restore').description('put items back into Microsoft 365')
  const saveGroup = program.command('export').description('save items as files')

  withPointOptions(restore.command('mail <user>'))
    .description('a mailbox, a folder or single messages; where they were, or elsewhere')
    .option('--folder <path>', 'such as Inbox/Projects, with all below it')
    .option('--item <id>', 'a message; may be given several times', collect, [])
    .option('--to <user>', 'another mailbox')
    .option('--to-folder <path>', 'a folder in it')
    .action(async (user: string, options: RestoreOptions, command: Command) =>
      withContext(command, async (context) => {
        const done = await exploring(context.server, 'Vex', options, async (base) => {
          const { path, body } = await chosenMail(context.server, base, user, options)
          const elsewhere = { mailbox: options.to ?? user, folder: options.toFolder }
          return follow(context, () =>
            options.to === undefined && options.toFolder === undefined
              ? context.server.post(`${path}/restore`, body)
              : context.server.post(`${path}/restoreTo`, {
                  ...body,
                  ...elsewhere,
                  changedItems: true,
                  deletedItems: true,
                }),
          )
        })
        show(context.output, done)
      }),
    )

  withPointOptions(restore.command('files <user> [path]'))
    .description('a OneDrive, a folder or a file; where it was, or elsewhere')
    .option('--keep', 'put a file that differs beside the one that is there')
    .option('--to <user>', 'another OneDrive')
    .option('--to-folder <path>', 'a folder in it')
    .action(async (user: string, path: string | undefined, options: RestoreOptions, command: Command) =>
      withContext(command, async (context) => {
        const done = await exploring(context.server, 'Veod', options, async (base) => {
          const chosen = await chosenFiles(context.server, base, user, path)
          const documentAction = options.keep === true ? 'Keep' : 'Overwrite'
          if (options.to === undefined && options.toFolder === undefined)
            return follow(context, () => context.server.post(`${chosen}/restore`, { documentAction }))
          const body = {
            onedrive: { id: options.to ?? user },
            folder: options.toFolder,
            changedItems: true,
            deletedItems: true,
            documentVersion: 'Last',
            documentLastVersionAction: options.keep === true ? 'Merge' : 'Overwrite',
          }
          return follow(context, () => context.server.post(`${chosen}/copyTo`, body))
        })
        show(context.output, done)
      }),
    )

  withPointOptions(saveGroup.command('mail <user>'))
    .description('messages as EML; several as ZIP')
    .requiredOption('--item <id>', 'a message; may be given several times', collect, [])
    .option('--output <file>')
    .action(async (user: string, options: RestoreOptions, command: Command) =>
      withContext(command, async (context) =>
        exploring(context.server, 'Vex', options, async (base) => {
          const { path, body } = await chosenMail(context.server, base, user, options)
          await save(context, `${path}/Save`, body, options.output)
        }),
      ),
    )

  withPointOptions(saveGroup.command('files <user> [path]'))
    .description('a file as it is; a folder or a OneDrive as ZIP')
    .option('--output <file>')
    .action(async (user: string, path: string | undefined, options: RestoreOptions, command: Command) =>
      withContext(command, async (context) =>
        exploring(context.server, 'Veod', options, async (base) => {
          await save(
            context,
            `${await chosenFiles(context.server, base, user, path)}/save`,
            {},
            options.output,
          )
        }),
      ),
    )
}
