import { isHoldfastError } from '#base'
import { isDamage } from './damage.ts'
import type { IndexedPack } from './format/index-document.ts'
import { INDEX_BLOBS } from './sealed-packs.ts'
import { packPath } from './index-files.ts'
import type { PruneParts } from './prune.ts'
import { ASIDE, type Survey } from './repair-survey.ts'
import type { SealedPacks } from './sealed-packs.ts'

/** Lays the blobs that broken packs still hold into new packs. Returns the packs that gave some. */
export const rescue = async (
  { storage }: PruneParts,
  { broken, sound }: Survey,
  packs: SealedPacks,
  signal?: AbortSignal,
): Promise<string[]> => {
  const rescued: string[] = []
  for (const { id, good } of broken.values()) {
    const kept = good.filter(({ type, id: blob }) => sound.find(type, blob)?.pack === id)
    if (kept.length === 0) continue
    const bytes = await storage.read(packPath(id), undefined, signal)
    for (const blob of kept) await packs.add(blob, bytes.subarray(blob.offset, blob.offset + blob.length))
    rescued.push(id)
  }
  return rescued
}

/**
 * Brings the index in line with the packs that can be used, and takes the others out of use. A broken pack is kept aside
 * before the index forgets it, so that a repair that begins after a kill does not take it for a pack without an index.
 */
export const replaceIndexes = async (
  parts: PruneParts,
  survey: Survey,
  signal?: AbortSignal,
): Promise<string[]> => {
  const { storage, files } = parts
  const { indexes, damagedIndexes, missing, broken, reindexed, adopted, leftOver } = survey
  const moved: string[] = []
  for (const id of broken.keys()) moved.push(await keepAside(parts, packPath(id), signal))
  const wrong = new Set(reindexed.map(({ id }) => id))
  const isKept = ({ id }: IndexedPack): boolean => !missing.has(id) && !broken.has(id) && !wrong.has(id)
  const writer = new IndexWriter(parts)
  for (const pack of [...adopted, ...reindexed]) await writer.add(pack)
  const old: string[] = [...damagedIndexes]
  for (const id of indexes) {
    const named = await files.read(id, signal)
    const kept = named.filter(isKept)
    if (kept.length === named.length) continue
    old.push(id)
    for (const pack of kept) await writer.add(pack)
  }
  await writer.end()
  for (const id of old) {
    moved.push(await keepAside(parts, `index/${id}`, signal))
    await storage.remove(`index/${id}`, signal)
  }
  for (const id of [...broken.keys(), ...leftOver]) await storage.remove(packPath(id), signal)
  return moved
}

/** Writes a copy below `damaged/`, or an empty mark where the file cannot be read. Returns the copy's path. */
export const keepAside = async (
  { storage }: Pick<PruneParts, 'storage'>,
  path: string,
  signal?: AbortSignal,
): Promise<string> => {
  const copy = `${ASIDE}/${path}`
  const bytes = await storage.read(path, undefined, signal).catch((error: unknown) => {
    if (!isDamage(error)) throw error
    return new Uint8Array(0)
  })
  try {
    await storage.write(copy, [bytes], signal)
  } catch (error) {
    // It was kept by a repair that did not come to its end.
    if (!isHoldfastError(error, 'conflict')) throw error
  }
  return copy
}

/** Index files of a bounded size. */
class IndexWriter {
  readonly #parts: PruneParts
  #open: IndexedPack[] = []
  #blobs = 0

  constructor(parts: PruneParts) {
    this.#parts = parts
  }

  async add(pack: IndexedPack): Promise<void> {
    this.#open.push(pack)
    this.#blobs += pack.blobs.length
    if (this.#blobs >= INDEX_BLOBS) await this.end()
  }

  async end(): Promise<void> {
    if (this.#open.length > 0) await this.#parts.files.writeFile(this.#open)
    this.#open = []
    this.#blobs = 0
  }
}
