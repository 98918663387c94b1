import type { Command } from 'commander'
import { invalid } from '#base'
import { readFile } from 'node:fs/promises'
import { statusText, table, timeText } from '../output.ts'
import { named } from './named.ts'
import { allOf, type WithContext } from './command.ts'

export interface OrganizationView {
  readonly id: string
  readonly name: string
  readonly officeName?: string
  readonly type: string
  readonly region?: string
  readonly isBackedup?: boolean
  readonly lastBackuptime?: string
}

interface AddOptions {
  readonly region: string
  readonly account?: string
  readonly appPasswordFile?: string
  readonly organizationName?: string
  readonly applicationId: string
  readonly secretFile?: string
  readonly certificateFile?: string
  readonly certificatePasswordFile?: string
  readonly exchange: boolean
  readonly onedrive: boolean
}

const textOf = async (file: string | undefined): Promise<string | undefined> =>
  file === undefined ? undefined : (await readFile(file, 'utf8')).trim()

const settingsOf = async (options: AddOptions): Promise<Record<string, unknown>> => {
  const password = await textOf(options.appPasswordFile)
  const certificate =
    options.certificateFile === undefined ? undefined : await readFile(options.certificateFile)
  const isApplicationOnly = options.account === undefined
  if (isApplicationOnly && options.organizationName === undefined)
    throw invalid('give --organization-name (contoso.onmicrosoft.com), or --account with --app-password-file')
  return {
    useApplicationOnlyAuth: isApplicationOnly,
    useMfa: !isApplicationOnly,
    account: options.account,
    password,
    officeOrganizationName: options.organizationName,
    applicationId: options.applicationId,
    applicationSecret: await textOf(options.secretFile),
    applicationCertificate: certificate?.toString('base64'),
    applicationCertificatePassword: await textOf(options.certificatePasswordFile),
  }
}

export const addOrganizationCommands = (program: Command, withContext: WithContext): void => {
  const group = program.command('organizations').description('Microsoft 365 organizations')

  group
    .command('list')
    .description('list the organizations')
    .action(async (_options: object, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const found = await Array.fromAsync(allOf<OrganizationView>(server, '/Organizations'))
        output.result(found, () =>
          table(
            ['name', 'type', 'region', 'last backup', 'id'],
            found.map((o) => [o.name, o.type, o.region, timeText(o.lastBackuptime) || 'never', o.id]),
            'No organization has been added yet.',
          ),
        )
      }),
    )

  group
    .command('add')
    .description('add an organization; its credentials are tried at once')
    .requiredOption('--application-id <guid>', 'the application registered in the tenant')
    .option('--secret-file <file>', 'a file that holds the application secret')
    .option('--certificate-file <file>', 'the application certificate with its key, a PFX file')
    .option('--certificate-password-file <file>', 'a file that holds the password of the PFX file')
    .option('--organization-name <name>', 'contoso.onmicrosoft.com')
    .option('--account <upn>', 'an account with an app password, as older portals ask for it')
    .option('--app-password-file <file>', 'a file that holds the app password')
    .option('--region <region>', 'Worldwide, USGovernment, USDefence, China or Germany', 'Worldwide')
    .option('--no-exchange', 'without mail')
    .option('--no-onedrive', 'without OneDrive')
    .action(async (options: AddOptions, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const settings = await settingsOf(options)
        const made = await server.post<OrganizationView>('/Organizations', {
          type: 'Office365',
          region: options.region,
          isExchangeOnline: options.exchange,
          isSharePointOnline: options.onedrive,
          ...(options.exchange ? { exchangeOnlineSettings: settings } : {}),
          ...(options.onedrive ? { sharePointOnlineSettings: settings } : {}),
        })
        output.result(made, () => `${statusText('Success')}: added ${made.name} (${made.id})`)
      }),
    )

  group
    .command('remove <name-or-id>')
    .description('remove an organization; backed-up data stays')
    .action(async (name: string, _options: object, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const { id } = await named<OrganizationView>(server, '/Organizations', name)
        await server.delete(`/Organizations/${id}`)
        output.result({ id }, () => `Removed ${name}. Its restore points stay in the repositories.`)
      }),
    )
}
