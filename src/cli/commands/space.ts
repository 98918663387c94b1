import type { Command } from 'commander'
import type { ServerConnection } from '../connection.ts'
import { sizeText, table, timeText } from '../output.ts'
import { allOf, type WithContext } from './command.ts'
import { named } from './named.ts'
import type { RepositoryView } from './repository-view.ts'

interface Amounts {
  readonly fileBytes?: number
  readonly deduplicationRatio?: number
  readonly compressionRatio?: number
}

interface OrganizationView extends Amounts {
  readonly organizationId: string
  readonly name: string
  readonly usedBytes?: number
  readonly neededBytes?: number
  readonly wasteBytes?: number
  readonly surveyTime?: string
}

interface SpaceView extends Omit<OrganizationView, 'name' | 'organizationId'> {
  readonly capacityBytes?: number
  readonly freeBytes?: number
  readonly isSurveyUnderWay: boolean
  readonly details?: string
  readonly forecast?: {
    readonly days: number
    readonly growthBytesPerDay: number
    readonly in30DaysBytes: number
    readonly in90DaysBytes: number
    readonly fullTime?: string
  }
}

interface ObjectView extends Amounts {
  readonly userPrincipalName: string
  readonly objectType: string
  readonly storedBytes: number
  readonly exclusiveBytes: number
  readonly sharedBytes: number
}

interface PointView {
  readonly backupTime: string
  readonly jobName: string
  readonly addedBytes: number
  readonly exclusiveBytes: number
  readonly restorePointId: string
}

interface DayView {
  readonly day: string
  readonly usedBytes: number
  readonly neededBytes?: number
  readonly freeBytes?: number
}

const POLL_MS = 500

/** What takes up how much. */
export const addSpaceCommands = (program: Command, withContext: WithContext): void => {
  const group = program.command('space').description('what takes up how much, and for how long there is room')
  addReport(group, withContext)
  addParts(group, withContext)
}

const placeOf = async (server: ServerConnection, name: string): Promise<string> => {
  const { id } = await named<RepositoryView>(server, '/BackupRepositories', name)
  return `/Holdfast/BackupRepositories/${id}/Space`
}

const addReport = (group: Command, withContext: WithContext): void => {
  group
    .command('show <repository>')
    .description('what a repository and its organizations take up, and when it will be full')
    .option('--now', 'look anew first, and wait for the end')
    .action(async (name: string, options: { now?: boolean }, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const path = await placeOf(server, name)
        if (options.now === true) await surveyed(server, path)
        const space = await server.get<SpaceView>(path)
        const organizations = await Array.fromAsync(allOf<OrganizationView>(server, `${path}/Organizations`))
        output.result({ ...space, organizationSpaces: organizations }, () =>
          [showSpace(name, space), showOrganizations(organizations)].join('\n'),
        )
      }),
    )

  group
    .command('history <repository>')
    .description('how large it was, day by day')
    .action(async (name: string, _options: object, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const days = await Array.fromAsync(allOf<DayView>(server, `${await placeOf(server, name)}/History`))
        output.result(days, () =>
          table(
            ['day', 'used', 'needed', 'free'],
            days.map((d) => [d.day, sizeText(d.usedBytes), sizeText(d.neededBytes), sizeText(d.freeBytes)]),
            'Nothing has been written down yet.',
          ),
        )
      }),
    )
}

const surveyed = async (server: ServerConnection, path: string): Promise<void> => {
  await server.post(`${path}/Surveys`, {})
  while ((await server.get<SpaceView>(path)).isSurveyUnderWay)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
}

const showSpace = (name: string, { forecast, ...space }: SpaceView): string => {
  const room = space.freeBytes === undefined ? '' : `, ${sizeText(space.freeBytes)} free`
  return [
    `${name} takes up ${sizeText(space.usedBytes)}${room}.`,
    ...(space.surveyTime === undefined
      ? ['What takes up how much has not been looked at yet: --now does.']
      : [
          `At ${timeText(space.surveyTime)} UTC ${sizeText(space.neededBytes)} were needed; a clean-up gives back most of ${sizeText(space.wasteBytes)}.`,
          `Items of ${sizeText(space.fileBytes)} before anything is found twice: deduplication ${space.deduplicationRatio ?? '-'}, compression ${space.compressionRatio ?? '-'}.`,
        ]),
    ...(space.details === undefined ? [] : [`The last look came to nothing: ${space.details}`]),
    forecast === undefined
      ? 'A forecast needs three days of sizes.'
      : `It grows by ${sizeText(forecast.growthBytesPerDay)} a day (over ${forecast.days} days): ${sizeText(forecast.in30DaysBytes)} in 30 days, ${sizeText(forecast.in90DaysBytes)} in 90${forecast.fullTime === undefined ? '' : `, full about ${timeText(forecast.fullTime).slice(0, 10)}`}.`,
  ].join('\n')
}

const showOrganizations = (organizations: readonly OrganizationView[]): string =>
  table(
    ['organization', 'takes up', 'needed', 'of items', 'deduplication', 'compression'],
    organizations.map((o) => [
      o.name,
      sizeText(o.usedBytes),
      sizeText(o.neededBytes),
      sizeText(o.fileBytes),
      o.deduplicationRatio,
      o.compressionRatio,
    ]),
    'No organization has data in it.',
  )

const addParts = (group: Command, withContext: WithContext): void => {
  group
    .command('objects <repository>')
    .description('what each mailbox and OneDrive takes up; those first that would give back most')
    .action(async (name: string, _options: object, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const path = `${await placeOf(server, name)}/Objects`
        const objects = await Array.fromAsync(allOf<ObjectView>(server, path))
        output.result(objects, () =>
          table(
            ['of', 'what', 'of items', 'stored', 'alone', 'shared', 'compression'],
            objects.map((o) => [
              o.userPrincipalName,
              o.objectType,
              sizeText(o.fileBytes),
              sizeText(o.storedBytes),
              sizeText(o.exclusiveBytes),
              sizeText(o.sharedBytes),
              o.compressionRatio,
            ]),
            'Nothing has been looked at yet: holdfast space show --now.',
          ),
        )
      }),
    )

  group
    .command('points <repository>')
    .description('what each restore point added, newest first')
    .action(async (name: string, _options: object, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const path = `${await placeOf(server, name)}/RestorePoints`
        const points = await Array.fromAsync(allOf<PointView>(server, path))
        output.result(points, () =>
          table(
            ['time', 'job', 'added', 'goes with it alone', 'id'],
            points.map((p) => [
              timeText(p.backupTime),
              p.jobName,
              sizeText(p.addedBytes),
              sizeText(p.exclusiveBytes),
              p.restorePointId,
            ]),
            'Nothing has been looked at yet: holdfast space show --now.',
          ),
        )
      }),
    )
}
