import { corrupt, isHoldfastError, messageOf, notFound, type Random } from '#base'
import type { Storage } from '#storage'
import type { NewSnapshot, Snapshot, SnapshotId } from './contract.ts'
import { isDamage } from './damage.ts'
import { type Fields, fieldsOf, openDocument, sealDocument } from './format/document.ts'
import { isId, sha256Hex } from './format/ids.ts'
import { IV_BYTES, type KeySet } from './format/sealing.ts'
import { decodeSnapshot, encodeSnapshot, type Host } from './format/snapshot.ts'
import { listIds } from './index-files.ts'

export interface SnapshotsOptions {
  readonly storage: Storage
  readonly key: KeySet
  readonly random: Random
  readonly host: Host
}

export interface ReadableSnapshots {
  readonly snapshots: readonly Snapshot[]
  readonly damaged: readonly SnapshotId[]
}

const FOLDER = 'snapshots'

/** The snapshot files, which never change, so that each is read once. */
export class Snapshots {
  readonly #options: SnapshotsOptions
  readonly #known = new Map<SnapshotId, Snapshot>()

  constructor(options: SnapshotsOptions) {
    this.#options = options
  }

  /** All, oldest first. Throws `corrupt` when one cannot be read: who removes things must not go on without it. */
  async list(signal?: AbortSignal): Promise<readonly Snapshot[]> {
    const { snapshots, damaged } = await this.readable(signal)
    if (damaged.length > 0)
      throw corrupt(`snapshot ${damaged.join(', ')} cannot be read; repair the repository first`)
    return snapshots
  }

  /** Those that can be read, oldest first, and the names of those that cannot. */
  async readable(signal?: AbortSignal): Promise<ReadableSnapshots> {
    const ids = await listIds(this.#options.storage, FOLDER, signal)
    const snapshots: Snapshot[] = []
    const damaged: SnapshotId[] = []
    for (const id of ids) {
      try {
        snapshots.push(await this.#read(id as SnapshotId))
      } catch (error) {
        if (isDamage(error)) damaged.push(id as SnapshotId)
        // Another process may forget one between the list and the read.
        else if (!isHoldfastError(error, 'not-found')) throw error
      }
    }
    snapshots.sort((a, b) => a.time.getTime() - b.time.getTime() || (a.id < b.id ? -1 : 1))
    return { snapshots, damaged }
  }

  async get(id: SnapshotId): Promise<Snapshot> {
    if (!isId(id)) throw notFound('there is no such snapshot')
    return this.#read(id)
  }

  async #read(id: SnapshotId): Promise<Snapshot> {
    const known = this.#known.get(id)
    if (known !== undefined) return known
    const sealed = await this.#options.storage.read(`${FOLDER}/${id}`)
    try {
      const snapshot = decodeSnapshot(id, openDocument(this.#options.key, sealed))
      this.#known.set(id, snapshot)
      return snapshot
    } catch (error) {
      throw isHoldfastError(error) ? corrupt(`snapshot ${id}: ${messageOf(error)}`, error) : error
    }
  }

  /** All fields of a snapshot file, also those that Holdfast has no use for. */
  async document(id: SnapshotId): Promise<Fields> {
    const { storage, key } = this.#options
    return fieldsOf(openDocument(key, await storage.read(`${FOLDER}/${id}`)), 'a snapshot')
  }

  write(snapshot: NewSnapshot): Promise<Snapshot> {
    return this.writeText(encodeSnapshot(snapshot, this.#options.host))
  }

  /** Stores the JSON text of a snapshot. */
  async writeText(text: string): Promise<Snapshot> {
    const { storage, key, random } = this.#options
    const sealed = sealDocument(key, text, random.bytes(IV_BYTES))
    const id = sha256Hex(sealed) as SnapshotId
    await storage.write(`${FOLDER}/${id}`, [sealed])
    return this.#read(id)
  }

  async remove(id: SnapshotId): Promise<void> {
    await this.#options.storage.remove(`${FOLDER}/${id}`)
    this.#known.delete(id)
  }
}
