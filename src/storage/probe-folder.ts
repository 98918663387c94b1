import { constants } from 'node:fs'
import { link, open, readdir, readFile, rename, stat, statfs, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { HoldfastError, type ErrorCode, type Random, systemRandom } from '#base'
import { systemCode } from './local-errors.ts'
import { UNFINISHED } from './path.ts'

/** What of a file system the probe tries; the one of Node unless a test puts another in its place. */
export interface ProbedFiles {
  /** Makes a new file, refusing a name that is taken, and tells how many bytes it took. */
  create(path: string, bytes: Uint8Array): Promise<number>
  /** Resolves when the bytes are on the disk. */
  sync(path: string): Promise<void>
  read(path: string): Promise<Uint8Array>
  sizeOf(path: string): Promise<number | undefined>
  link(from: string, to: string): Promise<void>
  rename(from: string, to: string): Promise<void>
  remove(path: string): Promise<void>
  names(folder: string): Promise<readonly string[]>
  /** The number by which the system knows the kind of file system. */
  kind(folder: string): Promise<number>
}

export interface ProbeOptions {
  readonly random?: Random
  readonly files?: ProbedFiles
}

const PROBE_BYTES = 64 * 1024
/** File systems that only look like a disk: of the kernel, of its processes, of devices. */
const NOT_DISKS: ReadonlySet<number> = new Set([
  0x9fa0, 0x62656572, 0x27e0eb, 0x63677270, 0x64626720, 0x74726163, 0xcafe4a11, 0x1cd1, 0x19800202,
])
const NO_LINKS: ReadonlySet<string> = new Set([
  'EPERM',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'EMLINK',
  'EACCES',
])
const REFUSALS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  EROFS: ['denied', 'is read-only'],
  EACCES: ['denied', 'may not be written to by the server'],
  EPERM: ['denied', 'may not be written to by the server'],
  ENOSPC: ['full', 'is on a disk without free space'],
  EDQUOT: ['full', 'has used up what its quota allows'],
  ENOTDIR: ['invalid', 'is a file'],
  ESTALE: ['unavailable', 'is on a network share that has gone away'],
  ENOTCONN: ['unavailable', 'is on a network share that has gone away'],
  EHOSTDOWN: ['unavailable', 'is on a network share that does not answer'],
  ETIMEDOUT: ['unavailable', 'is on a network share that does not answer'],
  EIO: ['unavailable', 'is on a disk that reports errors'],
}

/**
 * Tries in a folder, or in the nearest one above that is there, all that a repository needs: files of which one of two
 * makers gets the name, names that move whole, bytes that are on the disk when the disk says so. Leaves nothing behind.
 * Throws what a person can act on: `denied`, `full`, `invalid` (the file system cannot do it), `unavailable`.
 */
export const probeFolder = async (folder: string, options: ProbeOptions = {}): Promise<void> => {
  const { random = systemRandom, files = nodeFiles } = options
  const there = await nearestFolder(folder)
  if (NOT_DISKS.has(await files.kind(there).catch(refused)))
    throw refusal('invalid', 'is a view of the system, not a place for files')
  const mark = Buffer.from(random.bytes(8)).toString('hex')
  const paths = ['a', 'b'].map((name) => join(there, `probe-${name}${UNFINISHED}${mark}`))
  const [first, second] = [paths[0]!, paths[1]!]
  try {
    await probeFile(files, first, random)
    await probeTaken(files, first)
    await probeLink(files, first, second)
    await probeRename(files, first, second)
    await probeListing(files, there, second)
    await files.remove(second).catch(refused)
    if ((await files.sizeOf(second)) !== undefined) throw refusal('invalid', 'keeps files that were removed')
  } finally {
    for (const path of paths) await files.remove(path).catch(() => undefined)
  }
}

const probeFile = async (files: ProbedFiles, path: string, random: Random): Promise<void> => {
  const bytes = random.bytes(PROBE_BYTES)
  const written = await files.create(path, bytes).catch(refused)
  if (written !== bytes.length) throw refusal('full', 'took only a part of a small file')
  await files.sync(path).catch((error: unknown) => {
    if (['ENOSPC', 'EDQUOT', 'EIO'].includes(systemCode(error) ?? '')) refused(error)
    throw refusal(
      'invalid',
      `cannot say when a file is safe on the disk (fsync: ${systemCode(error) ?? 'failed'})`,
    )
  })
  if ((await files.sizeOf(path)) !== bytes.length)
    throw refusal('invalid', 'reports another size for a file than was written')
  if (Buffer.compare(await files.read(path).catch(refused), bytes) !== 0)
    throw refusal('invalid', 'gives back other bytes than were written')
}

/** Locks and everything else of a repository rest on this. */
const probeTaken = async (files: ProbedFiles, path: string): Promise<void> => {
  const code = await codeOf(files.create(path, new Uint8Array(1)))
  if (code === undefined)
    throw refusal('invalid', 'lets two writers make a file of the same name, so that nothing can be locked')
  if (code !== 'EEXIST') throw refusal('invalid', `answers ${code} where a name is taken`)
}

/** A file system without hard links will do; one that links over a file will not. */
const probeLink = async (files: ProbedFiles, first: string, second: string): Promise<void> => {
  const code = await codeOf(files.link(first, second))
  if (code !== undefined && NO_LINKS.has(code)) return
  if (code !== undefined) throw refusal('invalid', `cannot give a finished file its name (link: ${code})`)
  if ((await codeOf(files.link(first, second))) !== 'EEXIST')
    throw refusal('invalid', 'lets a file take the name of another')
  await files.remove(second).catch(refused)
}

const probeRename = async (files: ProbedFiles, first: string, second: string): Promise<void> => {
  const code = await codeOf(files.rename(first, second))
  if (code !== undefined) throw refusal('invalid', `cannot rename files (${code})`)
  const sizes = [await files.sizeOf(first), await files.sizeOf(second)]
  if (sizes[0] !== undefined || sizes[1] !== PROBE_BYTES)
    throw refusal('invalid', 'does not rename files in one step')
}

const probeListing = async (files: ProbedFiles, folder: string, path: string): Promise<void> => {
  const names = await files.names(folder).catch(refused)
  if (!names.some((name) => path.endsWith(`/${name}`)))
    throw refusal('invalid', 'does not list a file that was just written')
}

const refusal = (code: ErrorCode, why: string, reason?: string): HoldfastError =>
  new HoldfastError(code, `the folder ${why}`, reason === undefined ? {} : { reason })

const refused = (error: unknown): never => {
  const code = systemCode(error) ?? 'an error'
  const [ours, why] = REFUSALS[code] ?? ['unavailable', `cannot be written to (${code})`]
  throw refusal(ours, why, code)
}

const codeOf = async (work: Promise<unknown>): Promise<string | undefined> => {
  try {
    await work
    return undefined
  } catch (error) {
    return systemCode(error) ?? 'an error'
  }
}

const nearestFolder = async (path: string): Promise<string> => {
  for (let at = path; ; at = dirname(at)) {
    const code = await codeOf(stat(at))
    if (code !== 'ENOENT' || dirname(at) === at) return at
  }
}

const nodeFiles: ProbedFiles = {
  create: async (path, bytes) => {
    await using file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600)
    let written = 0
    while (written < bytes.length) {
      const { bytesWritten } = await file.write(bytes, written)
      if (bytesWritten === 0) break
      written += bytesWritten
    }
    return written
  },
  sync: async (path) => {
    await using file = await open(path, 'r+')
    await file.sync()
  },
  read: (path) => readFile(path),
  sizeOf: async (path) => (await stat(path).catch(() => undefined))?.size,
  link,
  rename,
  remove: unlink,
  names: (folder) => readdir(folder),
  kind: async (folder) => (await statfs(folder)).type,
}
