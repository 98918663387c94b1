import { corrupt, isHoldfastError } from '#base'
import type { Storage } from '#storage'

/** `repo.json` at a repository's root: says whose folder it is. Written once. */
export interface RepositoryFile {
  readonly format: 'holdfast'
  readonly version: 1
  readonly id: string
  readonly name: string
  readonly createdAt: string
}

/** `organization.json` in an organization's folder: what its shards belong to. Written once. */
export interface OrganizationFile {
  readonly format: 'holdfast'
  readonly version: 1
  readonly organizationId: string
  readonly name: string
  readonly shards: number
}

export const REPOSITORY_FILE = 'repo.json'
const ORGANIZATION_FILE = 'organization.json'

const bytesOf = (value: object): Uint8Array => Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`)

/** Undefined where there is none. Throws `corrupt` for one that is not ours. */
export const readRepositoryFile = async (storage: Storage): Promise<RepositoryFile | undefined> => {
  if ((await storage.stat(REPOSITORY_FILE)) === undefined) return undefined
  const text = Buffer.from(await storage.read(REPOSITORY_FILE)).toString('utf8')
  try {
    const value = JSON.parse(text) as Partial<RepositoryFile>
    if (value.format === 'holdfast' && value.version === 1 && typeof value.id === 'string')
      return value as RepositoryFile
  } catch (error) {
    throw corrupt('repo.json of the folder cannot be read', error)
  }
  throw corrupt('repo.json of the folder is of another version')
}

export const writeRepositoryFile = async (storage: Storage, file: RepositoryFile): Promise<void> => {
  await storage.write(REPOSITORY_FILE, [bytesOf(file)])
}

export const removeRepositoryFile = async (storage: Storage): Promise<void> => {
  await storage.remove(REPOSITORY_FILE)
}

/** Leaves the file alone that is there already. */
export const keepOrganizationFile = async (
  storage: Storage,
  folder: string,
  file: OrganizationFile,
): Promise<void> => {
  await storage.write(`${folder}/${ORGANIZATION_FILE}`, [bytesOf(file)]).catch((error: unknown) => {
    if (!isHoldfastError(error, 'conflict')) throw error
  })
}
