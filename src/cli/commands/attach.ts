import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { table } from '../output.ts'
import { secretIn } from './accounts.ts'
import type { WithContext } from './command.ts'
import { named } from './named.ts'
import { addReencryptCommands } from './reencrypt.ts'
import { placeOf, type RepositoryView } from './repository-view.ts'

interface AttachedView {
  readonly id: string
  readonly name: string
  readonly organizations: readonly {
    readonly name: string
    readonly folder: string
    readonly shards: number
    readonly isAttached: boolean
  }[]
}

interface PasswordOptions {
  readonly kit?: string
  readonly repositoryPasswordFile?: string
  readonly organization?: string
}

interface AttachOptions extends PasswordOptions {
  readonly name?: string
  readonly encryptionKey?: string
  readonly takeOver?: boolean
}

interface CloudOptions extends AttachOptions {
  readonly account: string
  readonly endpoint?: string
  readonly region?: string
}

interface KitEntry {
  readonly organization: string
  readonly path: string
  readonly passwordFile: string
}

const passwordsOf = async ({
  kit,
  repositoryPasswordFile,
  organization,
}: PasswordOptions): Promise<object[]> => {
  const own =
    repositoryPasswordFile === undefined
      ? []
      : [
          {
            password: await secretIn(repositoryPasswordFile),
            ...(organization === undefined ? {} : { organization }),
          },
        ]
  return kit === undefined ? own : [...own, ...(await passwordsOfKit(kit))]
}

/** A kit has a file for each shard; those of one organization in one repository are the same. */
const passwordsOfKit = async (kit: string): Promise<object[]> => {
  const entries = JSON.parse(await readFile(join(kit, 'repositories.json'), 'utf8')) as readonly KitEntry[]
  const found = await Promise.all(entries.map(({ passwordFile }) => secretIn(join(kit, passwordFile))))
  return [...new Set(found)].map((password) => ({ password }))
}

const textOf = ({ name, id, organizations }: AttachedView): string =>
  [
    `Attached ${name} (${id})`,
    table(
      ['organization', 'folder', 'shards', 'attached'],
      organizations.map((each) => [
        each.name,
        each.folder,
        String(each.shards),
        each.isAttached ? 'yes' : 'no: no password',
      ]),
      'It holds no organization.',
    ),
  ].join('\n')

const withPasswords = (command: Command): Command =>
  command
    .option('--kit <folder>', 'the recovery kit: all of its passwords are tried')
    .option('--repository-password-file <file>', 'a file with a password that opens it')
    .option('--organization <name>', 'the one that the password is for; else it is tried for all')

/** Repositories that another server made, or this one before it was lost. */
export const addAttachCommands = (group: Command, withContext: WithContext): void => {
  withPasswords(group.command('attach <path>'))
    .description('attach a folder of the server that holds a repository of another server')
    .option('--name <text>', 'else as it was called before')
    .option('--encryption-key <id>', 'a password of yours that opens it already')
    .option('--take-over', 'also from a server that seems to be at work: it writes nothing more there')
    .action(async (path: string, options: AttachOptions, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const body = { path, ...(await bodyOf(options)) }
        const attached = await server.post<AttachedView>('/Holdfast/BackupRepositories/Attach', body)
        output.result(attached, () => textOf(attached))
      }),
    )

  withPasswords(group.command('attach-object-storage <bucket> <folder>'))
    .description('attach a folder of a bucket or container that holds a repository of another server')
    .requiredOption('--account <id>', 'the account that reaches it')
    .option('--endpoint <address>', 'of S3 that is not of Amazon: https://s3.example.com:9000')
    .option('--region <id>', 'of S3; for Azure: Global, China or Government')
    .option('--name <text>', 'else as it was called before')
    .option('--encryption-key <id>', 'a password of yours that opens it already')
    .option('--take-over', 'also from a server that seems to be at work: it writes nothing more there')
    .action(async (bucket: string, folder: string, options: CloudOptions, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const account = await server.get<{ accountType?: string }>(`/Accounts/${options.account}`)
        const place = placeOf(account.accountType ?? '', { bucket, folder, ...options })
        const objectStorage = { accountId: options.account, ...place }
        const body = { objectStorage, ...(await bodyOf(options)) }
        const attached = await server.post<AttachedView>('/Holdfast/BackupRepositories/Attach', body)
        output.result(attached, () => textOf(attached))
      }),
    )

  addOwnerCommands(group, withContext)
  addPasswordCommands(group, withContext)
  addReencryptCommands(group, withContext)
  withPasswords(group.command('attach-organizations <name-or-id>'))
    .description('attach further organizations of a repository that is attached already')
    .action(async (name: string, options: PasswordOptions, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const { id } = await named<RepositoryView>(server, '/BackupRepositories', name)
        const body = { passwords: await passwordsOf(options) }
        const attached = await server.post<AttachedView>(`/Holdfast/BackupRepositories/${id}/Attach`, body)
        output.result(attached, () => textOf(attached))
      }),
    )
}

const bodyOf = async (options: AttachOptions): Promise<object> => ({
  passwords: await passwordsOf(options),
  ...(options.name === undefined ? {} : { name: options.name }),
  ...(options.encryptionKey === undefined ? {} : { encryptionKeyId: options.encryptionKey }),
  ...(options.takeOver === true ? { takeOver: true } : {}),
})

interface OwnerView {
  readonly serverId?: string
  readonly serverName?: string
  readonly since?: string
  readonly isThisServer: boolean
  readonly isAtWork: boolean
}

const ownerText = (name: string, owner: OwnerView): string => {
  if (owner.serverId === undefined) return `${name} belongs to no server yet`
  if (owner.isThisServer) return `${name} belongs to this server (${owner.serverName})`
  const state = owner.isAtWork ? 'at work, as far as can be seen' : 'not at work'
  return `${name} belongs to the server on ${owner.serverName} since ${owner.since}, which is ${state}; this one only reads it`
}

interface RotatedView {
  readonly organizations: readonly {
    readonly name: string
    readonly shards: number
    readonly shardsWithEarlierPassword: number
  }[]
  readonly isRecoveryKitOutOfDate: boolean
}

const rotatedText = (name: string, { organizations, isRecoveryKitOutOfDate }: RotatedView): string =>
  [
    table(
      ['organization', 'repositories', 'earlier password removed'],
      organizations.map(({ name: organization, shards, shardsWithEarlierPassword: left }) => [
        organization,
        String(shards),
        left === 0 ? 'yes' : `not yet in ${left}`,
      ]),
      `${name} holds nothing yet.`,
    ),
    ...(isRecoveryKitOutOfDate
      ? ['Make a new recovery kit now: the one you have no longer opens them.']
      : []),
  ].join('\n')

const addPasswordCommands = (group: Command, withContext: WithContext): void => {
  group
    .command('rotate-passwords <name-or-id>')
    .description('give the repository new passwords; make a new recovery kit afterwards')
    .action(async (given: string, _: object, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const { id, name } = await named<RepositoryView>(server, '/BackupRepositories', given)
        const path = `/Holdfast/BackupRepositories/${id}/RotatePasswords`
        const rotated = await server.post<RotatedView>(path, {})
        output.result(rotated, () => rotatedText(name, rotated))
      }),
    )
}

/** Of two servers on one repository, one writes. */
const addOwnerCommands = (group: Command, withContext: WithContext): void => {
  group
    .command('owner <name-or-id>')
    .description('which server a repository belongs to')
    .action(async (given: string, _: object, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const { id, name } = await named<RepositoryView>(server, '/BackupRepositories', given)
        const owner = await server.get<OwnerView>(`/Holdfast/BackupRepositories/${id}/Owner`)
        output.result(owner, () => ownerText(name, owner))
      }),
    )
  group
    .command('take-over <name-or-id>')
    .description('make this server the owner: the one before writes nothing more there')
    .action(async (given: string, _: object, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const { id, name } = await named<RepositoryView>(server, '/BackupRepositories', given)
        const owner = await server.post<OwnerView>(`/Holdfast/BackupRepositories/${id}/TakeOver`, {})
        output.result(owner, () => ownerText(name, owner))
      }),
    )
}
