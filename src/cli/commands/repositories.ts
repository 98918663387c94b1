import type { Command } from 'commander'
import { addAttachCommands } from './attach.ts'
import { sizeText, table } from '../output.ts'
import { allOf, type WithContext } from './command.ts'
import { named } from './named.ts'
import { placeOf, type RepositoryView } from './repository-view.ts'

interface FolderOptions {
  readonly description?: string
  readonly encryptionKey?: string
}

interface CloudOptions extends FolderOptions {
  readonly account: string
  readonly endpoint?: string
  readonly region?: string
  readonly limitGb?: string
  readonly immutableDays?: string
  readonly governance?: boolean
}

const commonOf = ({ description, encryptionKey }: FolderOptions): object => ({
  ...(description === undefined ? {} : { description }),
  ...(encryptionKey === undefined
    ? {}
    : { encryptionKeyId: encryptionKey, objectStorageEncryptionEnabled: true }),
})

export const addRepositoryCommands = (program: Command, withContext: WithContext): void => {
  const group = program.command('repositories').description('backup repositories')

  group
    .command('list')
    .description('list the repositories with their space')
    .action(async (_options: object, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const found = await Array.fromAsync(allOf<RepositoryView>(server, '/BackupRepositories'))
        output.result(found, () =>
          table(
            ['name', 'path', 'free', 'of', 'id'],
            found.map((r) => [r.name, r.path, sizeText(r.freeSpaceBytes), sizeText(r.capacityBytes), r.id]),
            'There is no repository.',
          ),
        )
      }),
    )

  group
    .command('add <name> <path>')
    .description('add a folder of the server as a repository')
    .option('--description <text>')
    .option('--encryption-key <id>', 'a password of yours that opens it too')
    .action(async (name: string, path: string, options: FolderOptions, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const body = { name, path, retentionType: 'ItemLevel', ...commonOf(options) }
        const made = await server.post<RepositoryView>('/BackupRepositories', body)
        output.result(made, () => `Added ${made.name} (${made.id})`)
      }),
    )

  addObjectStorage(group, withContext)
  addStorageClass(group, withContext)
  addAttachCommands(group, withContext)

  group
    .command('remove <name-or-id>')
    .description('forget a repository; what it holds stays')
    .action(async (name: string, _options: object, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const { id } = await named<RepositoryView>(server, '/BackupRepositories', name)
        await server.delete(`/BackupRepositories/${id}`)
        output.result({ id }, () => `Removed ${name}. What it holds is still in its place.`)
      }),
    )
}

const addStorageClass = (group: Command, withContext: WithContext): void => {
  group
    .command('storage-class <name-or-id> [class]')
    .description('show or choose the class of new packs: of S3, Hot, Cool or Cold of Azure, or none')
    .action(async (name: string, wanted: string | undefined, _options: object, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const { id } = await named<RepositoryView>(server, '/BackupRepositories', name)
        const path = `/Holdfast/BackupRepositories/${id}/StorageClass`
        const found =
          wanted === undefined
            ? await server.get<{ storageClass?: string }>(path)
            : await server.put<{ storageClass?: string }>(path, {
                storageClass: wanted === 'none' ? '' : wanted,
              })
        output.result(
          found,
          () => `New packs of ${name}: ${found.storageClass ?? 'as the storage has of itself'}`,
        )
      }),
    )
}

const addObjectStorage = (group: Command, withContext: WithContext): void => {
  group
    .command('add-object-storage <name> <bucket> <folder>')
    .description('add a folder of a bucket of S3, or of a container of Azure, as a repository')
    .requiredOption('--account <id>', 'the account that reaches it; its type says which service is meant')
    .option('--endpoint <address>', 'of S3 that is not of Amazon: https://s3.example.com:9000')
    .option('--region <id>', 'of S3; for Azure: Global, China or Government')
    .option('--limit-gb <n>', 'start no run when it holds so much')
    .option('--immutable-days <n>', 'nothing can be removed for so long; 0: as long as the retention keeps')
    .option('--governance', 'in governance mode, which a special right may break; else nobody may')
    .option('--description <text>')
    .option('--encryption-key <id>', 'a password of yours that opens it too')
    .action(async (name: string, bucket: string, folder: string, options: CloudOptions, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const account = await server.get<{ accountType?: string }>(`/Accounts/${options.account}`)
        const made = await server.post<RepositoryView>('/BackupRepositories', {
          name,
          retentionType: 'ItemLevel',
          ...commonOf(options),
          objectStorage: {
            accountId: options.account,
            ...placeOf(account.accountType ?? '', { bucket, folder, ...options }),
            ...limitsOf(options),
          },
        })
        output.result(made, () => `Added ${made.name} (${made.id})`)
      }),
    )
}

const limitsOf = ({ limitGb, immutableDays, governance = false }: CloudOptions): object => ({
  ...(limitGb === undefined ? {} : { sizeLimitEnabled: true, sizeLimitGB: Number(limitGb) }),
  ...(immutableDays === undefined
    ? {}
    : {
        enableImmutability: true,
        immutabilityPeriodDays: Number(immutableDays),
        enableImmutabilityGovernanceMode: governance,
      }),
})
