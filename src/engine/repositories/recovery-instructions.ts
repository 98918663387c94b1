import type { RecoveryShard } from './backup-repository.ts'

const shown = (path: string): string => `'${path.replaceAll("'", String.raw`'\''`)}'`

/** Secrets of accounts are not part of a kit: only what they are called. */
const environmentText = (environment: Readonly<Record<string, string>>): string => {
  const entries = Object.entries(environment)
  if (entries.length === 0) return ''
  const lines = entries.map(([name, value]) => `  export ${name}=${shown(value)}`)
  return `
The data is in object storage, which asks for credentials. They are not in this
kit; restic takes them from its environment:

${lines.join('\n')}
`
}

/** How to read a repository with nothing but restic. Holds no password: those are in the shards. */
export const recoveryInstructions = (
  repositoryName: string,
  shards: readonly Pick<RecoveryShard, 'organizationName' | 'path' | 'environment'>[],
): string => `Recovery kit of ${repositoryName}
${'='.repeat(16 + repositoryName.length)}

The data of each organization is kept in one or more repositories in the public
restic format, version 2. restic 0.14 or newer (https://restic.net) reads them
without Holdfast. Keep this kit apart from the data: it holds the passwords.

Repositories
${shards.map(({ organizationName, path }) => `  ${organizationName}: ${path}`).join('\n') || '  none yet'}
${environmentText(shards[0]?.environment ?? {})}
Write the password of a repository into a file that only you can read, then:

  restic -r ${shown(shards[0]?.path ?? '/path/to/repository')} --password-file password.txt --no-lock snapshots
  restic -r … --password-file password.txt --no-lock ls latest
  restic -r … --password-file password.txt --no-lock restore latest --target /somewhere
  restic -r … --password-file password.txt check --read-data

Mail is found as .eml files below users/<address>/mail/, files of OneDrive below
users/<address>/onedrive/ under their own names.
`
