import { isHoldfastError, messageOf } from '#base'
import type {
  BlobName,
  Problem,
  Snapshot,
  SnapshotId,
  VerifyOptions,
  VerifyProgress,
  VerifyReport,
} from './contract.ts'
import { isDamage } from './damage.ts'
import { openConfig } from './format/config.ts'
import { sha256Hex } from './format/ids.ts'
import type { IndexedPack } from './format/index-document.ts'
import { exactHeaderBytes, openHeader, type PackedBlob } from './format/pack-header.ts'
import { concurrently } from './concurrently.ts'
import { listIds, packPath } from './index-files.ts'
import { readPackHeader } from './pack-header-file.ts'
import { ownBytes } from './pack-windows.ts'
import { type PruneParts, storedPacks } from './prune.ts'
import { blobsBelow } from './walk.ts'
import { type InspectResult, isSameBlobs } from './workers/inspect-pack.ts'

const MOST_PROBLEMS = 10_000
const HEADERS_AT_A_TIME = 8
const PROGRESS_PACKS = 16

/**
 * Looks at everything that can be wrong, reads the data of the chosen packs, and changes nothing. Names, indexes, pack
 * headers and the trees of all snapshots are looked at whatever is chosen.
 */
export const verify = async (
  parts: PruneParts,
  options: VerifyOptions,
  signal?: AbortSignal,
): Promise<VerifyReport> => {
  const findings = new Findings(options.onProblem)
  await parts.files.refresh(signal)
  await verifyDocuments(parts, findings, signal)
  const stored = await storedPacks(parts.storage, signal)
  const packs = await verifyPacks(parts, { ...options, stored, findings }, signal)
  const snapshots = await verifyTrees(parts, { stored, named: packs.named, findings }, signal)
  return {
    packs: packs.named.size,
    blobs: parts.files.index.blobs,
    snapshots,
    readPacks: packs.readPacks,
    readBytes: packs.readBytes,
    problems: findings.problems,
  }
}

/** Problems as they are found: all are told, the first are kept. */
class Findings {
  readonly problems: Problem[] = []
  readonly #onProblem: ((problem: Problem) => void) | undefined

  constructor(onProblem: ((problem: Problem) => void) | undefined) {
    this.#onProblem = onProblem
  }

  add(problem: Problem): void {
    if (this.problems.length < MOST_PROBLEMS) this.problems.push(problem)
    this.#onProblem?.(problem)
  }
}

const DOCUMENTS = [
  { folder: 'index', kind: 'index-damaged' },
  { folder: 'snapshots', kind: 'snapshot-damaged' },
  { folder: 'keys', kind: 'key-damaged' },
] as const

/** The small files: that each is what its name says, and can be read. */
const verifyDocuments = async (
  parts: PruneParts,
  findings: Findings,
  signal?: AbortSignal,
): Promise<void> => {
  const { storage, key } = parts
  await attempt(
    async () => void openConfig(key, await storage.read('config', undefined, signal)),
    (message) => findings.add({ kind: 'config-damaged', message, file: 'config', blobs: [] }),
  )
  for (const { folder, kind } of DOCUMENTS) {
    for (const id of await listIds(storage, folder, signal)) {
      const fault = await documentFault(parts, folder, id, signal)
      if (fault === undefined) continue
      const file = `${folder}/${id}`
      findings.add({ kind, message: `${file}: ${fault}`, file, blobs: [] })
    }
  }
}

/** What is wrong with a small file; undefined when all is well, or when it was removed meanwhile. */
export const documentFault = async (
  { storage, files, snapshots }: PruneParts,
  folder: 'index' | 'snapshots' | 'keys',
  id: string,
  signal?: AbortSignal,
): Promise<string | undefined> => {
  try {
    const bytes = await storage.read(`${folder}/${id}`, undefined, signal)
    if (sha256Hex(bytes) !== id) return 'its content is not what its name says'
    if (folder === 'index') await files.read(id, signal)
    if (folder === 'snapshots') await snapshots.get(id as SnapshotId)
    return undefined
  } catch (error) {
    if (isHoldfastError(error, 'not-found')) return undefined
    if (isDamage(error)) return error.message
    throw error
  }
}

const attempt = async (work: () => Promise<void>, onFault: (message: string) => void): Promise<void> => {
  try {
    await work()
  } catch (error) {
    if (!isDamage(error) && !isHoldfastError(error, 'not-found')) throw error
    onFault(error.message)
  }
}

interface PacksToVerify extends VerifyOptions {
  readonly stored: ReadonlyMap<string, number>
  readonly findings: Findings
}

interface VerifiedPacks {
  readonly named: ReadonlySet<string>
  readonly readPacks: number
  readonly readBytes: number
}

const verifyPacks = async (
  parts: PruneParts,
  { data, stored, findings, onProgress }: PacksToVerify,
  signal?: AbortSignal,
): Promise<VerifiedPacks> => {
  const { pool } = parts
  const isChosen = chosenPacks(data)
  const named = new Set<string>()
  const progress = { packs: 0, packsTotal: stored.size, readBytes: 0 }
  let readPacks = 0
  const look = async (pack: IndexedPack): Promise<void> => {
    signal?.throwIfAborted()
    const sizeBytes = stored.get(pack.id)
    const isRead = sizeBytes !== undefined && isChosen(pack.id)
    if (isRead) {
      readPacks += 1
      progress.readBytes += sizeBytes
    }
    const problem = await packProblem(parts, pack, { sizeBytes, isRead }, signal)
    if (problem !== undefined) findings.add(problem)
    tell(progress, onProgress)
  }
  for (const id of await parts.files.list(signal)) {
    const packs = await readableIndex(parts, id, signal)
    const fresh = packs.filter((pack) => !named.has(pack.id))
    for (const pack of fresh) named.add(pack.id)
    // One pack more than threads, so that the next is read while these are looked at.
    await concurrently(fresh, data === 'none' ? HEADERS_AT_A_TIME : pool.size + 1, look)
  }
  onProgress?.({ ...progress })
  return { named, readPacks, readBytes: progress.readBytes }
}

const tell = (
  progress: { packs: number; readonly packsTotal: number; readonly readBytes: number },
  onProgress: ((progress: VerifyProgress) => void) | undefined,
): void => {
  progress.packs += 1
  if (progress.packs % PROGRESS_PACKS === 0) onProgress?.({ ...progress })
}

/** What an index file names; nothing when it is damaged, which is told elsewhere, or gone. */
export const readableIndex = async (
  { files }: PruneParts,
  id: string,
  signal?: AbortSignal,
): Promise<readonly IndexedPack[]> => {
  try {
    return await files.read(id, signal)
  } catch (error) {
    if (isHoldfastError(error, 'corrupt') || isHoldfastError(error, 'not-found')) return []
    throw error
  }
}

/** A pack's id is a hash, so its first digits spread packs evenly over slices. */
const chosenPacks = (data: VerifyOptions['data']): ((pack: string) => boolean) => {
  if (data === 'none') return () => false
  if (data === 'all') return () => true
  if ('of' in data) return (pack) => Number.parseInt(pack.slice(0, 12), 16) % data.of === data.index
  const chosen = new Set(data)
  return (pack) => chosen.has(pack)
}

interface PackState {
  readonly sizeBytes: number | undefined
  readonly isRead: boolean
}

const packProblem = async (
  parts: PruneParts,
  pack: IndexedPack,
  { sizeBytes, isRead }: PackState,
  signal?: AbortSignal,
): Promise<Problem | undefined> => {
  const file = packPath(pack.id)
  const all = namesOf(pack.blobs)
  if (sizeBytes === undefined) {
    const message = `pack ${pack.id} is named by the index and not stored`
    return { kind: 'pack-missing', message, file, blobs: all }
  }
  try {
    if (!isRead && (await isAsIndexed(parts, pack, sizeBytes))) return undefined
    // What looks wrong from outside is read, to tell what of it is lost.
    const found = await inspect(parts, pack, signal)
    return found === undefined ? undefined : inspectionProblem(pack, found)
  } catch (error) {
    if (isHoldfastError(error, 'not-found')) return undefined
    if (!isDamage(error)) throw error
    return { kind: 'pack-damaged', message: `pack ${pack.id}: ${messageOf(error)}`, file, blobs: all }
  }
}

export const namesOf = (blobs: readonly PackedBlob[]): BlobName[] =>
  blobs.map(({ type, id }) => ({ type, id }))

/** Whether size and header of a pack are what the index says. The index tells where the header must lie. */
export const isAsIndexed = async (
  { storage, key }: PruneParts,
  { id, blobs }: IndexedPack,
  sizeBytes: number,
): Promise<boolean> => {
  const endBytes = exactHeaderBytes(blobs)
  const dataBytes = blobs.reduce((sum, { length }) => sum + length, 0)
  if (dataBytes + endBytes !== sizeBytes) return false
  const end = await storage.read(packPath(id), { offset: dataBytes, length: endBytes })
  if (end.length !== endBytes) return false
  const view = new DataView(end.buffer, end.byteOffset, end.length)
  if (view.getUint32(endBytes - 4, true) !== endBytes - 4) return false
  try {
    return isSameBlobs(openHeader(key, end.subarray(0, -4), dataBytes), blobs)
  } catch (error) {
    if (!isHoldfastError(error, 'corrupt')) throw error
    return false
  }
}

/** Reads a pack whole. Undefined when all is well. */
export const inspect = async (
  { storage, key, pool }: PruneParts,
  { id, blobs }: IndexedPack,
  signal?: AbortSignal,
): Promise<InspectResult | undefined> => {
  const bytes = ownBytes(await storage.read(packPath(id), undefined, signal))
  const found = await pool.run({ kind: 'inspect', key, pack: id, bytes, indexed: blobs })
  return found.faults.length === 0 && found.damaged.length === 0 ? undefined : found
}

const inspectionProblem = (pack: IndexedPack, { faults, header, damaged }: InspectResult): Problem => {
  const file = packPath(pack.id)
  // One bit in a blob changes the hash of the pack: that is not told as a fault of its own.
  const isBlobAlone = header !== undefined && damaged.length > 0 && faults.length < 2
  const what = isBlobAlone ? `${damaged.length} of ${pack.blobs.length} blobs are damaged` : faults.join('; ')
  return {
    kind: isBlobAlone ? 'blob-damaged' : 'pack-damaged',
    message: `pack ${pack.id}: ${what}`,
    file,
    blobs: namesOf(damaged),
  }
}

interface TreesToVerify {
  readonly stored: ReadonlyMap<string, number>
  readonly named: ReadonlySet<string>
  readonly findings: Findings
}

/** Follows every snapshot that can be read. */
const verifyTrees = async (
  parts: PruneParts,
  { stored, named, findings }: TreesToVerify,
  signal?: AbortSignal,
): Promise<number> => {
  const { files, reader } = parts
  const snapshots = await readableSnapshots(parts, signal)
  const missing: BlobName[] = []
  await blobsBelow(new Set(snapshots.map(({ tree }) => tree)), {
    index: files.index,
    reader,
    together: parts,
    signal,
    onProblem: (type, id, error) => {
      if (error === undefined) return void missing.push({ type, id })
      findings.add({
        kind: 'tree-damaged',
        message: `tree ${id} is needed and cannot be read: ${messageOf(error)}`,
        blobs: [{ type, id }],
      })
    },
  })
  if (missing.length > 0) await tellMissing(parts, { missing, stored, named, findings }, signal)
  return snapshots.length
}

/** The snapshots that can be read, oldest first. */
export const readableSnapshots = async (
  { snapshots }: PruneParts,
  signal?: AbortSignal,
): Promise<readonly Snapshot[]> => (await snapshots.readable(signal)).snapshots

/** Blobs that no index names: perhaps a pack that lost its index holds them. */
const tellMissing = async (
  parts: PruneParts,
  { missing, stored, named, findings }: TreesToVerify & { readonly missing: readonly BlobName[] },
  signal?: AbortSignal,
): Promise<void> => {
  const left = new Map(missing.map((blob) => [`${blob.type} ${blob.id}`, blob]))
  for (const id of stored.keys()) {
    if (named.has(id) || left.size === 0) continue
    signal?.throwIfAborted()
    const header = await readPackHeader(parts.storage, parts.key, id).catch((error: unknown) => {
      if (!isDamage(error) && !isHoldfastError(error, 'not-found')) throw error
      return []
    })
    const found = header.filter((blob) => left.delete(`${blob.type} ${blob.id}`))
    if (found.length === 0) continue
    findings.add({
      kind: 'index-missing',
      message: `pack ${id} is needed and no index names it`,
      file: packPath(id),
      blobs: namesOf(found),
    })
  }
  for (const blob of left.values()) {
    const message = `${blob.type} blob ${blob.id} is needed and not stored`
    findings.add({ kind: 'blob-missing', message, blobs: [blob] })
  }
}
