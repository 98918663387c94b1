import type { Command } from 'commander'
import { statusText, sizeText, table, timeText } from '../output.ts'
import type { ProgressStatistics } from '../progress.ts'
import { allOf, type WithContext } from './command.ts'

export interface SessionView {
  readonly id: string
  readonly jobId: string
  readonly status: string
  readonly progress?: number
  readonly creationTime: string
  readonly endTime?: string
  readonly details?: string
  readonly statistics?: ProgressStatistics
}

interface LogItemView {
  readonly type: string
  readonly message: string
  readonly creationTime: string
}

export const showSession = (session: SessionView): string => {
  const { processedObjects, transferredDataBytes } = session.statistics ?? {}
  return [
    `${statusText(session.status)}: ${processedObjects ?? 0} objects, ${sizeText(transferredDataBytes ?? 0)} read`,
    ...(session.details === undefined ? [] : [session.details]),
    `session ${session.id}`,
  ].join('\n')
}

export const addSessionCommands = (program: Command, withContext: WithContext): void => {
  const group = program.command('sessions').description('runs of jobs')

  group
    .command('list')
    .description('list the newest runs')
    .option('--job <id>', 'of one job')
    .option('--limit <n>', 'how many', '20')
    .action(async (options: { job?: string; limit: string }, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const query = { limit: options.limit, jobId: options.job }
        const { results } = await server.get<{ results: SessionView[] }>('/JobSessions', query)
        output.result(results, () =>
          table(
            ['started', 'ended', 'result', 'objects', 'read', 'id'],
            results.map((s) => [
              timeText(s.creationTime),
              timeText(s.endTime),
              statusText(s.status),
              s.statistics?.processedObjects,
              sizeText(s.statistics?.transferredDataBytes),
              s.id,
            ]),
            'No job has run yet.',
          ),
        )
      }),
    )

  group
    .command('log <id>')
    .description('what was protected in a run, what was not, and why')
    .option('--problems', 'warnings and errors only')
    .action(async (id: string, options: { problems?: boolean }, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const all = await Array.fromAsync(allOf<LogItemView>(server, `/JobSessions/${id}/LogItems`))
        const isProblem = ({ type }: LogItemView): boolean => type === 'Warning' || type === 'Error'
        const shown = options.problems === true ? all.filter(isProblem) : all
        output.result(shown, () =>
          shown
            .map((item) => `${timeText(item.creationTime)} ${statusText(item.type)} ${item.message}`)
            .join('\n'),
        )
      }),
    )
}
