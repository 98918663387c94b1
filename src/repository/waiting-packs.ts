import type { Random } from '#base'
import { isLocked, type Storage } from '#storage'
import { countOf, fieldsOf, listOf, openDocument, sealDocument } from './format/document.ts'
import { sha256Hex } from './format/ids.ts'
import { IV_BYTES, type KeySet } from './format/sealing.ts'
import { listIds } from './index-files.ts'

/** Beside what restic knows, which leaves it alone. */
const FOLDER = '.holdfast/pruned'
/** A clock that went on by more since the last look may have jumped: such a time does not count as waited. */
const LONGEST_STEP_MS = 7 * 24 * 3_600_000

/** Packs that went out of use together. */
interface Batch {
  /** By our clock. */
  readonly atMs: number
  /** By the storage's clock, where it has one. */
  readonly storageMs: number | undefined
  /** So much of our time went by, as far as the clock can be believed. */
  waitedMs: number
  readonly packs: Map<string, number>
}

export interface WaitingPacksParts {
  readonly storage: Storage
  readonly key: KeySet
  readonly random: Random
}

const wholeOf = (value: unknown, what: string): number => countOf(value, what, Number.MAX_SAFE_INTEGER)

/** What the clocks show. */
export interface Times {
  readonly nowMs: number
  readonly storageMs: number | undefined
}

/**
 * The packs that are out of use and still stored, and for how long. Where the storage has a time of its own, that has to
 * have passed too. Elsewhere only steps of our clock of up to a week count, and what it went back has to be made up for.
 */
export class WaitingPacks {
  readonly #parts: WaitingPacksParts
  #number = 0
  #lookedAtMs: number | undefined
  #debtMs = 0
  #batches: Batch[] = []
  #files: string[] = []

  private constructor(parts: WaitingPacksParts) {
    this.#parts = parts
  }

  /** Reads the record in force. Throws `corrupt`. */
  static async read(parts: WaitingPacksParts, signal?: AbortSignal): Promise<WaitingPacks> {
    const waiting = new WaitingPacks(parts)
    for (const id of await listIds(parts.storage, FOLDER, signal)) {
      waiting.#files.push(id)
      waiting.#take(openDocument(parts.key, await parts.storage.read(`${FOLDER}/${id}`, undefined, signal)))
    }
    return waiting
  }

  /** The record with the highest number is in force: older ones are left by a kill, or kept by the storage. */
  #take(document: unknown): void {
    const fields = fieldsOf(document, 'a record of pruned packs')
    const number = wholeOf(fields['number'], 'the number of a record')
    if (number < this.#number) return
    this.#number = number
    this.#lookedAtMs = wholeOf(fields['lookedAt'], 'a time')
    this.#debtMs = wholeOf(fields['debt'], 'a time')
    this.#batches = listOf(fields['batches'], 'a record of pruned packs').map((value) => {
      const batch = fieldsOf(value, 'a batch of pruned packs')
      const packs = Object.entries(fieldsOf(batch['packs'], 'pruned packs'))
      return {
        atMs: wholeOf(batch['at'], 'a time'),
        storageMs: batch['storageAt'] === undefined ? undefined : wholeOf(batch['storageAt'], 'a time'),
        waitedMs: wholeOf(batch['waited'], 'a time'),
        packs: new Map(packs.map(([id, bytes]) => [id, wholeOf(bytes, 'the size of a pack')])),
      }
    })
  }

  get isEmpty(): boolean {
    return this.#batches.length === 0
  }

  get packs(): ReadonlyMap<string, number> {
    return new Map(this.#batches.flatMap(({ packs }) => [...packs]))
  }

  get bytes(): number {
    return [...this.packs.values()].reduce((sum, bytes) => sum + bytes, 0)
  }

  /** Lets the time go on. */
  look({ nowMs }: Times): void {
    const stepMs = nowMs - (this.#lookedAtMs ?? nowMs)
    this.#lookedAtMs = nowMs
    if (stepMs < 0) this.#debtMs = Math.min(this.#debtMs - stepMs, LONGEST_STEP_MS)
    if (stepMs <= 0 || stepMs > LONGEST_STEP_MS) return
    const paidMs = Math.min(this.#debtMs, stepMs)
    this.#debtMs -= paidMs
    for (const batch of this.#batches) batch.waitedMs += stepMs - paidMs
  }

  /** Packs go out of use now. One that waited before and was in use again waits anew. */
  add(packs: ReadonlyMap<string, number>, { nowMs, storageMs }: Times): void {
    this.delete(packs.keys())
    if (packs.size > 0) this.#batches.push({ atMs: nowMs, storageMs, waitedMs: 0, packs: new Map(packs) })
  }

  delete(ids: Iterable<string>): void {
    for (const id of ids) for (const { packs } of this.#batches) packs.delete(id)
    this.#batches = this.#batches.filter(({ packs }) => packs.size > 0)
  }

  /** Packs that have waited for so long. */
  due(graceMs: number, { storageMs }: Times): string[] {
    const isDue = (batch: Batch): boolean => this.#leftMs(batch, graceMs, storageMs) <= 0
    return this.#batches.filter(isDue).flatMap(({ packs }) => [...packs.keys()])
  }

  #leftMs(batch: Batch, graceMs: number, storageMs: number | undefined): number {
    const left = graceMs - batch.waitedMs
    if (storageMs === undefined || batch.storageMs === undefined) return left
    return Math.max(left, graceMs - (storageMs - batch.storageMs))
  }

  /** When the last of them is due, if the clocks go on as they should. */
  dueAtMs(graceMs: number, { nowMs, storageMs }: Times): number {
    return Math.max(nowMs, ...this.#batches.map((batch) => nowMs + this.#leftMs(batch, graceMs, storageMs)))
  }

  /** Stores the record, then removes the older ones. */
  async write(): Promise<void> {
    const { storage, key, random } = this.#parts
    const old = this.#files
    this.#files = []
    this.#number += 1
    if (this.#batches.length > 0 || old.length > 0) {
      const sealed = sealDocument(key, this.#text(), random.bytes(IV_BYTES))
      const id = sha256Hex(sealed)
      await storage.write(`${FOLDER}/${id}`, [sealed])
      this.#files.push(id)
    }
    for (const id of old) if (!(await this.#remove(id))) this.#files.push(id)
    if (this.#batches.length > 0 || this.#files.length !== 1) return
    if (await this.#remove(this.#files[0]!)) this.#files = []
  }

  #text(): string {
    return JSON.stringify({
      number: this.#number,
      lookedAt: this.#lookedAtMs ?? 0,
      debt: this.#debtMs,
      batches: this.#batches.map(({ atMs, storageMs, waitedMs, packs }) => ({
        at: atMs,
        ...(storageMs === undefined ? {} : { storageAt: storageMs }),
        waited: waitedMs,
        packs: Object.fromEntries(packs),
      })),
    })
  }

  async #remove(id: string): Promise<boolean> {
    try {
      await this.#parts.storage.remove(`${FOLDER}/${id}`)
      return true
    } catch (error) {
      if (isLocked(error)) return false
      throw error
    }
  }
}
