import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { table } from '../output.ts'
import { allOf, type WithContext } from './command.ts'

export interface AccountView {
  readonly id: string
  readonly accountType?: string
  readonly userName?: string
  readonly description?: string
}

interface KeyView {
  readonly id: string
  readonly description?: string
}

const TYPES: Readonly<Record<string, string>> = {
  s3: 'amazonS3CompatibleAccount',
  'amazon-s3': 'amazonS3Account',
  azure: 'azureBlobAccount',
}

/** Secrets come out of files: a command line is seen by everybody on the machine. */
export const secretIn = async (file: string): Promise<string> =>
  (await readFile(file, 'utf8')).replace(/\r?\n$/, '')

/** Accounts of object storage. */
export const addAccountCommands = (program: Command, withContext: WithContext): void => {
  const group = program.command('accounts').description('accounts of object storage')

  group
    .command('list')
    .description('list the accounts, without their secrets')
    .action(async (_options: object, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const found = await Array.fromAsync(allOf<AccountView>(server, '/Accounts'))
        output.result(found, () =>
          table(
            ['type', 'name', 'description', 'id'],
            found.map((a) => [a.accountType, a.userName, a.description, a.id]),
            'There is no account.',
          ),
        )
      }),
    )

  group
    .command('add <kind> <name>')
    .description(
      'add an account; the kind is s3, amazon-s3 or azure, the name an access key or a storage account',
    )
    .requiredOption('--secret-file <file>', 'a file with the secret key or the account key')
    .option('--description <text>')
    .action(
      async (
        kind: string,
        userName: string,
        options: { secretFile: string; description?: string },
        command: Command,
      ) =>
        withContext(command, async ({ server, output }) => {
          const made = await server.post<AccountView>('/Accounts', {
            accountType: TYPES[kind] ?? kind,
            userName,
            password: await secretIn(options.secretFile),
            ...(options.description === undefined ? {} : { description: options.description }),
          })
          output.result(made, () => `Added the account ${userName} (${made.id})`)
        }),
    )

  group
    .command('set-secret <id>')
    .description('replace the secret of an account, after it was tried on what uses the account')
    .requiredOption('--secret-file <file>', 'a file with the new one')
    .action(async (id: string, options: { secretFile: string }, command: Command) =>
      withContext(command, async ({ server, output }) => {
        await server.put(`/Accounts/${id}`, { password: await secretIn(options.secretFile) })
        output.result({ id }, () => 'The new secret works and is kept.')
      }),
    )

  addConnection(group, withContext)

  group
    .command('remove <id>')
    .description('remove an account that nothing uses')
    .action(async (id: string, _options: object, command: Command) =>
      withContext(command, async ({ server, output }) => {
        await server.delete(`/Accounts/${id}`)
        output.result({ id }, () => 'Removed the account.')
      }),
    )
}

interface ConnectionView {
  readonly addressing: string
  readonly checksums: string
  readonly certificateAuthority?: string
}

interface ConnectionOptions {
  readonly addressing?: string
  readonly checksums?: string
  /** A file; false for `--no-authority`. */
  readonly authority?: string | false
}

/** `virtual-host` is VirtualHost in the API. */
const wordOf = (text: string): string => text.replaceAll('-', '')

const addConnection = (group: Command, withContext: WithContext): void => {
  group
    .command('connection <id>')
    .description('show or change how the service of an account is spoken to')
    .option('--addressing <how>', 'where a bucket stands: path, virtual-host or automatic')
    .option('--checksums <when>', 'when-required, when-supported or automatic')
    .option('--authority <file>', 'certificates in PEM that are trusted for this account')
    .option('--no-authority', 'trust the well-known authorities and those of the server alone')
    .action(async (id: string, options: ConnectionOptions, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const { addressing, checksums, authority } = options
        const change = {
          ...(addressing === undefined ? {} : { addressing: wordOf(addressing) }),
          ...(checksums === undefined ? {} : { checksums: wordOf(checksums) }),
          ...(authority === undefined
            ? {}
            : { certificateAuthority: authority === false ? '' : await readFile(authority, 'utf8') }),
        }
        const path = `/Holdfast/Accounts/${id}/Connection`
        const isAsked = Object.keys(change).length > 0
        const connection = isAsked
          ? await server.put<ConnectionView>(path, change)
          : await server.get<ConnectionView>(path)
        output.result(connection, () =>
          table(
            ['addressing', 'checksums', 'own authority'],
            [
              [
                connection.addressing,
                connection.checksums,
                connection.certificateAuthority === undefined ? 'no' : 'yes',
              ],
            ],
            '',
          ),
        )
      }),
    )
}

interface RenewedView {
  readonly repositories: readonly {
    readonly name: string
    readonly shards?: number
    readonly shardsWithEarlierPassword?: number
    readonly reason?: string
  }[]
}

const renewedText = ({ repositories }: RenewedView): string =>
  table(
    ['repository', 'folders', 'earlier password removed'],
    repositories.map(({ name, shards = 0, shardsWithEarlierPassword: left = 0, reason }) => [
      name,
      shards,
      reason ?? (left === 0 ? 'yes' : `not yet in ${left}`),
    ]),
    'No repository uses the key.',
  )

/** Passwords that administrators chose for repositories. */
export const addEncryptionKeyCommands = (program: Command, withContext: WithContext): void => {
  const group = program.command('encryption-keys').description('passwords that open repositories')

  group
    .command('list')
    .description('list the keys, without their passwords')
    .action(async (_options: object, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const found = await Array.fromAsync(allOf<KeyView>(server, '/EncryptionKeys'))
        output.result(found, () =>
          table(
            ['hint', 'id'],
            found.map((key) => [key.description, key.id]),
            'There is no encryption key.',
          ),
        )
      }),
    )

  group
    .command('add <hint>')
    .description('add a password for repositories, with what reminds of it')
    .requiredOption('--secret-file <file>', 'a file with the password')
    .action(async (description: string, options: { secretFile: string }, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const password = await secretIn(options.secretFile)
        const made = await server.post<KeyView>('/EncryptionKeys', { password, description })
        output.result(made, () => `Added the encryption key ${made.id}`)
      }),
    )

  group
    .command('change-password <id>')
    .description('give a key another password, in every repository that uses it')
    .requiredOption('--secret-file <file>', 'a file with the new password')
    .action(async (id: string, options: { secretFile: string }, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const newPassword = await secretIn(options.secretFile)
        const path = `/Holdfast/EncryptionKeys/${id}/ChangePassword`
        const renewed = await server.post<RenewedView>(path, { newPassword })
        output.result(renewed, () => renewedText(renewed))
      }),
    )

  group
    .command('remove <id>')
    .description('remove a key that no repository uses')
    .action(async (id: string, _options: object, command: Command) =>
      withContext(command, async ({ server, output }) => {
        await server.delete(`/EncryptionKeys/${id}`)
        output.result({ id }, () => 'Removed the encryption key.')
      }),
    )
}
