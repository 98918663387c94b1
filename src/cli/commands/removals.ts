import type { Command } from 'commander'
import { invalid } from '#base'
import { sizeText, statusText, table, timeText } from '../output.ts'
import { allOf, type WithContext } from './command.ts'
import { userOf, type OrganizationView } from './holds.ts'
import { named } from './named.ts'
import { ended } from './retention.ts'

interface RemovalView {
  readonly id: string
  readonly name: string
  readonly userId: string
  readonly requestedBy: string
  readonly reason?: string
  readonly status: string
  readonly creationTime: string
  readonly details?: string
  readonly rewrittenPoints: number
  readonly removedBlobs: number
  readonly freedBytes: number
  readonly isProven: boolean
  readonly jobs: readonly string[]
}

export const addRemovalCommands = (program: Command, withContext: WithContext): void => {
  const group = program.command('removals').description("one person's data, removed for good")

  group
    .command('list <organization>')
    .description('list the record of removals')
    .action(async (name: string, _options: object, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const { id } = await named<OrganizationView>(server, '/Organizations', name)
        const path = `/Holdfast/Organizations/${id}/PersonRemovals`
        const found = await Array.fromAsync(allOf<RemovalView>(server, path))
        output.result(found, () =>
          table(
            ['asked', 'who', 'by', 'why', 'result', 'proven', 'freed', 'id'],
            found.map((r) => [
              timeText(r.creationTime),
              r.name,
              r.requestedBy,
              r.reason,
              statusText(r.status),
              r.isProven ? 'yes' : 'no',
              sizeText(r.freedBytes),
              r.id,
            ]),
            'Nobody was removed.',
          ),
        )
      }),
    )

  group
    .command('remove <organization> <user>')
    .description(
      "remove a person's data from every restore point of every repository; it cannot be brought back",
    )
    .requiredOption('--confirm <address-or-id>', 'the same user once more, typed')
    .option('--reason <text>', 'for the record')
    .action(
      async (name: string, wanted: string, options: { confirm: string; reason?: string }, command: Command) =>
        withContext(command, async ({ server, output }) => {
          if (options.confirm.toLowerCase() !== wanted.toLowerCase())
            throw invalid('--confirm has to repeat the user: what is removed cannot be brought back')
          const organization = await named<OrganizationView>(server, '/Organizations', name)
          const user = await userOf(server, organization, wanted)
          const path = `/Holdfast/Organizations/${organization.id}/PersonRemovals`
          const begun = await server.post<RemovalView>(path, {
            userId: user.id,
            name: user.name,
            confirmation: user.id,
            reason: options.reason,
          })
          const removal = await ended(server, `${path}/${begun.id}`, begun)
          output.result(removal, () => showRemoval(removal))
          if (removal.status === 'Failed') throw invalid(removal.details ?? 'the removal failed')
        }),
    )
}

const showRemoval = (removal: RemovalView): string =>
  [
    `${statusText(removal.status)}: ${removal.details ?? ''}`,
    `${sizeText(removal.freedBytes)} given back; ${removal.isProven ? 'proven' : 'not proven'}`,
    ...(removal.jobs.length === 0
      ? []
      : [
          `These jobs protect the person again with their next run: ${removal.jobs.join(', ')}. Exclude the user.`,
        ]),
    `removal ${removal.id}`,
  ].join('\n')
