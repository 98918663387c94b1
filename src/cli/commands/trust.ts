import type { Command } from 'commander'
import { invalid } from '#base'
import type { ServerConnection } from '../connection.ts'
import { sizeText, statusText, table, timeText, type Output } from '../output.ts'
import { allOf, type WithContext } from './command.ts'
import { named } from './named.ts'
import type { RepositoryView } from './repository-view.ts'
import { ended } from './retention.ts'

interface RunView {
  readonly id: string
  readonly status: string
  readonly creationTime: string
  readonly details?: string
  readonly readBytes: number
  readonly packs: number
  readonly readPacks: number
}

interface FindingView {
  readonly type: string
  readonly kind?: string
  readonly name?: string
  readonly path?: string
  readonly message?: string
  readonly status?: string
}

interface DamagedView {
  readonly name: string
  readonly kind: string
  readonly path: string
  readonly status: string
  readonly foundTime: string
  readonly restorePoints: number
}

interface TestedView {
  readonly name: string
  readonly objectType: string
  readonly items: number
  readonly tested: number
  readonly equal: number
  readonly equalToTenant: number
  readonly differing: number
  readonly notComparable: number
  readonly remarks: readonly { readonly item: string; readonly outcome: string; readonly why: string }[]
}

/** Verifying, repairing, testing and recovering what is stored. */
export const addTrustCommands = (program: Command, withContext: WithContext): void => {
  addVerify(program, withContext)
  addDamaged(program, withContext)
  addRepair(program, withContext)
  addRestoreTest(program, withContext)
  addRecover(program, withContext)
}

const addVerify = (program: Command, withContext: WithContext): void => {
  program
    .command('verify <repository>')
    .description('look whether everything is there and readable, name what is not, and heal it')
    .option('--all', 'read all data, not the next thirtieth')
    .option('--no-data', 'read no data')
    .option('--no-wait', 'return at once')
    .action(
      async (name: string, options: { all?: boolean; data: boolean; wait: boolean }, command: Command) =>
        withContext(command, async ({ server, output }) => {
          const data = options.all === true ? 'All' : options.data ? 'Share' : 'None'
          const base = await placeOf(server, name)
          await runTo(server, output, { base, plural: 'Verifications', body: { data }, wait: options.wait })
        }),
    )
}

const addDamaged = (program: Command, withContext: WithContext): void => {
  program
    .command('damaged <repository>')
    .description('list what cannot be read in full')
    .option('--all', 'also what is whole again, or gone')
    .action(async (name: string, options: { all?: boolean }, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const path = `${await placeOf(server, name)}/DamagedItems`
        const query = options.all === true ? { all: 'true' } : {}
        const items = await Array.fromAsync(allOf<DamagedView>(server, path, query))
        output.result(items, () =>
          table(
            ['found', 'what', 'name', 'state', 'points', 'path'],
            items.map((i) => [timeText(i.foundTime), i.kind, i.name, i.status, i.restorePoints, i.path]),
            'Nothing is damaged.',
          ),
        )
      }),
    )
}

const addRepair = (program: Command, withContext: WithContext): void => {
  program
    .command('repair <repository>')
    .description('tell what is lost or damaged; with --yes bring back what can be')
    .option('--yes', 'do it')
    .option('--all', 'read all data')
    .option('--leave-out-lost', 'write restore points again without what nobody has')
    .action(
      async (
        name: string,
        options: { yes?: boolean; all?: boolean; leaveOutLost?: boolean },
        command: Command,
      ) =>
        withContext(command, async ({ server, output }) => {
          const body = {
            dryRun: options.yes !== true,
            data: options.all === true ? 'All' : 'None',
            leaveOutLost: options.leaveOutLost === true,
          }
          const base = await placeOf(server, name)
          await runTo(server, output, { base, plural: 'Repairs', body, wait: true })
        }),
    )
}

const addRestoreTest = (program: Command, withContext: WithContext): void => {
  program
    .command('restore-test <repository>')
    .description('read samples back and compare them with the tenant')
    .option('--items <n>', 'so many of each mailbox and OneDrive')
    .option('--seed <n>', 'choose the same items as an earlier test')
    .action(async (name: string, options: { items?: string; seed?: string }, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const { id } = await named<RepositoryView>(server, '/BackupRepositories', name)
        const begun = await server.post<RunView>('/Holdfast/RestoreTests', {
          repositoryId: id,
          itemsPerObject: options.items === undefined ? undefined : Number(options.items),
          seed: options.seed === undefined ? undefined : Number(options.seed),
        })
        const path = `/Holdfast/RestoreTests/${begun.id}`
        const run = await ended(server, path, begun)
        const objects = await Array.fromAsync(allOf<TestedView>(server, `${path}/Objects`))
        output.result({ run, objects }, () => showTest(run, objects))
        if (run.status === 'Failed') throw invalid(run.details ?? 'the test failed')
      }),
    )
}

const addRecover = (program: Command, withContext: WithContext): void => {
  program
    .command('recover <repository>')
    .description(
      'bring a repository in a bucket that keeps versions back to a moment; without --yes only tell',
    )
    .requiredOption('--to <time>', 'the moment, such as 2027-01-31T09:00:00Z')
    .option('--preview', 'only tell what would be done, which is what happens without --yes')
    .option('--yes', 'do it')
    .action(
      async (name: string, options: { to: string; yes?: boolean; preview?: boolean }, command: Command) =>
        withContext(command, async ({ server, output }) => {
          const body = { to: options.to, preview: options.yes !== true || options.preview === true }
          const base = await placeOf(server, name)
          await runTo(server, output, { base, plural: 'Recoveries', body, wait: true })
        }),
    )
}

const placeOf = async (server: ServerConnection, name: string): Promise<string> => {
  const { id } = await named<RepositoryView>(server, '/BackupRepositories', name)
  return `/Holdfast/BackupRepositories/${id}`
}

interface RunToDo {
  readonly base: string
  readonly plural: string
  readonly body: object
  readonly wait: boolean
}

const runTo = async (
  server: ServerConnection,
  output: Output,
  { base, plural, body, wait }: RunToDo,
): Promise<void> => {
  const begun = await server.post<RunView>(`${base}/${plural}`, body)
  if (!wait) return output.result(begun, () => `run ${begun.id}`)
  const path = `/Holdfast/${plural}/${begun.id}`
  const run = await ended(server, path, begun)
  const findings = await Array.fromAsync(allOf<FindingView>(server, `${path}/Findings`))
  output.result({ run, findings }, () => showRun(run, findings))
  if (run.status === 'Failed') throw invalid(run.details ?? 'the run failed')
}

const showRun = (run: RunView, findings: readonly FindingView[]): string =>
  [
    `${statusText(run.status)}${run.details === undefined ? '' : `: ${run.details}`}`,
    ...(run.packs === 0 ? [] : [`${run.readPacks} of ${run.packs} packs read, ${sizeText(run.readBytes)}`]),
    ...(findings.length === 0
      ? []
      : [
          table(
            ['', 'what', 'name', 'state', 'told'],
            findings.map((f) => [
              f.type,
              f.kind ?? '',
              f.name ?? f.path ?? '',
              f.status ?? '',
              f.message ?? '',
            ]),
            '',
          ),
        ]),
  ].join('\n')

const showTest = (run: RunView, objects: readonly TestedView[]): string =>
  [
    `${statusText(run.status)}${run.details === undefined ? '' : `: ${run.details}`}`,
    table(
      ['of', 'what', 'items', 'tested', 'equal', 'of these to the tenant', 'differ', 'not comparable'],
      objects.map((o) => [
        o.name,
        o.objectType,
        o.items,
        o.tested,
        o.equal,
        o.equalToTenant,
        o.differing,
        o.notComparable,
      ]),
      'Nothing is stored yet.',
    ),
    ...objects.flatMap((o) =>
      o.remarks.map(
        ({ item, outcome, why }) =>
          `${o.name}, ${item}: ${outcome === 'Differs' ? 'differs' : 'not comparable'}: ${why}`,
      ),
    ),
  ].join('\n')
