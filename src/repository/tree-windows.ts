import { isHoldfastError } from '#base'
import type { Storage } from '#storage'
import type { BlobIndex, BlobLocation } from './blob-index.ts'
import { concurrently } from './concurrently.ts'
import type { BlobId } from './contract.ts'
import type { KeySet } from './format/sealing.ts'
import { packPath } from './pack-path.ts'
import { readOwn } from './read-own.ts'
import { release } from './release.ts'
import type { WorkerPool } from './workers/worker-pool.ts'

export interface TreeWindowsParts {
  readonly storage: Storage
  readonly key: KeySet
  readonly pool: WorkerPool
}

/** What some trees name. */
export interface TreeNames {
  /** The ids of all folders, then those of all blobs of files. The memory is taken back afterwards. */
  readonly ids: Uint32Array
  readonly folders: number
}

const WINDOW_BYTES = 2 * 1024 * 1024
/** Of sealed and of plain bytes. A larger tree is read by itself. */
const PLAIN_BYTES = 8 * 1024 * 1024
/** Trees that lie so near are read in one piece. */
const NEAR_BYTES = 128 * 1024

/**
 * Reads trees in the order of their packs and in large pieces, each opened, checked and read in a worker thread. Returns
 * those that could not be read so: they are not in the index, too large, damaged or gone.
 */
export const readTogether = async (
  parts: TreeWindowsParts,
  index: BlobIndex,
  trees: readonly BlobId[],
  take: (names: TreeNames) => void,
  signal?: AbortSignal,
): Promise<readonly BlobId[]> => {
  const left: BlobId[] = []
  const found: BlobLocation[] = []
  for (const id of trees) {
    const tree = index.find('tree', id)
    if (tree === undefined || tree.length > WINDOW_BYTES || tree.uncompressed > PLAIN_BYTES) left.push(id)
    else found.push(tree)
  }
  await concurrently(windowsOf(found), parts.pool.size + 1, async (window) => {
    signal?.throwIfAborted()
    left.push(...(await readWindow(parts, window, take, signal)))
  })
  return left
}

const readWindow = async (
  { storage, key, pool }: TreeWindowsParts,
  window: readonly BlobLocation[],
  take: (names: TreeNames) => void,
  signal?: AbortSignal,
): Promise<readonly BlobId[]> => {
  const { pack, offset: start } = window[0]!
  const length = endOf(window.at(-1)!) - start
  let bytes: Uint8Array<ArrayBuffer>
  try {
    bytes = await readOwn({
      storage,
      buffers: pool.buffers,
      path: packPath(pack),
      range: { offset: start, length },
      expectedBytes: length,
      signal,
    })
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    return window.map(({ id }) => id)
  }
  const blobs = window.map((tree) => ({ ...tree, offset: tree.offset - start }))
  const result = await pool.run({ kind: 'tree-references', key, bytes, blobs })
  pool.buffers.give(result.bytes)
  const { plain, folders } = result
  const isRead = (count: number): boolean => count >= 0
  take({
    ids: new Uint32Array(plain.buffer, 0, plain.length / 4),
    folders: folders.filter(isRead).reduce((sum, count) => sum + count, 0),
  })
  release(plain)
  return window.flatMap(({ id }, at) => (isRead(folders[at]!) ? [] : [id]))
}

const endOf = ({ offset, length }: BlobLocation): number => offset + length

function* windowsOf(trees: BlobLocation[]): Generator<readonly BlobLocation[]> {
  trees.sort((a, b) => (a.pack === b.pack ? a.offset - b.offset : a.pack < b.pack ? -1 : 1))
  let window: BlobLocation[] = []
  let plainBytes = 0
  for (const tree of trees) {
    const [first, last] = [window[0], window.at(-1)]
    const goesOn =
      first !== undefined &&
      last !== undefined &&
      first.pack === tree.pack &&
      tree.offset - endOf(last) <= NEAR_BYTES &&
      endOf(tree) - first.offset <= WINDOW_BYTES &&
      plainBytes + tree.uncompressed <= PLAIN_BYTES
    if (!goesOn && window.length > 0) {
      yield window
      window = []
      plainBytes = 0
    }
    window.push(tree)
    plainBytes += tree.uncompressed
  }
  if (window.length > 0) yield window
}
