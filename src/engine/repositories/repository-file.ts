import { corrupt, isHoldfastError } from '#base'
import type { RepositoryOrganizationRow } from '#database'
import type { Storage } from '#storage'
import { isOwned } from './owner-lease.ts'

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
  /** Of several folders of an organization the one with the highest is in force; 1 where none is told. */
  readonly generation?: number
}

export const REPOSITORY_FILE = 'repo.json'
export const ORGANIZATION_FILE = 'organization.json'

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

const GENERATION = /~[0-9a-f]{8}\.(\d{1,6})$/

/** Which of an organization's folders it is: the first has no number. */
export const generationOf = (folder: string): number => Number(GENERATION.exec(folder)?.[1] ?? 1)

/** The name of a further folder. */
export const folderOfGeneration = (folder: string, generation: number): string =>
  `${folder.replace(GENERATION, (found) => found.slice(0, found.lastIndexOf('.')))}.${generation}`

export const organizationFileOf = (
  row: Pick<RepositoryOrganizationRow, 'organizationId' | 'organizationName' | 'shardCount' | 'folder'>,
): OrganizationFile => {
  const generation = generationOf(row.folder)
  return {
    format: 'holdfast',
    version: 1,
    organizationId: row.organizationId,
    name: row.organizationName,
    shards: row.shardCount,
    ...(generation === 1 ? {} : { generation }),
  }
}

/** Leaves the file alone that is there already. */
export const keepOrganizationFile = async (
  storage: Storage,
  folder: string,
  file: OrganizationFile,
): Promise<void> => {
  await storage.write(`${folder}/${ORGANIZATION_FILE}`, [bytesOf(file)]).catch((error: unknown) => {
    if (!isHoldfastError(error, 'conflict') || isOwned(error)) throw error
  })
}

export const hasOrganizationFile = async (storage: Storage, folder: string): Promise<boolean> =>
  (await storage.stat(`${folder}/${ORGANIZATION_FILE}`)) !== undefined

/** An organization's folder and what it says of itself. */
export interface OrganizationFolder {
  readonly folder: string
  readonly file: OrganizationFile
}

const MOST_SHARDS = 64
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * Every organization that has a folder in a repository, by folder. Where one has several, as its data was encrypted anew, the
 * one in force. Lists all files: a storage has no shorter way.
 */
export const findOrganizationFolders = async (
  storage: Storage,
  signal?: AbortSignal,
): Promise<readonly OrganizationFolder[]> => {
  const folders: string[] = []
  for await (const { path } of storage.list('', signal)) {
    const [folder = '', name, ...deeper] = path.split('/')
    if (name === ORGANIZATION_FILE && deeper.length === 0) folders.push(folder)
  }
  const found: OrganizationFolder[] = []
  for (const folder of folders.toSorted())
    found.push({ folder, file: await readOrganizationFile(storage, folder) })
  return found.filter(({ file }) => !found.some((other) => isLater(other.file, file)))
}

const isLater = (a: OrganizationFile, b: OrganizationFile): boolean =>
  a.organizationId === b.organizationId && (a.generation ?? 1) > (b.generation ?? 1)

const readOrganizationFile = async (storage: Storage, folder: string): Promise<OrganizationFile> => {
  const text = Buffer.from(await storage.read(`${folder}/${ORGANIZATION_FILE}`)).toString('utf8')
  const value = parsed(text)
  const { organizationId, name, shards = 0 } = value
  const isOurs = value.format === 'holdfast' && value.version === 1 && typeof name === 'string'
  const isCounted = Number.isInteger(shards) && shards >= 1 && shards <= MOST_SHARDS
  if (isOurs && isCounted && typeof organizationId === 'string' && UUID.test(organizationId))
    return value as OrganizationFile
  throw corrupt(`${ORGANIZATION_FILE} of ${folder} cannot be read`)
}

const parsed = (text: string): Partial<OrganizationFile> => {
  try {
    return (JSON.parse(text) as Partial<OrganizationFile> | null) ?? {}
  } catch {
    return {}
  }
}
