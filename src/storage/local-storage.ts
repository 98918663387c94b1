import { constants } from 'node:fs'
import { link, mkdir, open, readdir, rename, stat, statfs, unlink, type FileHandle } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { type Clock, conflict, type Random, systemClock, systemRandom } from '#base'
import { localError, systemCode } from './local-errors.ts'
import { LocalRoot } from './local-root.ts'
import { checkFolder, checkPath, UNFINISHED } from './path.ts'
import type { Storage, StoredFile } from './storage.ts'

export interface LocalStorageOptions {
  readonly clock?: Clock
  readonly random?: Random
  /** Gives a finished file its name; another than Node's stands in for a file system that cannot. */
  readonly link?: (from: string, to: string) => Promise<void>
}

/** An unfinished file older than this belongs to a process that died. */
const LEFT_BEHIND_MS = 60 * 60 * 1000
const NO_HARD_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EACCES'])

/**
 * Files in a folder of this machine or of a mounted share. A file appears under its name only when it and its name are
 * on the disk; until then it has another name, which is never listed.
 */
export const localStorage = (folder: string, options: LocalStorageOptions = {}): Storage =>
  new LocalStorage(resolve(folder), options)

class LocalStorage implements Storage {
  readonly name: string
  readonly #root: string
  readonly #folder: LocalRoot
  readonly #clock: Clock
  readonly #random: Random
  readonly #link: (from: string, to: string) => Promise<void>
  readonly #swept = new Set<string>()

  constructor(root: string, options: LocalStorageOptions) {
    this.name = `folder ${root}`
    this.#root = root
    this.#folder = new LocalRoot(root)
    this.#clock = options.clock ?? systemClock
    this.#random = options.random ?? systemRandom
    this.#link = options.link ?? link
  }

  async write(path: string, parts: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
    checkPath(path)
    signal?.throwIfAborted()
    const target = join(this.#root, path)
    await this.#folder.check(`write ${path}`)
    try {
      await this.#sweep(dirname(target))
      await this.#writeNew(target, parts)
    } catch (error) {
      await this.#folder.check(`write ${path}`)
      throw localError(error, 'write', path)
    }
    this.#folder.sawFile(path)
  }

  async #writeNew(target: string, parts: readonly Uint8Array[]): Promise<void> {
    const unfinished = `${target}${UNFINISHED}${Buffer.from(this.#random.bytes(8)).toString('hex')}`
    const file = await createFile(unfinished)
    try {
      try {
        await writeAll(file, parts)
        await file.sync()
      } finally {
        await file.close()
      }
      await this.#publish(unfinished, target)
    } catch (error) {
      await unlink(unfinished).catch(() => undefined)
      throw error
    }
    await syncFolder(dirname(target))
  }

  /** Gives a finished file its name. A link, unlike a rename, fails when the name is taken. */
  async #publish(unfinished: string, target: string): Promise<void> {
    try {
      await this.#link(unfinished, target)
    } catch (error) {
      if (!NO_HARD_LINKS.has(systemCode(error) ?? '')) throw error
      return renameToFree(unfinished, target)
    }
    await unlink(unfinished)
  }

  /** The first write into a folder removes what processes that died left in it. */
  async #sweep(folder: string): Promise<void> {
    if (this.#swept.has(folder)) return
    this.#swept.add(folder)
    const names = await readdir(folder).catch(() => [])
    for (const name of names.filter((each) => each.includes(UNFINISHED))) {
      const path = join(folder, name)
      const found = await stat(path).catch(() => undefined)
      if (found === undefined || this.#clock.nowMs() - found.mtimeMs < LEFT_BEHIND_MS) continue
      await unlink(path).catch(() => undefined)
    }
  }

  async read(
    path: string,
    range?: { readonly offset: number; readonly length: number },
    signal?: AbortSignal,
    into?: Uint8Array<ArrayBuffer>,
  ): Promise<Uint8Array> {
    checkPath(path)
    signal?.throwIfAborted()
    try {
      await using file = await open(join(this.#root, path), 'r')
      this.#folder.sawFile(path)
      const sizeBytes = (await file.stat()).size
      const offset = Math.min(range?.offset ?? 0, sizeBytes)
      const length = Math.min(range?.length ?? sizeBytes, sizeBytes - offset)
      return await readAll(file, offset, bufferFor(length, into))
    } catch (error) {
      await this.#folder.check(`read ${path}`)
      throw localError(error, 'read', path)
    }
  }

  async stat(path: string, signal?: AbortSignal): Promise<StoredFile | undefined> {
    checkPath(path)
    signal?.throwIfAborted()
    try {
      const found = await stat(join(this.#root, path))
      if (!found.isFile()) return undefined
      this.#folder.sawFile(path)
      return { path, sizeBytes: found.size, modifiedAt: found.mtime }
    } catch (error) {
      await this.#folder.check(`look at ${path}`)
      if (isMissing(error)) return undefined
      throw localError(error, 'look at', path)
    }
  }

  async *list(folder: string, signal?: AbortSignal): AsyncGenerator<StoredFile> {
    checkFolder(folder)
    signal?.throwIfAborted()
    for (const entry of await this.#entries(folder)) {
      if (entry.name.includes(UNFINISHED)) continue
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (entry.isDirectory()) yield* this.list(path, signal)
      else if (entry.isFile()) {
        const file = await this.stat(path, signal)
        if (file !== undefined) yield { path, sizeBytes: file.sizeBytes }
      }
    }
  }

  async #entries(folder: string) {
    try {
      return await readdir(join(this.#root, folder), { withFileTypes: true })
    } catch (error) {
      await this.#folder.check(`list ${folder === '' ? 'the storage' : folder}`)
      if (isMissing(error)) return []
      throw localError(error, 'list', folder)
    }
  }

  async remove(path: string, signal?: AbortSignal): Promise<void> {
    checkPath(path)
    signal?.throwIfAborted()
    try {
      await unlink(join(this.#root, path))
      this.#folder.removedFile(path)
    } catch (error) {
      await this.#folder.check(`remove ${path}`)
      if (!isMissing(error)) throw localError(error, 'remove', path)
    }
  }

  async space(): Promise<{ readonly totalBytes: number; readonly freeBytes: number }> {
    try {
      const found = await statfs(await nearestFolder(this.#root))
      return { totalBytes: found.blocks * found.bsize, freeBytes: found.bavail * found.bsize }
    } catch (error) {
      throw localError(error, 'measure the space of', 'the storage')
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

const isMissing = (error: unknown): boolean => {
  const code = systemCode(error)
  return code === 'ENOENT' || code === 'ENOTDIR'
}

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL

const createFile = async (path: string): Promise<FileHandle> => {
  try {
    return await open(path, NEW_FILE, 0o400)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
  }
  const firstMade = await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  // A file is only as durable as the names of the folders above it.
  for (let made = dirname(path); firstMade !== undefined; made = dirname(made)) {
    await syncFolder(dirname(made))
    if (made === firstMade) break
  }
  return open(path, NEW_FILE, 0o400)
}

const writeAll = async (file: FileHandle, parts: readonly Uint8Array[]): Promise<void> => {
  for (const part of parts) {
    let written = 0
    while (written < part.length) {
      written += (await file.write(part, written, part.length - written)).bytesWritten
    }
  }
}

/** A new one is not cleared, and not from the shared pool: it is filled at once and may be handed to another thread. */
const bufferFor = (length: number, into?: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> =>
  into !== undefined && length <= into.length
    ? into.subarray(0, length)
    : new Uint8Array(Buffer.allocUnsafeSlow(length).buffer)

const readAll = async (
  file: FileHandle,
  offset: number,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array> => {
  let filled = 0
  while (filled < bytes.length) {
    const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, offset + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return bytes.subarray(0, filled)
}

/** Without hard links the name is held by another file while it is looked for, so that one of two writers wins. */
const renameToFree = async (unfinished: string, target: string): Promise<void> => {
  const holder = `${target}${UNFINISHED}holder`
  await (await open(holder, NEW_FILE, 0o600)).close()
  try {
    const taken = await stat(target).catch(() => undefined)
    if (taken !== undefined) throw conflict('a file of this name is stored already')
    await rename(unfinished, target)
  } finally {
    await unlink(holder).catch(() => undefined)
  }
}

const syncFolder = async (path: string): Promise<void> => {
  await using folder = await open(path, 'r')
  try {
    await folder.sync()
  } catch (error) {
    // Some network file systems cannot sync a folder; they sync its names by themselves.
    if (!['EINVAL', 'ENOTSUP', 'EBADF', 'EPERM'].includes(systemCode(error) ?? '')) throw error
  }
}

const nearestFolder = async (path: string): Promise<string> => {
  for (let at = path; ; at = dirname(at)) {
    if ((await stat(at).catch(() => undefined)) !== undefined || dirname(at) === at) return at
  }
}
