import type { Command } from 'commander'
import { invalid } from '#base'
import type { ServerConnection } from '../connection.ts'
import { sizeText, statusText, table, timeText, type Output } from '../output.ts'
import { allOf, type WithContext } from './command.ts'
import type { JobView } from './jobs.ts'
import { named } from './named.ts'
import type { RepositoryView } from './repository-view.ts'

interface PointView {
  readonly backupTime: string
  readonly jobName: string
  readonly action: 'Remove' | 'Reduce' | 'Keep'
  readonly rule: string
  readonly ruleSource: string
  readonly reasons: readonly { readonly text: string }[]
  readonly restorePointId: string
}

interface ObjectView {
  readonly userPrincipalName: string
  readonly objectType: string
  readonly items: number
  readonly bytes: number
}

interface SummaryView {
  readonly at: string
  readonly rule: string
  readonly clockDoubt?: string
  readonly pointsToRemove: number
  readonly pointsToKeep: number
  readonly pointsToReduce: number
  readonly items: number
  readonly bytes: number
  readonly graceHours: number
}

interface ItemView {
  readonly userPrincipalName: string
  readonly name: string
  readonly path: string
  readonly time?: string
  readonly sizeBytes: number
}

interface GraceView {
  readonly graceHours: number
  readonly source: string
}

interface RunView {
  readonly id: string
  readonly status: string
  readonly creationTime: string
  readonly endTime?: string
  readonly initiatedBy: string
  readonly removedPoints: number
  readonly keptPoints: number
  readonly freedBytes: number
  readonly waitingBytes: number
  readonly waitingUntil?: string
  readonly details?: string
}

interface RuleView {
  readonly jobId: string
  readonly source: string
  readonly summary: string
  readonly retentionType: string
}

const POLL_MS = 500
const ENDED = new Set(['Success', 'Warning', 'Failed', 'Stopped'])

export const addRetentionCommands = (program: Command, withContext: WithContext): void => {
  const group = program.command('retention').description('how long what is kept')
  addPreview(group, withContext)
  addRuns(group, withContext)
  addRules(group, withContext)
  addItems(group, withContext)
  addGrace(group, withContext)
}

const addPreview = (group: Command, withContext: WithContext): void => {
  group
    .command('preview <repository>')
    .description('what would go at the next clean-up, and why; nothing is touched')
    .option('--at <time>', 'at another moment, such as 2027-01-31')
    .option('--all', 'also what stays, and why')
    .action(async (name: string, options: { at?: string; all?: boolean }, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const { id } = await named<RepositoryView>(server, '/BackupRepositories', name)
        const path = `/Holdfast/BackupRepositories/${id}/RetentionPreview`
        const at = options.at === undefined ? {} : { at: options.at }
        const summary = await server.get<SummaryView>(`${path}/Summary`, at)
        // The three lists are of one moment, also when the next clean-up begins between the calls.
        const moment = { at: summary.at }
        const judged = await Array.fromAsync(allOf<PointView>(server, path, moment))
        const points = options.all === true ? judged : judged.filter(({ action }) => action !== 'Keep')
        const objects = await Array.fromAsync(allOf<ObjectView>(server, `${path}/Objects`, moment))
        output.result({ summary, points, objects }, () => showPreview(summary, points, objects))
      }),
    )
}

const WHAT_HAPPENS = { Remove: 'goes', Reduce: 'keeps what is held', Keep: 'stays' } as const

const reducedText = ({ pointsToReduce }: SummaryView): string =>
  pointsToReduce === 0 ? '' : ` (${pointsToReduce} for what is held alone)`

const showPreview = (
  summary: SummaryView,
  points: readonly PointView[],
  objects: readonly ObjectView[],
): string =>
  [
    `At ${timeText(summary.at)} UTC. The repository keeps ${summary.rule}.`,
    ...(summary.clockDoubt === undefined
      ? []
      : [`Nothing will be removed until somebody confirms the clock: ${summary.clockDoubt}`]),
    table(
      ['time', 'job', 'what happens', 'rule', 'why'],
      points.map((p) => [
        timeText(p.backupTime),
        p.jobName,
        WHAT_HAPPENS[p.action],
        `${p.rule} (${p.ruleSource.toLowerCase()})`,
        p.reasons.map(({ text }) => text).join('; '),
      ]),
      'No restore point goes.',
    ),
    ...(objects.length === 0
      ? []
      : [
          table(
            ['of', 'what', 'items gone for good', 'at most'],
            objects.map((o) => [o.userPrincipalName, o.objectType, o.items, sizeText(o.bytes)]),
            '',
          ),
        ]),
    `${summary.pointsToRemove} points go, ${summary.pointsToKeep} stay${reducedText(summary)}; at most ${sizeText(summary.bytes)} are freed, ${summary.graceHours} hours later.`,
  ].join('\n')

const addItems = (group: Command, withContext: WithContext): void => {
  group
    .command('items <repository>')
    .description('name the items that would leave all restore points, where items go by their own age')
    .option('--at <time>', 'at another moment, such as 2027-01-31')
    .option('--user <id>', "of one user alone: the directory's id")
    .option('--limit <n>', 'so many', '100')
    .action(async (name: string, options: { at?: string; user?: string; limit: string }, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const { id } = await named<RepositoryView>(server, '/BackupRepositories', name)
        const { results } = await server.get<{ results: ItemView[] }>(
          `/Holdfast/BackupRepositories/${id}/RetentionPreview/Items`,
          { at: options.at, userId: options.user, limit: numberOf(options.limit, 'limit') },
        )
        output.result(results, () =>
          table(
            ['of', 'what', 'time', 'size', 'where'],
            results.map((i) => [
              i.userPrincipalName,
              i.name,
              timeText(i.time),
              sizeText(i.sizeBytes),
              i.path,
            ]),
            'No item is too old.',
          ),
        )
      }),
    )
}

const addGrace = (group: Command, withContext: WithContext): void => {
  group
    .command('grace <repository>')
    .description('how long stored data that nothing needs any more stays before it is removed')
    .option('--hours <n>', 'so long from now on; 0: not at all')
    .option('--server', "as the server's configuration says")
    .action(async (name: string, options: { hours?: string; server?: boolean }, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const { id } = await named<RepositoryView>(server, '/BackupRepositories', name)
        const path = `/Holdfast/BackupRepositories/${id}/PruneGrace`
        const graceHours = numberOf(options.hours, 'hours')
        if (options.server === true) await server.delete(path)
        if (graceHours !== undefined) await server.put(path, { graceHours })
        const grace = await server.get<GraceView>(path)
        output.result(
          grace,
          () => `${name}: ${grace.graceHours} hours (of the ${grace.source.toLowerCase()})`,
        )
      }),
    )
}

const addRuns = (group: Command, withContext: WithContext): void => {
  group
    .command('run <repository>')
    .description('remove now what no rule keeps, and wait for the end')
    .option('--confirm-clock', "the server's clock is right, although it jumped")
    .option('--no-wait', 'return at once')
    .action(async (name: string, options: { confirmClock?: boolean; wait: boolean }, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const { id } = await named<RepositoryView>(server, '/BackupRepositories', name)
        const begun = await server.post<RunView>(`/Holdfast/BackupRepositories/${id}/RetentionRuns`, {
          confirmClock: options.confirmClock === true,
        })
        const run = options.wait ? await ended(server, `/Holdfast/RetentionRuns/${begun.id}`, begun) : begun
        output.result(run, () => showRun(run))
        if (run.status === 'Failed') throw invalid(run.details ?? 'the run failed')
      }),
    )

  group
    .command('runs [repository]')
    .description('list the clean-ups, newest first')
    .action(async (name: string | undefined, _options: object, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const repository =
          name === undefined ? undefined : await named<RepositoryView>(server, '/BackupRepositories', name)
        const query = { repositoryId: repository?.id, limit: 50 }
        const { results } = await server.get<{ results: RunView[] }>('/Holdfast/RetentionRuns', query)
        output.result(results, () => showRuns(results))
      }),
    )

  group
    .command('log <run-id>')
    .description('what a clean-up removed, what it could not, and why')
    .action(async (id: string, _options: object, command: Command) =>
      withContext(command, async ({ server, output }) =>
        showLog(server, output, `/Holdfast/RetentionRuns/${id}`),
      ),
    )
}

interface LogItemView {
  readonly type: string
  readonly message: string
  readonly creationTime: string
}

export const showLog = async (server: ServerConnection, output: Output, path: string): Promise<void> => {
  const items = await Array.fromAsync(allOf<LogItemView>(server, `${path}/LogItems`))
  output.result(items, () =>
    items.map((item) => `${timeText(item.creationTime)} ${statusText(item.type)} ${item.message}`).join('\n'),
  )
}

/** Asks until it has ended. */
export const ended = async <Run extends { readonly status: string }>(
  server: ServerConnection,
  path: string,
  begun: Run,
): Promise<Run> => {
  let run = begun
  while (!ENDED.has(run.status)) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    run = await server.get<Run>(path)
  }
  return run
}

const showRun = (run: RunView): string =>
  [
    `${statusText(run.status)}${run.details === undefined ? '' : `: ${run.details}`}`,
    `${sizeText(run.freedBytes)} given back`,
    ...(run.waitingBytes > 0
      ? [`${sizeText(run.waitingBytes)} follow, the last of it after ${timeText(run.waitingUntil)} UTC`]
      : []),
    `run ${run.id}`,
  ].join('\n')

const showRuns = (runs: readonly RunView[]): string =>
  table(
    ['started', 'ended', 'by', 'result', 'removed', 'kept', 'given back', 'id'],
    runs.map((r) => [
      timeText(r.creationTime),
      timeText(r.endTime),
      r.initiatedBy,
      statusText(r.status),
      r.removedPoints,
      r.keptPoints,
      sizeText(r.freedBytes),
      r.id,
    ]),
    'There was no clean-up yet.',
  )

interface RuleOptions {
  readonly forever?: boolean
  readonly items?: boolean
  readonly last?: string
  readonly age?: string
  readonly daily?: string
  readonly weekly?: string
  readonly monthly?: string
  readonly yearly?: string
  readonly timeZone?: string
}

const addRules = (group: Command, withContext: WithContext): void => {
  const pathOf = async (server: ServerConnection, job: string): Promise<string> =>
    `/Holdfast/Jobs/${(await named<JobView>(server, '/Jobs', job)).id}/Retention`

  group
    .command('rule <job>')
    .description('the rule that the points of a job are judged by')
    .action(async (job: string, _options: object, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const rule = await server.get<RuleView>(await pathOf(server, job))
        output.result(rule, () => `${job} keeps ${rule.summary} (rule of the ${rule.source.toLowerCase()})`)
      }),
    )

  group
    .command('set <job>')
    .description('give a job a rule of its own; any part is enough to keep a point')
    .option('--last <n>', 'so many of the newest points')
    .option('--age <age>', 'everything younger, such as 12h, 30d, 6w, 18m or 7y')
    .option('--daily <n>', 'the newest point of each of so many days')
    .option('--weekly <n>', '… weeks')
    .option('--monthly <n>', '… months')
    .option('--yearly <n>', '… years')
    .option('--forever', 'everything')
    .option('--items', 'items go by their own age, out of all points; with --age')
    .option('--time-zone <name>', 'where days begin, such as Europe/Berlin')
    .action(async (job: string, options: RuleOptions, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const rule = await server.put<RuleView>(await pathOf(server, job), ruleOf(options))
        output.result(
          rule,
          () => `${job} keeps ${rule.summary}. See what would go: holdfast retention preview`,
        )
      }),
    )

  group
    .command('unset <job>')
    .description("take a job's own rule away: its repository's is in force again")
    .action(async (job: string, _options: object, command: Command) =>
      withContext(command, async ({ server, output }) => {
        await server.delete(await pathOf(server, job))
        output.result({}, () => `${job} follows its repository again`)
      }),
    )
}

const UNITS: Readonly<Record<string, string>> = {
  h: 'Hours',
  d: 'Days',
  w: 'Weeks',
  m: 'Months',
  y: 'Years',
}

const ageOf = (text: string): { readonly amount: number; readonly unit: string } => {
  const [, amount, letter] = /^(\d+)([hdwmy])$/.exec(text.toLowerCase()) ?? []
  const unit = UNITS[letter ?? '']
  if (unit === undefined) throw invalid('an age is a number and a letter: 12h, 30d, 6w, 18m or 7y')
  return { amount: Number(amount), unit }
}

const numberOf = (text: string | undefined, name: string): number | undefined => {
  if (text === undefined) return undefined
  if (!/^\d+$/.test(text)) throw invalid(`--${name} is a number`)
  return Number(text)
}

const ruleOf = (options: RuleOptions): object => ({
  retentionType: options.items === true ? 'ItemLevel' : 'SnapshotBased',
  keepForever: options.forever,
  keepLast: numberOf(options.last, 'last'),
  keepAge: options.age === undefined ? undefined : ageOf(options.age),
  keepDaily: numberOf(options.daily, 'daily'),
  keepWeekly: numberOf(options.weekly, 'weekly'),
  keepMonthly: numberOf(options.monthly, 'monthly'),
  keepYearly: numberOf(options.yearly, 'yearly'),
  timeZone: options.timeZone,
})
