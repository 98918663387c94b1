import type { Command } from 'commander'
import { sizeText, table } from '../output.ts'
import { allOf, type WithContext } from './command.ts'
import { named } from './named.ts'

export interface RepositoryView {
  readonly id: string
  readonly name: string
  readonly path?: string
  readonly capacityBytes?: number
  readonly freeSpaceBytes?: number
}

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
    .action(async (name: string, path: string, options: { description?: string }, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const made = await server.post<RepositoryView>('/BackupRepositories', { name, path, ...options })
        output.result(made, () => `Added ${made.name} (${made.id})`)
      }),
    )

  group
    .command('remove <name-or-id>')
    .description('forget a repository; what it holds stays')
    .action(async (name: string, _options: object, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const { id } = await named<RepositoryView>(server, '/BackupRepositories', name)
        await server.delete(`/BackupRepositories/${id}`)
        output.result({ id }, () => `Removed ${name}. The files are still in its folder.`)
      }),
    )
}
