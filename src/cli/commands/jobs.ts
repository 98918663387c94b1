import type { Command } from 'commander'
import { invalid, notFound, systemClock, type Clock } from '#base'
import type { ServerConnection } from '../connection.ts'
import { statusText, table, timeText, type Output } from '../output.ts'
import { progressBar } from '../progress.ts'
import { allOf, type PageOf, type WithContext } from './command.ts'
import { named } from './named.ts'
import type { OrganizationView } from './organizations.ts'
import type { RepositoryView } from './repository-view.ts'
import { showSession, type SessionView } from './sessions.ts'

export interface JobView {
  readonly id: string
  readonly name: string
  readonly organizationId: string
  readonly isEnabled: boolean
  readonly lastStatus?: string
  readonly lastRun?: string
  readonly nextRun?: string
}

interface CreateOptions {
  readonly organization: string
  readonly repository?: string
  readonly user: readonly string[]
  readonly daily?: string
  readonly every?: string
  readonly timeZone?: string
}

interface UserView {
  readonly id: string
  readonly displayName?: string
  readonly name?: string
}

const schedulePolicyOf = ({ daily, every, timeZone }: CreateOptions): Record<string, unknown> => {
  const zone = timeZone === undefined ? {} : { timeZone }
  if (daily !== undefined && every !== undefined) throw invalid('give --daily or --every, not both')
  if (daily !== undefined)
    return { scheduleEnabled: true, type: 'Daily', dailyType: 'Everyday', dailyTime: `${daily}:00`, ...zone }
  if (every !== undefined)
    return { scheduleEnabled: true, type: 'Periodically', periodicallyEvery: every, ...zone }
  return { scheduleEnabled: false }
}

const selectedUsers = async (
  server: ServerConnection,
  organizationId: string,
  wanted: readonly string[],
): Promise<object[]> => {
  const users = await Array.fromAsync(allOf<UserView>(server, `/Organizations/${organizationId}/Users`))
  return wanted.map((name) => {
    const lower = name.toLowerCase()
    const user = users.find((u) => u.id.toLowerCase() === lower || u.name?.toLowerCase() === lower)
    if (user === undefined) throw notFound(`there is no user ${name} in the organization`)
    const { id, displayName } = user
    return { type: 'User', user: { id, displayName, name: user.name }, mailbox: true, oneDrive: true }
  })
}

const firstRepository = async (server: ServerConnection): Promise<RepositoryView> => {
  const { results } = await server.get<PageOf<RepositoryView>>('/BackupRepositories', { limit: 1 })
  if (results[0] === undefined) throw notFound('there is no repository yet')
  return results[0]
}

/** Follows a run until it ends. Throws when it fails. */
const watch = async (
  server: ServerConnection,
  output: Output,
  job: JobView,
  clock: Clock,
): Promise<SessionView> => {
  const { results } = await server.get<PageOf<SessionView>>('/JobSessions', { jobId: job.id, limit: 1 })
  const started = results[0]
  if (started === undefined) throw notFound('the job has no session yet')
  const bar = progressBar(output.isJson ? undefined : process.stderr, job.name)
  try {
    for (;;) {
      const session = await server.get<SessionView>(`/JobSessions/${started.id}`)
      bar.update(session.progress ?? 0, session.statistics)
      if (session.endTime !== undefined && session.status !== 'Running' && session.status !== 'Queued')
        return session
      await clock.sleep(300)
    }
  } finally {
    bar.stop()
  }
}

export const addJobCommands = (program: Command, withContext: WithContext): void => {
  const group = program.command('jobs').description('backup jobs')

  group
    .command('list')
    .description('list the jobs')
    .action(async (_options: object, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const found = await Array.fromAsync(allOf<JobView>(server, '/Jobs'))
        output.result(found, () =>
          table(
            ['name', 'last run', 'result', 'next run', 'enabled', 'id'],
            found.map((j) => [
              j.name,
              timeText(j.lastRun),
              statusText(j.lastStatus),
              timeText(j.nextRun),
              j.isEnabled ? 'yes' : 'no',
              j.id,
            ]),
            'There is no job yet.',
          ),
        )
      }),
    )

  group
    .command('create <name>')
    .description('create a job for a whole organization, or for chosen users')
    .requiredOption('--organization <name-or-id>')
    .option('--repository <name-or-id>', 'the first one when left out')
    .option(
      '--user <upn…>',
      'only these users',
      (value: string, all: readonly string[]) => [...all, value],
      [],
    )
    .option('--daily <HH:mm>', 'start every day at this time')
    .option('--every <interval>', 'Minutes5, Minutes15, Minutes30, Hours1, Hours2, Hours4, Hours8 or Hours12')
    .option('--time-zone <name>', "such as Europe/Berlin; the server's own when left out")
    .action(async (name: string, options: CreateOptions, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const organization = await named<OrganizationView>(server, '/Organizations', options.organization)
        const repository =
          options.repository === undefined
            ? await firstRepository(server)
            : await named<RepositoryView>(server, '/BackupRepositories', options.repository)
        const users = await selectedUsers(server, organization.id, options.user)
        const made = await server.post<JobView>('/Jobs', {
          name,
          organizationId: organization.id,
          repositoryId: repository.id,
          backupType: users.length === 0 ? 'EntireOrganization' : 'SelectedItems',
          ...(users.length === 0 ? {} : { selectedItems: users }),
          schedulePolicy: schedulePolicyOf(options),
          runNow: false,
        })
        output.result(made, () => `Created ${made.name} (${made.id})`)
      }),
    )

  group
    .command('start <name-or-id>')
    .description('start a job now')
    .option('--watch', 'follow it to its end; exit code 1 when it fails')
    .action(async (name: string, options: { watch?: boolean }, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const job = await named<JobView>(server, '/Jobs', name)
        await server.post(`/Jobs/${job.id}/start`, {})
        if (options.watch !== true) {
          output.result({ jobId: job.id }, () => `Started ${job.name}`)
          return
        }
        const session = await watch(server, output, job, systemClock)
        output.result(session, () => showSession(session))
        if (session.status === 'Failed') throw new Error('the job failed; see its session log')
      }),
    )

  for (const verb of ['stop', 'enable', 'disable'] as const)
    group
      .command(`${verb} <name-or-id>`)
      .description(`${verb} a job`)
      .action(async (name: string, _options: object, command: Command) =>
        withContext(command, async ({ server, output }) => {
          const job = await named<JobView>(server, '/Jobs', name)
          await server.post(`/Jobs/${job.id}/${verb}`, {})
          output.result({ jobId: job.id }, () => `Done: ${verb} ${job.name}`)
        }),
      )

  group
    .command('remove <name-or-id>')
    .description('delete a job; its restore points stay')
    .action(async (name: string, _options: object, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const job = await named<JobView>(server, '/Jobs', name)
        await server.delete(`/Jobs/${job.id}`)
        output.result({ jobId: job.id }, () => `Removed ${job.name}`)
      }),
    )
}
