import type { Command } from 'commander'
import { invalid } from '#base'
import { sizeText, statusText, table, timeText } from '../output.ts'
import { allOf, type WithContext } from './command.ts'
import { named } from './named.ts'
import type { RepositoryView } from './repository-view.ts'
import { ended } from './retention.ts'

interface ReencryptionView {
  readonly id: string
  readonly status: string
  readonly creationTime: string
  readonly endTime?: string
  readonly initiatedBy: string
  readonly details?: string
  readonly organizations: readonly {
    readonly name: string
    readonly step: string
    readonly restorePoints: number
    readonly writtenBytes: number
    readonly verifiedPacks: number
    readonly formerKeptUntilTime?: string
  }[]
}

const organizationsText = ({ organizations }: ReencryptionView): string =>
  table(
    ['organization', 'step', 'restore points', 'written', 'packs read back', 'earlier data is kept until'],
    organizations.map((one) => [
      one.name,
      one.step,
      one.restorePoints,
      sizeText(one.writtenBytes),
      one.verifiedPacks,
      one.formerKeptUntilTime === undefined ? '' : timeText(one.formerKeptUntilTime),
    ]),
    'The repository holds nothing yet.',
  )

const runText = (run: ReencryptionView): string =>
  [
    `${statusText(run.status)}${run.details === undefined ? '' : `: ${run.details}`}`,
    organizationsText(run),
    ...(run.status === 'Success' || run.status === 'Warning' ? ['Make a new recovery kit now.'] : []),
  ].join('\n')

const runsText = (runs: readonly ReencryptionView[]): string =>
  table(
    ['started', 'ended', 'by', 'result', 'details', 'id'],
    runs.map((run) => [
      timeText(run.creationTime),
      timeText(run.endTime),
      run.initiatedBy,
      statusText(run.status),
      run.details ?? run.organizations.map(({ name, step }) => `${name}: ${step}`).join(', '),
      run.id,
    ]),
    'Nothing was encrypted anew yet.',
  )

/** New master keys for all that a repository holds. */
export const addReencryptCommands = (group: Command, withContext: WithContext): void => {
  group
    .command('reencrypt <name-or-id>')
    .description(
      'write all data again under a new master key, beside backups, and remove the earlier data; for when a key leaked',
    )
    .option('--fresh', 'give up what an earlier run that was stopped has written, and its key')
    .option('--no-wait', 'return at once')
    .action(async (given: string, options: { fresh?: boolean; wait: boolean }, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const { id } = await named<RepositoryView>(server, '/BackupRepositories', given)
        const path = `/Holdfast/BackupRepositories/${id}/Reencrypt`
        const body = options.fresh === true ? { fresh: true } : {}
        const begun = await server.post<ReencryptionView>(path, body)
        if (!options.wait) return output.result(begun, () => `run ${begun.id}`)
        const run = await ended(server, `/Holdfast/Reencryptions/${begun.id}`, begun)
        output.result(run, () => runText(run))
        if (run.status === 'Failed') throw invalid(run.details ?? 'the run failed')
      }),
    )
  group
    .command('reencryptions <name-or-id>')
    .description('list the runs that wrote a repository again under a new key, and how far they are')
    .action(async (given: string, _: object, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const { id } = await named<RepositoryView>(server, '/BackupRepositories', given)
        const path = `/Holdfast/BackupRepositories/${id}/Reencryptions`
        const runs = await Array.fromAsync(allOf<ReencryptionView>(server, path))
        output.result(runs, () => runsText(runs))
      }),
    )
  group
    .command('stop-reencryption <run-id>')
    .description('stop such a run; what it has written serves the next one')
    .action(async (runId: string, _: object, command: Command) =>
      withContext(command, async ({ server, output }) => {
        await server.post(`/Holdfast/Reencryptions/${runId}/Stop`, {})
        output.result({ id: runId }, () => 'It stops.')
      }),
    )
}
