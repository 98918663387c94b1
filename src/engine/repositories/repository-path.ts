import { realpath, readdir } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, normalize, relative, sep } from 'node:path'
import { invalid, isHoldfastError, notFound, type HoldfastError } from '#base'
import { probeFolder } from '#storage'
import { readText } from '../organizations/read-input.ts'
import { refuseOtherStorage } from './repository-input.ts'

/** Belong to the system with all below them. */
const SYSTEM_TREES = [
  '/bin',
  '/boot',
  '/dev',
  '/etc',
  '/lib',
  '/lib32',
  '/lib64',
  '/proc',
  '/run',
  '/sbin',
  '/sys',
  '/usr',
]
/** Hold other things' folders: a repository may be below, not the folder itself. */
const SHARED_FOLDERS = [
  '/',
  '/home',
  '/media',
  '/mnt',
  '/opt',
  '/root',
  '/srv',
  '/tmp',
  '/var',
  '/var/lib',
  '/var/log',
  '/var/tmp',
]
/** What file systems and storage devices put into an empty folder by themselves. */
const OF_THE_SYSTEM = /^(\..*|lost\+found|@eaDir|#recycle|System Volume Information)$/

export const isWithin = (path: string, folder: string): boolean => {
  const way = relative(folder, path)
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way))
}

/** Where a path that may not exist yet will really be, symbolic links followed. */
const realPathOf = async (path: string): Promise<string> => {
  try {
    return await realpath(path)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' && dirname(path) !== path)
      return join(await realPathOf(dirname(path)), basename(path))
    throw unusable(error)
  }
}

const WHY: ReadonlyMap<string, string> = new Map([
  ['ENOTDIR', 'path leads through a file'],
  ['EACCES', 'path cannot be reached by the server'],
  ['EPERM', 'path cannot be reached by the server'],
  ['ELOOP', 'path has symbolic links in a circle'],
  ['ENAMETOOLONG', 'path has a name that is too long'],
])

const unusable = (error: unknown): HoldfastError =>
  invalid(WHY.get((error as NodeJS.ErrnoException).code ?? '') ?? 'path cannot be used', 'path')

const readPath = (value: string | null | undefined): string => {
  const path = readText(value, 'path', 1_024)
  if (path === undefined) throw invalid('path is needed', 'path')
  refuseOtherStorage(path)
  if (!isAbsolute(path)) throw invalid('path has to be absolute', 'path')
  if (path.split(/[/\\]/).includes('..')) throw invalid('path must not hold ..', 'path')
  const normal = normalize(path)
  return normal.length > 1 && normal.endsWith(sep) ? normal.slice(0, -1) : normal
}

const checkSystem = (path: string): void => {
  if (SYSTEM_TREES.some((tree) => isWithin(path, tree)) || SHARED_FOLDERS.includes(path))
    throw invalid('path is a folder of the system: choose one of its own for the repository', 'path')
}

export interface PathRules {
  /** Paths of the other repositories. */
  readonly taken: readonly string[]
  /** The server's own data: neither inside nor around it. */
  readonly reserved: readonly string[]
}

/** The path in its normal form. Throws `invalid` for one that a repository must not have. */
export const acceptRepositoryPath = async (
  value: string | null | undefined,
  { taken, reserved }: PathRules,
): Promise<string> => {
  const path = readPath(value)
  const real = await realPathOf(path)
  for (const one of [path, real]) checkSystem(one)
  for (const other of taken) {
    const realOther = await realPathOf(other).catch(() => other)
    if (isWithin(real, realOther) || isWithin(realOther, real))
      throw invalid('path is inside another repository, or holds one', 'path')
  }
  for (const folder of reserved) {
    const realFolder = await realPathOf(folder).catch(() => folder)
    if (isWithin(real, realFolder) || isWithin(realFolder, real))
      throw invalid("path is in the server's own folder, or holds it", 'path')
  }
  await checkWritable(path).catch((error: unknown) => {
    if (isHoldfastError(error, 'full') || !isHoldfastError(error)) throw error
    throw invalid(`path cannot be used: ${error.message}`, 'path')
  })
  return path
}

/** Throws when the file system there does not do what a repository needs, with words for a person. */
export const checkWritable = async (path: string): Promise<void> => {
  await probeFolder(path)
}

const namesIn = async (path: string): Promise<readonly string[]> => {
  const names = await readdir(path).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw unusable(error)
  })
  return names.filter((name) => !OF_THE_SYSTEM.test(name))
}

/** Throws `invalid` when a folder holds other things than an empty one does. A missing folder is empty. */
export const checkEmpty = async (path: string): Promise<void> => {
  if ((await namesIn(path)).length > 0)
    throw invalid('path holds other files: choose an empty folder', 'path')
}

/** True when a folder has this one entry beside what the system and Holdfast put there. */
export const holdsOnly = async (path: string, name: string): Promise<boolean> =>
  (await namesIn(path)).every((one) => one === name || one === '.holdfast')

/** Throws `not-found` while a folder that should be there is not, such as a share that is not mounted. */
export const checkThere = async (path: string): Promise<void> => {
  await readdir(path).catch(() => {
    throw notFound('the folder cannot be reached')
  })
}
