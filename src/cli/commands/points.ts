import type { Command } from 'commander'
import { table, timeText } from '../output.ts'
import { allOf, type WithContext } from './command.ts'
import type { JobView } from './jobs.ts'
import { named } from './named.ts'

interface RestorePointView {
  readonly id: string
  readonly backupTime: string
  readonly jobId?: string
  readonly repositoryId: string
  readonly isExchange?: boolean
  readonly isOneDrive?: boolean
}

export const addPointCommands = (program: Command, withContext: WithContext): void => {
  program
    .command('points')
    .description('list restore points, newest first')
    .option('--job <name-or-id>', 'of one job')
    .action(async (options: { job?: string }, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const job = options.job === undefined ? undefined : await named<JobView>(server, '/Jobs', options.job)
        const query = { jobId: job?.id }
        const found = await Array.fromAsync(allOf<RestorePointView>(server, '/RestorePoints', query))
        output.result(found, () =>
          table(
            ['time', 'mail', 'OneDrive', 'job', 'id'],
            found.map((p) => [
              timeText(p.backupTime),
              p.isExchange === true ? 'yes' : '',
              p.isOneDrive === true ? 'yes' : '',
              p.jobId,
              p.id,
            ]),
            'There is no restore point yet.',
          ),
        )
      }),
    )
}
