import type { Command } from 'commander'
import { notFound } from '#base'
import type { ServerConnection } from '../connection.ts'
import { table, timeText } from '../output.ts'
import { allOf, type WithContext } from './command.ts'
import { named } from './named.ts'

interface HoldView {
  readonly id: string
  readonly name: string
  readonly objectType: string
  readonly reason: string
  readonly setBy: string
  readonly setAt: string
  readonly releasedBy?: string
  readonly releasedAt?: string
  readonly releaseReason?: string
}

interface NamedUser {
  readonly id: string
  readonly name: string
}

export interface OrganizationView {
  readonly id: string
  readonly name: string
}

/** A user that a repository holds or that the directory knows, by id or by address. */
export const userOf = async (
  server: ServerConnection,
  organization: OrganizationView,
  wanted: string,
): Promise<NamedUser> => {
  const key = wanted.toLowerCase()
  for await (const user of allOf<{ id: string; email?: string; displayName?: string }>(
    server,
    '/ProtectedUsers',
    { organizationId: organization.id },
  ))
    if (user.id.toLowerCase() === key || user.email?.toLowerCase() === key)
      return { id: user.id, name: user.email ?? user.displayName ?? user.id }
  for await (const user of allOf<{ id: string; name?: string; displayName?: string }>(
    server,
    `/Organizations/${organization.id}/Users`,
  ))
    if (user.id.toLowerCase() === key || user.name?.toLowerCase() === key)
      return { id: user.id, name: user.name ?? user.displayName ?? user.id }
  throw notFound(`neither a backup nor the directory knows ${wanted}`)
}

export const addHoldCommands = (program: Command, withContext: WithContext): void => {
  const group = program.command('holds').description('legal holds: what no rule and no request may remove')

  group
    .command('list')
    .description('list the holds in force')
    .option('--all', 'released ones too')
    .action(async (options: { all?: boolean }, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const query = options.all === true ? {} : { isActive: 'true' }
        const found = await Array.fromAsync(allOf<HoldView>(server, '/Holdfast/LegalHolds', query))
        output.result(found, () =>
          table(
            ['who', 'what', 'why', 'set', 'by', 'released', 'id'],
            found.map((hold) => [
              hold.name,
              hold.objectType,
              hold.reason,
              timeText(hold.setAt),
              hold.setBy,
              hold.releasedAt === undefined
                ? ''
                : `${timeText(hold.releasedAt)} by ${hold.releasedBy}: ${hold.releaseReason}`,
              hold.id,
            ]),
            'There is no legal hold.',
          ),
        )
      }),
    )

  group
    .command('set <organization> <user>')
    .description('hold a user, by id or address')
    .requiredOption('--reason <text>', 'why')
    .option('--type <what>', 'User, Mailbox or OneDrive', 'User')
    .action(
      async (name: string, wanted: string, options: { reason: string; type: string }, command: Command) =>
        withContext(command, async ({ server, output }) => {
          const organization = await named<OrganizationView>(server, '/Organizations', name)
          const user = await userOf(server, organization, wanted)
          const hold = await server.post<HoldView>('/Holdfast/LegalHolds', {
            organizationId: organization.id,
            userId: user.id,
            name: user.name,
            objectType: options.type,
            reason: options.reason,
          })
          output.result(hold, () => `${hold.name} is under legal hold (${hold.id})`)
        }),
    )

  group
    .command('release <id>')
    .description('release a hold; it stays in the list')
    .requiredOption('--reason <text>', 'why')
    .action(async (id: string, options: { reason: string }, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const hold = await server.post<HoldView>(`/Holdfast/LegalHolds/${id}/Release`, options)
        output.result(hold, () => `The hold on ${hold.name} is released`)
      }),
    )
}
