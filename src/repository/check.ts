import { type HoldfastError, isHoldfastError, messageOf } from '#base'
import type { CheckReport, FileEntry } from './contract.ts'
import { sha256Hex } from './format/ids.ts'
import type { IndexedPack } from './format/index-document.ts'
import { exactHeaderBytes } from './format/pack-header.ts'
import { SEAL_BYTES } from './format/sealing.ts'
import { concurrently } from './concurrently.ts'
import { listIds, packPath } from './index-files.ts'
import { type PruneParts, storedPacks } from './prune.ts'
import { readOwn } from './read-own.ts'
import { blobsBelow } from './walk.ts'

/** A list of problems longer than this tells nothing more. */
const MOST_PROBLEMS = 1000

/** A storage that does not answer says nothing about what it holds. */
const isFinding = (error: unknown): error is HoldfastError =>
  isHoldfastError(error) && error.code !== 'unavailable' && error.code !== 'timeout'

/** Looks at everything that can be wrong, and changes nothing. Packs that no index names are no problem: prune removes them. */
export const check = async (
  parts: PruneParts,
  options: { readonly readData: boolean },
  signal?: AbortSignal,
): Promise<CheckReport> => {
  const problems: string[] = []
  const report = (problem: string): void => {
    if (problems.length < MOST_PROBLEMS) problems.push(problem)
  }
  const attempt = async (work: () => Promise<unknown>): Promise<void> => {
    try {
      await work()
    } catch (error) {
      if (!isFinding(error)) throw error
      report(error.message)
    }
  }
  const { files, storage } = parts
  await attempt(() => files.refresh(signal))
  for (const folder of ['index', 'snapshots', 'keys']) await attempt(() => checkNames(parts, folder, report))
  const stored = await storedPacks(storage, signal)
  const seen = new Set<string>()
  const checkIndexes = async (): Promise<void> => {
    for (const id of await files.list(signal)) {
      await attempt(async () => {
        const packs = (await files.read(id, signal)).filter((pack) => !seen.has(pack.id))
        for (const pack of packs) {
          seen.add(pack.id)
          checkPack(pack, stored.get(pack.id), report)
        }
        if (options.readData) await checkData(parts, packs, { report, signal })
      })
    }
  }
  // Trees are followed on this thread while others look at packs. Nothing goes on when one of the two has failed.
  const [indexes, followed] = await Promise.allSettled([
    checkIndexes(),
    checkSnapshots(parts, report, signal),
  ])
  if (indexes.status === 'rejected') throw indexes.reason
  if (followed.status === 'rejected') throw followed.reason
  const snapshots = followed.value
  return { packs: seen.size, blobs: files.index.blobs, snapshots, problems }
}

const checkNames = async (
  { storage }: PruneParts,
  folder: string,
  report: (problem: string) => void,
): Promise<void> => {
  for (const id of await listIds(storage, folder)) {
    try {
      const bytes = await storage.read(`${folder}/${id}`)
      if (sha256Hex(bytes) !== id) report(`${folder}/${id}: its content is not what its name says`)
    } catch (error) {
      if (!isHoldfastError(error, 'not-found')) throw error
    }
  }
}

const checkPack = (
  pack: IndexedPack,
  sizeBytes: number | undefined,
  report: (problem: string) => void,
): void => {
  if (sizeBytes === undefined) return report(`pack ${pack.id} is named by the index and not stored`)
  const blobs = [...pack.blobs].sort((a, b) => a.offset - b.offset)
  let end = 0
  for (const blob of blobs) {
    if (blob.offset !== end) report(`pack ${pack.id}: the index has a gap or an overlap at ${blob.offset}`)
    end = blob.offset + blob.length
  }
  if (end + exactHeaderBytes(pack.blobs) !== sizeBytes) {
    report(`pack ${pack.id} has ${sizeBytes} bytes, which is not what the index says`)
  }
}

interface Reporting {
  readonly report: (problem: string) => void
  readonly signal: AbortSignal | undefined
}

const checkData = async (
  { storage, key, pool }: PruneParts,
  packs: readonly IndexedPack[],
  { report, signal }: Reporting,
): Promise<void> => {
  // Twice as many packs as threads, so that the next are read while these are looked at.
  await concurrently(packs, pool.size * 2, async ({ id, blobs }) => {
    signal?.throwIfAborted()
    try {
      const expectedBytes = blobs.reduce((sum, blob) => sum + blob.length, exactHeaderBytes(blobs))
      const bytes = await readOwn({
        storage,
        buffers: pool.buffers,
        path: packPath(id),
        expectedBytes,
        signal,
      })
      const indexed = blobs.map((blob) => ({ ...blob, isTree: blob.type === 'tree' }))
      const { problems, bytes: free } = await pool.run({ kind: 'verify', key, pack: id, bytes, indexed })
      pool.buffers.give(free)
      for (const problem of problems) report(problem)
    } catch (error) {
      if (!isFinding(error)) throw error
      report(`pack ${id}: ${messageOf(error)}`)
    }
  })
}

const checkSnapshots = async (
  { storage, snapshots, files, reader }: PruneParts,
  report: (problem: string) => void,
  signal?: AbortSignal,
): Promise<number> => {
  const ids = await listIds(storage, 'snapshots', signal)
  const roots = new Set<FileEntry['content'][number]>()
  for (const id of ids) {
    try {
      roots.add((await snapshots.get(id as Parameters<typeof snapshots.get>[0])).tree)
    } catch (error) {
      if (!isFinding(error)) throw error
      report(messageOf(error))
    }
  }
  const { index } = files
  await blobsBelow(roots, {
    index,
    reader,
    signal,
    onProblem: (type, id, error) => {
      if (error !== undefined && !isFinding(error)) throw error
      report(`${type} blob ${id} is needed and ${error === undefined ? 'not stored' : messageOf(error)}`)
    },
    onFile: ({ content, sizeBytes }) => {
      const blobs = content.map((id) => index.find('data', id))
      const length = blobs.reduce(
        (sum, blob) => sum + (blob === undefined ? NaN : blob.uncompressed || blob.length - SEAL_BYTES),
        0,
      )
      if (!Number.isNaN(length) && length !== sizeBytes) report('a file has another size than its blobs')
    },
  })
  return ids.length
}
