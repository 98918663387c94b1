import { HoldfastError, isHoldfastError, messageOf, type Clock, type Logger, type Random } from '#base'
import { startTicks } from '#repository'
import type { Storage } from '#storage'
import {
  newestRecord,
  recordPath,
  removeBefore,
  writeRecord,
  type OwnerIdentity,
  type OwnerRecord,
} from './owner-record.ts'

/** How often a record is renewed. Who writes later than this has to renew it first. */
export const RENEW_MS = 2 * 60 * 1000
/** Without a renewal for so long nothing more is written. */
const LOST_MS = 10 * 60 * 1000
/** A record that is older than this, by the storage's clock, is of an owner that is gone. */
const DEAD_MS = 20 * 60 * 1000
const MOST_ROUNDS = 8

export interface OwnerParts {
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly owner: OwnerIdentity
  /** Milliseconds that nobody sets; those of this process unless told. */
  readonly steadyMs?: () => number
}

/** What may be taken from another server: nothing, a place that it has left or died on, or any. */
export type Taking = 'own' | 'left' | 'any'

interface Held {
  readonly record: OwnerRecord
  readonly clockMs: number
  readonly steadyMs: number
}

/**
 * This server's hold on a place. Each renewal is the next number, so that of two servers one finds that it has lost: it
 * writes no more until somebody takes the place over for it. Judged by numbers, never by the clock of another machine.
 */
export class OwnerLease {
  readonly #parts: OwnerParts
  #storage: Storage
  readonly #place: string
  #held: Held | undefined
  #lost: HoldfastError | undefined
  /** Since when no earlier process of this server can be at work any more, by the steady clock. */
  #aloneMs = Number.POSITIVE_INFINITY
  #working: Promise<unknown> = Promise.resolve()

  /** `storage` is the place itself, where this lease stands in nobody's way. */
  constructor(parts: OwnerParts, storage: Storage, place: string) {
    this.#parts = parts
    this.#storage = storage
    this.#place = place
  }

  /** The same place by another connection. */
  use(storage: Storage): void {
    this.#storage = storage
  }

  /** Throws `conflict` with the reason `owned` when the place belongs to another server. Cheap: asks every two minutes. */
  async require(signal?: AbortSignal): Promise<void> {
    if (this.#lost !== undefined) throw this.#lost
    if (this.#held !== undefined && this.#sinceMs(this.#held) < RENEW_MS) return
    await this.renew(signal)
  }

  /** Renews what is held, or claims what nobody else has. */
  async renew(signal?: AbortSignal): Promise<void> {
    await this.#oneByOne(async () => {
      if (this.#lost !== undefined) throw this.#lost
      try {
        await this.#claim('own', signal)
      } catch (error) {
        if (isOwned(error)) throw error
        if (this.#held === undefined || this.#sinceMs(this.#held) > LOST_MS) throw error
        this.#parts.log.warn({ reason: messageOf(error) }, 'hold on a repository not renewed')
      }
    })
  }

  /** Throws `conflict` where `take` would. Writes nothing that stays. */
  async checkMayTake(taking: Taking, signal?: AbortSignal): Promise<void> {
    await this.#checkMine(await newestRecord(this.#storage, signal), taking, signal)
  }

  /** Takes the place from whoever has it, as far as `taking` allows. */
  async take(taking: Taking, signal?: AbortSignal): Promise<void> {
    await this.#oneByOne(async () => {
      const [held, lost] = [this.#held, this.#lost]
      this.#held = undefined
      this.#lost = undefined
      try {
        await this.#claim(taking, signal)
      } catch (error) {
        this.#held = held
        this.#lost = lost
        throw error
      }
    })
  }

  /** Whether this process is certain to be the only one of its server that works here. */
  isAlone(): boolean {
    return this.#held !== undefined && this.#lost === undefined && this.#steadyMs() >= this.#aloneMs
  }

  get isHeld(): boolean {
    return this.#held !== undefined && this.#lost === undefined
  }

  /** Lets go: any server may take the place then. */
  async release(signal?: AbortSignal): Promise<void> {
    await this.#oneByOne(async () => {
      const held = this.#held
      this.#held = undefined
      if (held === undefined || this.#lost !== undefined) return
      const number = held.record.number + 1
      await writeRecord(this.#storage, { ...held.record, number, isHeld: false }, signal)
      await removeBefore(this.#storage, number, signal)
    })
  }

  async #oneByOne(work: () => Promise<void>): Promise<void> {
    const working = this.#working.then(work)
    this.#working = working.catch(() => undefined)
    return working
  }

  async #claim(taking: Taking, signal?: AbortSignal): Promise<void> {
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      const newest = await newestRecord(this.#storage, signal)
      await this.#checkMine(newest, taking, signal)
      const before = this.#held?.record
      const number = Math.max(newest?.number ?? 0, before?.number ?? 0) + 1
      const record = this.#next(number, newest)
      const at = { clockMs: this.#parts.clock.nowMs(), steadyMs: this.#steadyMs() }
      if (!(await this.#isWritten(record, signal))) continue
      if (before === undefined) this.#aloneMs = at.steadyMs + this.#waitMs(newest)
      this.#held = { record, ...at }
      await removeBefore(this.#storage, number, signal).catch((error: unknown) => {
        this.#parts.log.warn({ reason: messageOf(error) }, 'earlier record of the owner not removed')
      })
      return
    }
    throw new HoldfastError('conflict', `another server wants ${this.#place} at this moment`, {
      reason: 'owned',
    })
  }

  /** A storage may let two write at once, or a slow one write a number that has been used: who is in force is looked up. */
  async #isWritten(record: OwnerRecord, signal?: AbortSignal): Promise<boolean> {
    await writeRecord(this.#storage, record, signal).catch((error: unknown) => {
      if (!isHoldfastError(error, 'conflict')) throw error
    })
    const newest = await newestRecord(this.#storage, signal)
    return newest?.number === record.number && newest.instance === record.instance
  }

  #next(number: number, newest: OwnerRecord | undefined): OwnerRecord {
    const { owner, clock } = this.#parts
    const isOurs = newest?.server === owner.server && newest.since !== ''
    return { ...owner, number, isHeld: true, since: isOurs ? newest.since : clock.now().toISOString() }
  }

  async #checkMine(newest: OwnerRecord | undefined, taking: Taking, signal?: AbortSignal): Promise<void> {
    const { owner } = this.#parts
    // Also when a restored storage shows earlier records than ours.
    if (newest === undefined || newest.number < (this.#held?.record.number ?? 0)) return
    if (newest.instance === owner.instance) return
    // A later start of this server takes over at once, and the earlier process learns of it here.
    if (newest.server === owner.server && this.#held === undefined) return
    if (this.#held !== undefined) throw (this.#lost = this.#taken(newest))
    if (taking === 'any') return
    if (taking === 'left' && !(await isLiving(this.#parts, this.#storage, newest, signal))) return
    throw ownedBy(this.#place, newest, taking)
  }

  #taken({ name, server }: OwnerRecord): HoldfastError {
    const who =
      server === this.#parts.owner.server
        ? `a later start of this server, or a copy of it, on ${name}`
        : `the server on ${name}`
    this.#parts.log.error({ place: this.#place, by: name }, 'repository taken over by another server')
    return new HoldfastError(
      'conflict',
      `${this.#place} has been taken over by ${who}: this one writes nothing there any more`,
      { reason: 'owned' },
    )
  }

  /** How long an earlier process may still write, as it learns of us late. */
  #waitMs(before: OwnerRecord | undefined): number {
    if (before === undefined || !before.isHeld || isKnownDead(this.#parts.owner, before)) return 0
    return LOST_MS + RENEW_MS
  }

  #sinceMs(held: Held): number {
    // A machine that slept, or a clock that was set: the longer of the two counts, and costs a look at most.
    return Math.max(this.#steadyMs() - held.steadyMs, Math.abs(this.#parts.clock.nowMs() - held.clockMs))
  }

  #steadyMs(): number {
    return (this.#parts.steadyMs ?? (() => performance.now()))()
  }
}

/** A refusal because the place belongs to another server. */
export const isOwned = (error: unknown): error is HoldfastError =>
  isHoldfastError(error, 'conflict') && error.reason === 'owned'

const ownedBy = (place: string, { name, server, since }: OwnerRecord, taking: Taking): HoldfastError => {
  const what = `${place} belongs to the server on ${name} (${server}, since ${since})`
  const how =
    taking === 'own'
      ? 'this one may read it, and writes nothing until it is told to take the repository over'
      : 'it is at work, as far as can be seen: end it there, or attach with takeOver'
  return new HoldfastError('conflict', `${what}; ${how}`, { reason: 'owned' })
}

/** A process of this machine is seen; what another one does is not. */
const canSee = (owner: OwnerIdentity, { process }: OwnerRecord): boolean =>
  process !== undefined && process.boot === owner.process?.boot && process.space === owner.process.space

const isKnownDead = (owner: OwnerIdentity, record: OwnerRecord): boolean =>
  canSee(owner, record) && startTicks(record.pid) !== record.process!.ticks

/**
 * Whether an owner seems to be at work. What can be seen on this machine is certain. Else the record's age counts, by
 * comparing two times of the storage's own clock: a wrong answer costs the owner its hold, which it notices, and no data.
 */
export const isLiving = async (
  { owner, random }: Pick<OwnerParts, 'owner' | 'random'>,
  storage: Storage,
  record: OwnerRecord,
  signal?: AbortSignal,
): Promise<boolean> => {
  if (!record.isHeld) return false
  if (canSee(owner, record)) return !isKnownDead(owner, record)
  const written = await storage.stat(recordPath(record.number), signal)
  const probe = `.holdfast/owner/look-${random.uuid()}`
  await storage.write(probe, [Buffer.from('now')], signal)
  const now = await storage.stat(probe, signal)
  await storage.remove(probe, signal)
  if (written?.modifiedAt === undefined || now?.modifiedAt === undefined) return true
  return now.modifiedAt.getTime() - written.modifiedAt.getTime() < DEAD_MS
}
