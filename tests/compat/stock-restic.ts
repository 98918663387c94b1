import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { BlobId, Repository } from '#repository'
import { collect, TEST_OPTIONS } from '../../src/repository/tests/fixtures.ts'

const run = promisify(execFile)

/** Runs stock restic on a repository, without its cache, and gives what it prints. Throws where it fails. */
export const restic = async (
  repo: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<string> => {
  const { password } = TEST_OPTIONS
  const env = { ...process.env, RESTIC_REPOSITORY: repo, RESTIC_PASSWORD: password, ...environment }
  return (await run('restic', ['--no-cache', ...args], { env, maxBuffer: 1 << 26 })).stdout
}

/** Files below a folder of the disk. */
export const filesIn = async (folder: string, path = ''): Promise<Map<string, Buffer>> => {
  const files = new Map<string, Buffer>()
  for (const entry of await readdir(join(folder, path), { withFileTypes: true })) {
    const below = path === '' ? entry.name : `${path}/${entry.name}`
    if (entry.isDirectory()) for (const [name, bytes] of await filesIn(folder, below)) files.set(name, bytes)
    else if (entry.isFile()) files.set(below, await readFile(join(folder, below)))
  }
  return files
}

/** Files below a tree of a repository. */
export const filesBelow = async (
  repository: Repository,
  tree: BlobId,
  path = '',
): Promise<Map<string, Buffer>> => {
  const files = new Map<string, Buffer>()
  for (const entry of await repository.tree(tree)) {
    const below = path === '' ? entry.name : `${path}/${entry.name}`
    if (entry.type === 'file') files.set(below, await collect(repository.readFile(entry)))
    else
      for (const [name, bytes] of await filesBelow(repository, entry.subtree, below)) files.set(name, bytes)
  }
  return files
}
