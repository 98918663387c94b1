import type { Command } from 'commander'
import { invalid } from '#base'
import { statusText, table, timeText } from '../output.ts'
import { allOf, type WithContext } from './command.ts'
import type { JobView } from './jobs.ts'
import { named } from './named.ts'
import type { RepositoryView } from './repository-view.ts'

interface CopyJobView extends JobView {
  readonly repositoryId: string
  readonly schedulePolicy?: { readonly type?: string }
}

interface AddOptions {
  readonly to: string
  readonly daily?: string
  readonly every?: string
}

const scheduleOf = ({ daily, every }: AddOptions): object => {
  if (daily !== undefined && every !== undefined) throw invalid('give --daily or --every, not both')
  if (daily !== undefined) return { type: 'DailyAtTime', dailyType: 'Everyday', dailyTime: `${daily}:00` }
  if (every !== undefined) return { type: 'Periodically', periodicallyEvery: every }
  return { type: 'Immediate' }
}

export const addCopyJobCommands = (program: Command, withContext: WithContext): void => {
  const group = program.command('copy-job').description('second copies of what backup jobs made')

  group
    .command('list')
    .description('list the copy jobs')
    .action(async (_options: object, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const found = await Array.fromAsync(allOf<CopyJobView>(server, '/CopyJobs'))
        output.result(found, () =>
          table(
            ['name', 'when', 'last run', 'result', 'next run', 'enabled', 'id'],
            found.map((job) => [
              job.name,
              job.schedulePolicy?.type ?? '',
              timeText(job.lastRun),
              statusText(job.lastStatus),
              timeText(job.nextRun),
              job.isEnabled ? 'yes' : 'no',
              job.id,
            ]),
            'There is no copy job yet.',
          ),
        )
      }),
    )

  group
    .command('add <backup-job>')
    .description('copy the restore points of a backup job to another repository, after each backup')
    .requiredOption('--to <repository>', 'its name or id')
    .option('--daily <HH:mm>', "copy every day at this time of the server's clock instead")
    .option('--every <interval>', 'or at intervals: Minutes5 to Minutes30, Hours1 to Hours12')
    .action(async (name: string, options: AddOptions, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const job = await named<JobView>(server, '/Jobs', name)
        const repository = await named<RepositoryView>(server, '/BackupRepositories', options.to)
        const made = await server.post<CopyJobView>('/CopyJobs', {
          backupJobId: job.id,
          organizationId: job.organizationId,
          repositoryId: repository.id,
          schedulePolicy: scheduleOf(options),
        })
        output.result(made, () => `Added ${made.name} (${made.id})`)
      }),
    )

  addVerbs(group, withContext)

  group
    .command('remove <name-or-id>')
    .description('remove a copy job; what it copied stays')
    .action(async (name: string, _options: object, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const job = await named<CopyJobView>(server, '/CopyJobs', name)
        await server.delete(`/CopyJobs/${job.id}`)
        output.result({ copyJobId: job.id }, () => `Removed ${job.name}`)
      }),
    )
}

const addVerbs = (group: Command, withContext: WithContext): void => {
  for (const verb of ['start', 'stop', 'enable', 'disable'] as const)
    group
      .command(`${verb} <name-or-id>`)
      .description(`${verb} a copy job`)
      .action(async (name: string, _options: object, command: Command) =>
        withContext(command, async ({ server, output }) => {
          const job = await named<CopyJobView>(server, '/CopyJobs', name)
          await server.post(`/CopyJobs/${job.id}/${verb}`, {})
          output.result({ copyJobId: job.id }, () => `Done: ${verb} ${job.name}`)
        }),
      )
}
