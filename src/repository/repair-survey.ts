import { isHoldfastError, messageOf } from '#base'
import { BlobIndex } from './blob-index.ts'
import type { Problem } from './contract.ts'
import { isDamage } from './damage.ts'
import type { IndexedPack } from './format/index-document.ts'
import type { PackedBlob } from './format/pack-header.ts'
import { concurrently } from './concurrently.ts'
import { listIds, packPath } from './index-files.ts'
import { readPackHeader } from './pack-header-file.ts'
import { type PruneParts, storedPacks } from './prune.ts'
import { documentFault, inspect, isAsIndexed, namesOf, readableIndex } from './verify.ts'
import type { InspectResult } from './workers/inspect-pack.ts'

/** Where files go that are taken out of use. */
export const ASIDE = 'damaged'

/** A pack that is not what it should be. */
export interface BrokenPack {
  readonly id: string
  readonly good: readonly PackedBlob[]
  readonly damaged: readonly PackedBlob[]
}

/** What of a repository can be used. */
export interface Survey {
  /** Every blob that can be read, as far as was looked. Those of broken packs are read where they lie until they are saved. */
  readonly sound: BlobIndex
  /** Index files by whether they can be read. */
  readonly indexes: readonly string[]
  readonly damagedIndexes: readonly string[]
  readonly missing: ReadonlySet<string>
  readonly broken: ReadonlyMap<string, BrokenPack>
  /** Sound packs that an index names wrongly, or that none names though they are needed. */
  readonly reindexed: readonly IndexedPack[]
  readonly adopted: readonly IndexedPack[]
  /** Packs that an earlier repair saved and did not come to remove. */
  readonly leftOver: readonly string[]
  readonly problems: readonly Problem[]
}

export interface SurveyChoice {
  /** Whose data is read; what looks wrong from outside is read anyway. */
  readonly isRead: (pack: string) => boolean
}

const AT_A_TIME = 4

/** Looks at all index files and packs. Changes nothing. */
export const survey = async (
  parts: PruneParts,
  choice: SurveyChoice,
  signal?: AbortSignal,
): Promise<Survey> => {
  const surveyor = new Surveyor(parts, choice, signal)
  await surveyor.lookAtIndexes()
  await surveyor.lookAtOthers()
  return surveyor.result()
}

class Surveyor {
  readonly #parts: PruneParts
  readonly #isRead: (pack: string) => boolean
  readonly #signal: AbortSignal | undefined
  readonly #sound = new BlobIndex()
  readonly #indexes: string[] = []
  readonly #damagedIndexes: string[] = []
  readonly #named = new Set<string>()
  readonly #missing = new Set<string>()
  readonly #broken = new Map<string, BrokenPack>()
  readonly #reindexed: IndexedPack[] = []
  readonly #adopted: IndexedPack[] = []
  readonly #leftOver: string[] = []
  readonly #problems: Problem[] = []
  #stored: ReadonlyMap<string, number> = new Map()

  constructor(parts: PruneParts, { isRead }: SurveyChoice, signal?: AbortSignal) {
    this.#parts = parts
    this.#isRead = isRead
    this.#signal = signal
  }

  async lookAtIndexes(): Promise<void> {
    this.#stored = await storedPacks(this.#parts.storage, this.#signal)
    for (const id of await listIds(this.#parts.storage, 'index', this.#signal)) {
      const fault = await documentFault(this.#parts, 'index', id, this.#signal)
      if (fault !== undefined) this.#tellIndex(id, fault)
      if (fault === undefined) this.#indexes.push(id)
    }
    for (const id of this.#indexes) {
      const packs = await readableIndex(this.#parts, id, this.#signal)
      const fresh = packs.filter((pack) => !this.#named.has(pack.id))
      for (const pack of fresh) this.#named.add(pack.id)
      await concurrently(fresh, AT_A_TIME, (pack) => this.#lookAtNamed(pack))
    }
  }

  #tellIndex(id: string, fault: string): void {
    const file = `index/${id}`
    this.#damagedIndexes.push(id)
    this.#problems.push({ kind: 'index-damaged', message: `${file}: ${fault}`, file, blobs: [] })
  }

  async #lookAtNamed(pack: IndexedPack): Promise<void> {
    this.#signal?.throwIfAborted()
    const sizeBytes = this.#stored.get(pack.id)
    if (sizeBytes === undefined) return this.#tellMissing(pack)
    const found = await this.#inspected(pack, sizeBytes)
    if (found === undefined) return this.#sound.addPack(pack)
    if (found === 'unreadable') return this.#addBroken({ id: pack.id, good: [], damaged: pack.blobs }, [])
    const { header, isNamedRightly, good, damaged, faults } = found
    const isWhole = isNamedRightly && header !== undefined && header.every((blob) => good.includes(blob))
    if (!isWhole) return this.#addBroken({ id: pack.id, good, damaged }, faults)
    this.#problems.push({
      kind: 'index-damaged',
      message: `pack ${pack.id}: the index names other blobs than the pack`,
      file: packPath(pack.id),
      blobs: namesOf(damaged),
    })
    this.#reindexed.push({ id: pack.id, blobs: header })
    this.#sound.addPack({ id: pack.id, blobs: header })
  }

  #tellMissing({ id, blobs }: IndexedPack): void {
    this.#missing.add(id)
    const message = `pack ${id} is named by the index and not stored`
    this.#problems.push({ kind: 'pack-missing', message, file: packPath(id), blobs: namesOf(blobs) })
  }

  /** Undefined when the pack is sound. */
  async #inspected(pack: IndexedPack, sizeBytes: number): Promise<InspectResult | 'unreadable' | undefined> {
    try {
      if (!this.#isRead(pack.id) && (await isAsIndexed(this.#parts, pack, sizeBytes))) return undefined
      return await inspect(this.#parts, pack, this.#signal)
    } catch (error) {
      if (!isDamage(error)) throw error
      return 'unreadable'
    }
  }

  #addBroken(pack: BrokenPack, faults: readonly string[]): void {
    this.#broken.set(pack.id, pack)
    const isBlobAlone = pack.damaged.length > 0 && faults.length === 1
    this.#problems.push({
      kind: isBlobAlone ? 'blob-damaged' : 'pack-damaged',
      message: `pack ${pack.id}: ${pack.damaged.length} blobs are damaged; ${faults.join('; ') || 'it cannot be read'}`,
      file: packPath(pack.id),
      blobs: namesOf(pack.damaged),
    })
  }

  /** Packs that no index names: some are all that is left of an index that was lost. */
  async lookAtOthers(): Promise<void> {
    const aside = await storedIds(this.#parts, `${ASIDE}/data`, this.#signal)
    const others = [...this.#stored.keys()].filter((id) => !this.#named.has(id))
    this.#leftOver.push(...others.filter((id) => aside.has(id)))
    await concurrently(
      others.filter((id) => !aside.has(id)),
      AT_A_TIME,
      (id) => this.#lookAtUnnamed(id),
    )
    // Sound packs go first: a copy in a broken one is taken only where there is no other.
    for (const { id, good } of this.#broken.values()) this.#sound.addPack({ id, blobs: good })
  }

  async #lookAtUnnamed(id: string): Promise<void> {
    this.#signal?.throwIfAborted()
    try {
      const blobs = await readPackHeader(this.#parts.storage, this.#parts.key, id)
      if (blobs.every((blob) => this.#sound.has(blob.type, blob.id))) return
      const found = this.#isRead(id) ? await inspect(this.#parts, { id, blobs }, this.#signal) : undefined
      if (found !== undefined)
        return this.#addBroken({ id, good: found.good, damaged: found.damaged }, found.faults)
      this.#sound.addPack({ id, blobs })
      this.#adopted.push({ id, blobs })
      this.#tellUnnamed({ id, blobs })
    } catch (error) {
      if (isHoldfastError(error, 'not-found')) return
      if (!isDamage(error)) throw error
      this.#addBroken({ id, good: [], damaged: [] }, [`no index names it, and ${messageOf(error)}`])
    }
  }

  #tellUnnamed({ id, blobs }: IndexedPack): void {
    const message = `no index names pack ${id}`
    this.#problems.push({ kind: 'index-missing', message, file: packPath(id), blobs: namesOf(blobs) })
  }

  result(): Survey {
    return {
      sound: this.#sound,
      indexes: this.#indexes,
      damagedIndexes: this.#damagedIndexes,
      missing: this.#missing,
      broken: new Map([...this.#broken].sort(([a], [b]) => (a < b ? -1 : 1))),
      reindexed: this.#reindexed.sort(byId),
      adopted: this.#adopted.sort(byId),
      leftOver: this.#leftOver,
      problems: this.#problems.sort((a, b) => ((a.file ?? '') < (b.file ?? '') ? -1 : 1)),
    }
  }
}

const byId = (a: IndexedPack, b: IndexedPack): number => (a.id < b.id ? -1 : 1)

const storedIds = async (
  { storage }: PruneParts,
  folder: string,
  signal?: AbortSignal,
): Promise<ReadonlySet<string>> => new Set(await listIds(storage, folder, signal))

/** Whether nothing has to be done about packs and indexes. */
export const isClean = ({ damagedIndexes, missing, broken, reindexed, adopted, leftOver }: Survey): boolean =>
  damagedIndexes.length + missing.size + broken.size + reindexed.length + adopted.length + leftOver.length ===
  0
