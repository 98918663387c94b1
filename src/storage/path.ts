import { invalid } from '#base'

/** Marks a file that is still being written; such names can be neither written nor read through a storage. */
export const UNFINISHED = '-tmp-'

/** Throws `invalid` unless the path is relative, has no empty, `.` or `..` segment, and means the same everywhere. */
export const checkPath = (path: string): void => {
  if (path === '' || path.length > 1024) throw invalid('a storage path has 1 to 1024 characters')
  if (/[\\\0]/.test(path)) throw invalid('a storage path has neither backslash nor NUL')
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.' || segment === '..') {
      throw invalid('a storage path is relative and without empty, "." or ".." segments')
    }
    if (segment.includes(UNFINISHED)) throw invalid(`a storage path does not contain "${UNFINISHED}"`)
  }
}

/** As `checkPath`, for a folder to list; the empty string is the root. */
export const checkFolder = (folder: string): void => {
  if (folder !== '') checkPath(folder)
}
