import { HoldfastError, isHoldfastError, type Random } from '#base'
import type { Storage } from './storage.ts'

/** At the root of a repository, where stock restic does not look. */
const RESERVE_FILE = '.holdfast-reserve'
/** Enough for locks, and for an index file to be written before the one that it replaces goes. */
const MOST_BYTES = 8 * 1024 * 1024
const LEAST_BYTES = 64 * 1024
const SHARE_OF_DISK = 1 / 128

type Space = NonNullable<Awaited<ReturnType<Storage['space']>>>

const sizeOf = ({ totalBytes }: Space): number =>
  Math.max(LEAST_BYTES, Math.min(MOST_BYTES, Math.floor(totalBytes * SHARE_OF_DISK)))

/**
 * Before somebody fills a disk: sets bytes aside that whoever gives space back can spend. Throws `full` when there is no
 * room for them and as much again. Nothing happens where a storage does not tell its space.
 */
export const keepReserve = async (storage: Storage, random: Random, signal?: AbortSignal): Promise<void> => {
  const space = await storage.space(signal)
  if (space === undefined || (await storage.stat(RESERVE_FILE, signal)) !== undefined) return
  const bytes = sizeOf(space)
  if (space.freeBytes < 2 * bytes)
    throw new HoldfastError(
      'full',
      `the disk is full: ${mebibytes(space.freeBytes)} MB are free and a run needs ${mebibytes(2 * bytes)} MB to begin`,
    )
  // By chance, because file systems compress.
  await storage.write(RESERVE_FILE, [random.bytes(bytes)], signal).catch((error: unknown) => {
    if (!isHoldfastError(error, 'conflict')) throw error
  })
}

const mebibytes = (bytes: number): string => (bytes / 1024 ** 2).toFixed(1)

/** Before somebody gives space back: lets go of what is set aside where the disk is nearly full. */
export const spendReserve = async (storage: Storage, signal?: AbortSignal): Promise<void> => {
  const space = await storage.space(signal)
  if (space === undefined || space.freeBytes >= 2 * sizeOf(space)) return
  await storage.remove(RESERVE_FILE, signal)
}
