import { chmod, mkdir, readFile, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { corrupt, type Random } from '#base'
import { writeWholeFile } from './whole-file.ts'

/** Where things are below the data folder. */
export interface DataFolder {
  readonly path: string
  readonly database: string
  readonly lock: string
  readonly rootKey: string
  /** While the root key is changed: the one to be. */
  readonly nextRootKey: string
  readonly catalogues: string
  /** Of the default backup repository. */
  readonly repository: string
}

/** Makes the folder where it is not there, for its owner alone. */
export const openDataFolder = async (path: string): Promise<DataFolder> => {
  await mkdir(path, { recursive: true, mode: 0o700 })
  await chmod(path, 0o700)
  return {
    path,
    database: join(path, 'holdfast.sqlite'),
    lock: join(path, 'server.lock'),
    rootKey: join(path, 'root.key'),
    nextRootKey: join(path, 'root.key.next'),
    catalogues: join(path, 'catalogues'),
    repository: join(path, 'repository'),
  }
}

const bytesIn = async (file: string): Promise<number> => {
  const found = await stat(file).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  })
  return found?.size ?? 0
}

/**
 * Throws `corrupt` for a folder that was used and has lost its database: a new one would be an empty server in its place.
 * The root key is made after the database has its tables.
 */
export const checkDatabase = async ({ database, rootKey }: DataFolder): Promise<void> => {
  if ((await bytesIn(rootKey)) === 0) return
  if ((await bytesIn(database)) + (await bytesIn(`${database}-wal`)) > 0) return
  throw corrupt(
    'the database is empty or missing although there is a root key: put holdfast.sqlite back, or begin in another data folder',
  )
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** The id of this installation, made once. */
export const installationId = async (folder: DataFolder, random: Random): Promise<string> => {
  const file = join(folder.path, 'installation-id')
  try {
    const id = (await readFile(file, 'utf8')).trim()
    if (!UUID.test(id)) throw corrupt('the file installation-id holds no GUID')
    return id
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    const id = random.uuid()
    await writeWholeFile(file, `${id}\n`, 0o600)
    return id
  }
}

const LEAST_FREE_BYTES = 256 * 1024 * 1024

/** Whether the folder can be written to and has room. */
export const dataFolderHealth = async ({ path }: DataFolder) => {
  const { bavail, bsize } = await statfs(path)
  const freeBytes = bavail * bsize
  const mebibytes = Math.floor(freeBytes / 1024 / 1024)
  return { isHealthy: freeBytes > LEAST_FREE_BYTES, description: `${mebibytes} MiB free` }
}
