import {
  isHoldfastError,
  messageOf,
  notBuilt,
  notFound,
  unavailable,
  type Clock,
  type Logger,
  type Random,
} from '#base'
import type { ObjectStorageRow, RepositoryRow } from '#database'
import type { Storage } from '#storage'
import type { KeptFor } from '../object-storage/cloud-opener.ts'
import type { ObjectStorageSettings } from '../object-storage/object-storage.ts'
import type { ObjectStorages } from '../object-storage/object-storages.ts'
import type { Retention } from './backup-repository.ts'
import { ChangeableStorage } from './changeable-storage.ts'
import { immutabilityDays } from './immutability.ts'
import { ownedStorage } from './owned-storage.ts'
import { isOwned, OwnerLease, RENEW_MS, type Taking } from './owner-lease.ts'
import type { OwnerIdentity } from './owner-record.ts'
import { readRepositoryFile } from './repository-file.ts'
import { checkThere } from './repository-path.ts'

export interface PlaceParts {
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** This server, which has its repositories to itself. Absent: nobody is kept out. */
  readonly owner?: OwnerIdentity
  readonly openStorage: (path: string) => Storage
  /** Absent: repositories are in folders of this machine alone. */
  readonly objectStorages?: ObjectStorages
}

export type PlacedRow = Pick<RepositoryRow, 'id' | 'name' | 'path' | 'retention' | 'objectStorageId'>

interface OpenPlace {
  readonly storage: ChangeableStorage
  /** What everybody gets. */
  readonly owned: Storage
  readonly lease: OwnerLease | undefined
  /** Of what it was opened with. */
  stamp: string
}

interface Look {
  readonly reason: string | undefined
  readonly atMs: number
}

/** A look over the network is believed for so long. */
const LOOK_KEPT_MS = 60_000
const LET_GO_MS = 2_000

/** Where repositories are, in folders or in object storage: opened once and kept open. */
export class RepositoryPlaces implements AsyncDisposable {
  readonly #parts: PlaceParts
  readonly #open = new Map<string, Promise<OpenPlace>>()
  readonly #looks = new Map<string, Look>()
  readonly #leases = new Map<string, OwnerLease>()
  readonly #renewing: NodeJS.Timeout

  constructor(parts: PlaceParts) {
    this.#parts = parts
    this.#renewing = setInterval(() => this.#renewAll(), RENEW_MS).unref()
  }

  /** Stays open until `close`. Changed credentials and settings are taken up. */
  async storage(row: PlacedRow): Promise<Storage> {
    const opening = this.#open.get(row.id) ?? this.#begin(row)
    const there = await opening
    if (row.objectStorageId !== undefined) await this.#refresh(row, there)
    return there.owned
  }

  /** This server's hold on the place; undefined where places have no owners. */
  async lease(row: PlacedRow): Promise<OwnerLease | undefined> {
    await this.storage(row)
    return (await this.#open.get(row.id))?.lease
  }

  /** The place as it is, which anybody may write to. */
  async bare(row: PlacedRow): Promise<Storage> {
    await this.storage(row)
    return (await this.#open.get(row.id))!.storage.storage
  }

  /** For a place that is not known here yet. Throws `conflict` at once where it would not be given. */
  async leaseToBe(storage: Storage, name: string, taking: Taking): Promise<OwnerLease | undefined> {
    const { owner } = this.#parts
    if (owner === undefined) return undefined
    const lease = new OwnerLease({ ...this.#parts, owner }, storage, name)
    await lease.checkMayTake(taking)
    return lease
  }

  /** A place that is not known here yet, without dates: what is left behind when a repository is not made can be removed. */
  async openNew(path: string, objectStorage: ObjectStorageRow | undefined): Promise<Storage> {
    if (objectStorage === undefined) return this.#parts.openStorage(path)
    return this.#objectStorages().open(objectStorage)
  }

  /** Of a place that is open here. */
  isAlone(id: string): boolean {
    return this.#leases.get(id)?.isAlone() ?? true
  }

  /** Renews what is held, until disposed of. */
  #renewAll(): void {
    for (const lease of this.#leases.values())
      if (lease.isHeld)
        lease.renew(AbortSignal.timeout(RENEW_MS)).catch((error: unknown) => {
          if (!isOwned(error))
            this.#parts.log.warn({ reason: messageOf(error) }, 'hold on a repository not renewed')
        })
  }

  /** Throws unless the repository is where it should be: a disk that is not mounted must not be taken for an empty one. */
  async checkThere(row: PlacedRow): Promise<void> {
    if (row.objectStorageId === undefined) await checkThere(row.path)
    const file = await readRepositoryFile(await this.storage(row))
    if (file?.id === row.id) return
    if (row.objectStorageId !== undefined)
      throw notFound(`what is in the object storage of ${row.name} is not this repository`)
    throw notFound(`the folder of ${row.name} is not this repository: is its disk mounted?`)
  }

  /** Why the repository cannot be used, or undefined where it can. */
  async outOfOrder(row: PlacedRow): Promise<string | undefined> {
    const before = this.#looks.get(row.id)
    const nowMs = this.#parts.clock.nowMs()
    const isFresh = before !== undefined && nowMs - before.atMs < LOOK_KEPT_MS
    if (row.objectStorageId !== undefined && isFresh) return before.reason
    const reason = await this.checkThere(row).then(
      () => undefined,
      (error: unknown) => messageOf(error),
    )
    this.#looks.set(row.id, { reason, atMs: nowMs })
    return reason
  }

  /** The row of a repository's object storage. */
  async objectStorageRow(id: string): Promise<ObjectStorageRow> {
    return this.#objectStorages().row(id)
  }

  async close(id: string): Promise<void> {
    const opening = this.#open.get(id)
    this.#open.delete(id)
    this.#looks.delete(id)
    const there = await opening?.catch(() => undefined)
    await there?.storage[Symbol.asyncDispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#renewing)
    await Promise.all([...this.#leases.values()].map((lease) => this.#letGo(lease)))
    for (const id of [...this.#open.keys()]) await this.close(id)
  }

  /** So that another server may take what this one has left at once. */
  async letGo(id: string): Promise<void> {
    const lease = this.#leases.get(id)
    if (lease !== undefined) await this.#letGo(lease)
    this.#leases.delete(id)
  }

  async #letGo(lease: OwnerLease): Promise<void> {
    await lease.release(AbortSignal.timeout(LET_GO_MS)).catch((error: unknown) => {
      this.#parts.log.warn({ reason: messageOf(error) }, 'hold on a repository not let go')
    })
  }

  #begin(row: PlacedRow): Promise<OpenPlace> {
    const opening = this.#connect(row)
    this.#open.set(row.id, opening)
    opening.catch(() => {
      if (this.#open.get(row.id) === opening) this.#open.delete(row.id)
    })
    return opening
  }

  async #connect(row: PlacedRow): Promise<OpenPlace> {
    if (row.objectStorageId === undefined) return this.#placeOf(row, this.#parts.openStorage(row.path), '')
    const stamp = await this.#stamp(row)
    return this.#placeOf(row, await this.#openCloud(row), stamp)
  }

  /** The hold outlives the connection: what is closed may be opened again a moment later. */
  #placeOf(row: PlacedRow, connection: Storage, stamp: string): OpenPlace {
    const storage = new ChangeableStorage(connection)
    const { owner } = this.#parts
    if (owner === undefined) return { storage, owned: storage.storage, lease: undefined, stamp }
    const before = this.#leases.get(row.id)
    before?.use(storage.storage)
    const lease = before ?? new OwnerLease({ ...this.#parts, owner }, storage.storage, row.name)
    this.#leases.set(row.id, lease)
    return { storage, owned: ownedStorage(storage.storage, lease), lease, stamp }
  }

  async #refresh(row: PlacedRow, there: OpenPlace): Promise<void> {
    const stamp = await this.#stamp(row)
    if (stamp === there.stamp) return
    there.stamp = stamp
    there.storage.change(await this.#openCloud(row))
    this.#looks.delete(row.id)
  }

  async #openCloud(row: PlacedRow): Promise<Storage> {
    const storages = this.#objectStorages()
    const storageRow = await storages.row(row.objectStorageId!)
    return storages.open(storageRow, keptForOf(storageRow, row.retention as Retention))
  }

  async #stamp(row: PlacedRow): Promise<string> {
    const storages = this.#objectStorages()
    const storageRow = await storages.row(row.objectStorageId!).catch((error: unknown) => {
      if (!isHoldfastError(error, 'not-found')) throw error
      throw unavailable(`the object storage of ${row.name} is not there any more`, error)
    })
    const keptFor = keptForOf(storageRow, row.retention as Retention)
    return JSON.stringify([await storages.credentialsStamp(storageRow), storageRow.place, keptFor])
  }

  #objectStorages(): ObjectStorages {
    const { objectStorages } = this.#parts
    if (objectStorages === undefined) throw notBuilt('object storage is not built in here')
    return objectStorages
  }
}

/** How long what is written into an object storage is kept, or undefined where it may be removed. */
export const keptForOf = (
  row: Pick<ObjectStorageRow, 'settings'>,
  retention: Retention,
): KeptFor | undefined => {
  const { immutability } = row.settings as ObjectStorageSettings
  return immutability && { mode: immutability.mode, days: immutabilityDays(immutability, retention) }
}
