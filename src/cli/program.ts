import { Command } from 'commander'
import { addProxyCommands } from './commands/proxies.ts'
import { addAccountCommands, addEncryptionKeyCommands } from './commands/accounts.ts'
import { addBrowseCommands } from './commands/browse.ts'
import type { WithContext } from './commands/command.ts'
import { addCopyJobCommands } from './commands/copy-jobs.ts'
import { addJobCommands } from './commands/jobs.ts'
import { addOrganizationCommands } from './commands/organizations.ts'
import { addPointCommands } from './commands/points.ts'
import { addRepositoryCommands } from './commands/repositories.ts'
import { addHoldCommands } from './commands/holds.ts'
import { addRemovalCommands } from './commands/removals.ts'
import { addRestoreCommands } from './commands/restore.ts'
import { addRetentionCommands } from './commands/retention.ts'
import { addSpaceCommands } from './commands/space.ts'
import { addTrustCommands } from './commands/trust.ts'
import { addSessionCommands } from './commands/sessions.ts'
import { connectTo, type ConnectionOptions } from './connection.ts'
import { outputFor } from './output.ts'
import type { PracticeTenantCommand } from './start/practice-tenant.ts'
import type { ServeOptions } from './start/serve.ts'

const withContext: WithContext = async (command, work) => {
  const { json, ...connection } = command.optsWithGlobals<ConnectionOptions & { json?: boolean }>()
  await using server = connectTo(connection)
  await work({ server, output: outputFor(json === true) })
}

/** The whole command line. Nothing is done before `parseAsync`. */
export const buildProgram = (): Command => {
  const program = new Command('holdfast')
    .description('Open, self-hosted backup server for Microsoft 365')
    .option('--url <address>', 'the server, or HOLDFAST_URL (https://localhost:4443)')
    .option('--username <name>', 'or HOLDFAST_USERNAME (administrator)')
    .option('--password-file <file>', 'a file with the password, or HOLDFAST_PASSWORD')
    .option(
      '--ca <file>',
      "the certificate to trust, or HOLDFAST_CA (the server's own data folder on this machine)",
    )
    .option('--json', 'one JSON value instead of tables, for scripts')
    .showHelpAfterError()
  addStarters(program)
  addOrganizationCommands(program, withContext)
  addAccountCommands(program, withContext)
  addProxyCommands(program, withContext)
  addEncryptionKeyCommands(program, withContext)
  addRepositoryCommands(program, withContext)
  addJobCommands(program, withContext)
  addCopyJobCommands(program, withContext)
  addSessionCommands(program, withContext)
  addPointCommands(program, withContext)
  addBrowseCommands(program, withContext)
  addRestoreCommands(program, withContext)
  addRetentionCommands(program, withContext)
  addSpaceCommands(program, withContext)
  addTrustCommands(program, withContext)
  addHoldCommands(program, withContext)
  addRemovalCommands(program, withContext)
  return program
}

const collect = (value: string, all: readonly string[]): readonly string[] => [...all, value]

/** What starts a process is loaded only when it is asked for: the client needs none of it. */
const addStarters = (program: Command): void => {
  program
    .command('serve')
    .description('run the server')
    .option('--data <folder>', 'all that has to be kept, or HOLDFAST_DATA')
    .option('--port <n>', 'or HOLDFAST_PORT (4443)')
    .option('--host <address>', 'address to listen on, or HOLDFAST_HOST')
    .option('--log-file <file>', 'or HOLDFAST_LOG_FILE; standard output when left out')
    .action(async (_options: ServeOptions, command: Command) => {
      const { serve } = await import('./start/serve.ts')
      await serve(command.optsWithGlobals<ServeOptions>())
    })

  program
    .command('practice-tenant')
    .description('run a simulated Microsoft 365 on loopback')
    .option('--users <n>', 'how many people', '10')
    .option('--mails <n>', 'messages in each mailbox', '200')
    .option('--files <n>', 'files in each OneDrive', '50')
    .option('--seed <n>', 'the same number gives the same tenant', '1')
    .option('--name <name>', 'contoso gives contoso.onmicrosoft.com', 'contoso')
    .option('--data <folder>', 'keep its state here; in memory when left out')
    .option('--port <n>', 'the first of six ports; any when left out')
    .option('--no-throttling', "without Microsoft's limits")
    .option(
      '--sentinel <name>',
      'add a user who is served badly: flaky, slow, throttle-me, corrupt-item …',
      collect,
      [],
    )
    .option('--legacy-ews', 'EWS with app passwords answers, as before October 2026')
    .action(async (_options: object, command: Command) => {
      const { practiceTenant } = await import('./start/practice-tenant.ts')
      await practiceTenant(command.optsWithGlobals<PracticeTenantCommand>())
    })

  program
    .command('recovery-kit <folder>')
    .description(
      'write what is needed to read the repositories with stock restic; at the server, as its administrator',
    )
    .option('--data <folder>', "the server's data folder, or HOLDFAST_DATA")
    .action(async (folder: string, _options: object, command: Command) => {
      const { recoveryKit } = await import('./start/recovery-kit.ts')
      await recoveryKit(folder, command.optsWithGlobals<{ data?: string; json?: boolean }>())
    })

  program
    .command('check-recovery-kit')
    .description('whether the last recovery kit still opens everything; at the server, as its administrator')
    .option('--data <folder>', "the server's data folder, or HOLDFAST_DATA")
    .action(async (_options: object, command: Command) => {
      const { checkRecoveryKit } = await import('./start/recovery-kit.ts')
      await checkRecoveryKit(command.optsWithGlobals<{ data?: string; json?: boolean }>())
    })

  program
    .command('rotate-root-key')
    .description(
      'seal what is secret in the database with a new root key; at the server, as its administrator, while it is stopped',
    )
    .option('--data <folder>', "the server's data folder, or HOLDFAST_DATA")
    .option('--new-key-file <file>', 'the new key in base64, where the key comes from HOLDFAST_ROOT_KEY')
    .action(async (_options: object, command: Command) => {
      const { newRootKey } = await import('./start/rotate-root-key.ts')
      await newRootKey(command.optsWithGlobals<{ data?: string; newKeyFile?: string; json?: boolean }>())
    })
}
