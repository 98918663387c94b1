import { type Clock, HoldfastError, isHoldfastError, type Logger, messageOf, type Random } from '#base'
import type { Storage } from '#storage'
import { fieldsOf, openDocument, sealDocument } from './format/document.ts'
import { goJsonString, goTime, parseGoTime } from './format/go-json.ts'
import { sha256Hex } from './format/ids.ts'
import { IV_BYTES, type KeySet, seal } from './format/sealing.ts'
import type { Host } from './format/snapshot.ts'
import { listIds } from './index-files.ts'
import { isRunning, ownIdentity, readIdentity, startTicks, type ProcessIdentity } from './process-identity.ts'

/** Who has a repository to itself, over many processes: a server. Of owners, one at a time is at work. */
export interface LockOwner {
  /** The same after every start, also in another container. */
  readonly id: string
  /** Whether it is certain that no other process of an owner, this one or another, uses the repository any more. */
  isAlone(): boolean
}

/**
 * `traced` and `switch` are a shared and an exclusive lock to everybody else. The holder of the one knows what the holder of
 * the other does, so within a process they do not stand in each other's way.
 */
export type LockKind = 'shared' | 'exclusive' | 'traced' | 'switch'

const isExclusive = (kind: LockKind): boolean => kind === 'exclusive' || kind === 'switch'

export interface LocksOptions {
  readonly storage: Storage
  readonly key: KeySet
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly host: Host
  readonly pid: number
  /** Of the repository: version 1 knows no compressed documents. */
  readonly version?: 1 | 2
  readonly owner?: LockOwner
  /** Of this process, as the system tells it; `null` for none. */
  readonly identity?: ProcessIdentity | null
  /** When a process of this machine began; undefined for none. */
  readonly startTicks?: (pid: number) => number | undefined
  /** Milliseconds that nobody sets. */
  readonly steadyMs?: () => number
}

const FOLDER = 'locks'
const REFRESH_MS = 5 * 60 * 1000
const STALE_MS = 30 * 60 * 1000
/** Without a refresh for so long, others may soon take the lock for stale: stop writing before. */
const LOST_MS = 22.5 * 60 * 1000
const SETTLE_MS = 200
const RELEASED_KEPT = 100
const UNREADABLE_WAITS_MS = [5_000, 10_000, 20_000]

/** Lock files of this process; one with our pid that is not here is from a process before us. */
const ownLocks = new Set<string>()
/** Of those, the ones that nobody holds: they could not be removed, or it is not known whether they were written. */
const abandoned = new Set<string>()

interface FoundLock {
  readonly id: string
  readonly time: Date
  readonly isExclusive: boolean
  readonly hostname: string
  readonly pid: number
  readonly identity: ProcessIdentity | undefined
  readonly owner: string | undefined
}

/** A lock that is held and refreshed until it is released. */
export interface HeldLock extends AsyncDisposable {
  /** Throws `conflict` when the lock could not be refreshed for so long that it may be lost. */
  check(): void
}

/** The locks that stock restic takes and obeys. */
export class Locks {
  readonly #options: LocksOptions
  /** Lock files of this repository object. */
  readonly #own = new Map<string, LockKind>()
  /** Those that it let go lately: who listed them before may still look at one. */
  readonly #released = new Set<string>()
  readonly #leftOver = new Set<string>()
  /** When each lock that a process of this machine may have left was first seen, by the steady clock. */
  readonly #seenMs = new Map<string, number>()
  readonly #identity: ProcessIdentity | undefined
  /** Resolves when the `switch` lock that this object holds is released. */
  #switching: Promise<void> | undefined

  constructor(options: LocksOptions) {
    this.#options = options
    this.#identity = options.identity === undefined ? ownIdentity() : (options.identity ?? undefined)
  }

  /** Takes a lock. Throws `conflict`, naming who holds the one in the way. */
  async take(kind: LockKind, signal?: AbortSignal): Promise<HeldLock> {
    if (kind === 'switch') return this.#takeSwitch(signal)
    // It is a matter of seconds.
    if (kind !== 'traced') while (this.#switching !== undefined) await this.#switching
    return this.#take(kind, signal)
  }

  async #takeSwitch(signal?: AbortSignal): Promise<HeldLock> {
    while (this.#switching !== undefined) await this.#switching
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#switching = promise
    const end = (): void => {
      this.#switching = undefined
      resolve()
    }
    try {
      const lock = await this.#take('switch', signal)
      return {
        check: () => lock.check(),
        [Symbol.asyncDispose]: async () => {
          try {
            await lock[Symbol.asyncDispose]()
          } finally {
            end()
          }
        },
      }
    } catch (error) {
      end()
      throw error
    }
  }

  async #take(kind: LockKind, signal?: AbortSignal): Promise<HeldLock> {
    await this.#removeLeftOver()
    await this.#throwIfTaken(kind, undefined, signal)
    const first = await this.#write(kind)
    try {
      await this.#options.clock.sleep(SETTLE_MS, signal)
      await this.#throwIfTaken(kind, first, signal)
    } catch (error) {
      await this.#letGo(first)
      throw error
    }
    return this.#hold(kind, first)
  }

  #hold(kind: LockKind, first: string): HeldLock {
    const { log } = this.#options
    let current = first
    let refreshedAt = this.#moment()
    let refreshing: Promise<void> = Promise.resolve()
    const refresh = async (): Promise<void> => {
      try {
        const next = await this.#write(kind)
        const previous = current
        current = next
        refreshedAt = this.#moment()
        await this.#letGo(previous)
      } catch (error) {
        log.warn({ reason: messageOf(error) }, 'repository lock not refreshed')
      }
    }
    const timer = setInterval(() => {
      refreshing = refreshing.then(refresh)
    }, REFRESH_MS)
    timer.unref()
    return {
      check: () => {
        const now = this.#moment()
        // A machine that slept, or a clock that went back: the longer of the two counts.
        const sinceMs = Math.max(now.clockMs - refreshedAt.clockMs, now.steadyMs - refreshedAt.steadyMs)
        if (sinceMs <= LOST_MS) return
        throw new HoldfastError('conflict', 'the lock of the repository could not be refreshed in time')
      },
      [Symbol.asyncDispose]: async () => {
        clearInterval(timer)
        await refreshing
        // The work is done or has an error of its own, and the next to take a lock removes this one.
        await this.#letGo(current).catch((error: unknown) => {
          log.warn({ reason: messageOf(error) }, 'repository lock not removed')
        })
      },
    }
  }

  #moment(): { readonly clockMs: number; readonly steadyMs: number } {
    return { clockMs: this.#options.clock.nowMs(), steadyMs: this.#steadyMs() }
  }

  #steadyMs(): number {
    return (this.#options.steadyMs ?? steadyMs)()
  }

  async #write(kind: LockKind): Promise<string> {
    const { storage, key, random, clock, host, pid, version, owner } = this.#options
    // Restic passes over what it does not know.
    const further = { ...this.#identity, ...(owner === undefined ? {} : { owner: owner.id }) }
    const json =
      `{"time":"${goTime(clock.now())}","exclusive":${isExclusive(kind)},` +
      `"hostname":${goJsonString(host.hostname)},"username":${goJsonString(host.username)},"pid":${pid},` +
      `"holdfast":${JSON.stringify(further)}}`
    const iv = random.bytes(IV_BYTES)
    const sealed = version === 1 ? seal(key, Buffer.from(json), iv) : sealDocument(key, json, iv)
    const id = sha256Hex(sealed)
    ownLocks.add(id)
    this.#own.set(id, kind)
    try {
      await storage.write(`${FOLDER}/${id}`, [sealed])
    } catch (error) {
      this.#abandon(id)
      throw error
    }
    return id
  }

  /** A lock whose removal fails would stand in everybody's way: the next to take one removes it first. */
  async #letGo(id: string): Promise<void> {
    this.#abandon(id)
    await this.#remove(id)
    this.#leftOver.delete(id)
  }

  #abandon(id: string): void {
    this.#leftOver.add(id)
    abandoned.add(id)
  }

  async #removeLeftOver(): Promise<void> {
    for (const id of this.#leftOver) await this.#letGo(id)
  }

  async #remove(id: string): Promise<void> {
    await this.#options.storage.remove(`${FOLDER}/${id}`)
    ownLocks.delete(id)
    abandoned.delete(id)
    this.#own.delete(id)
    this.#released.add(id)
    const [oldest] = this.#released
    if (this.#released.size > RELEASED_KEPT && oldest !== undefined) this.#released.delete(oldest)
  }

  async #throwIfTaken(kind: LockKind, own: string | undefined, signal?: AbortSignal): Promise<void> {
    for (const lock of await this.#found(signal)) {
      if (lock.id === own || (!isExclusive(kind) && !lock.isExclusive)) continue
      if (this.#isBeside(kind, this.#own.get(lock.id)) || this.#released.has(lock.id)) continue
      if (await this.#removeLeftBehind(lock)) continue
      const nowMs = this.#options.clock.nowMs()
      const minutes = Math.max(0, Math.round((nowMs - lock.time.getTime()) / 60_000))
      const isStale = nowMs - lock.time.getTime() > STALE_MS
      throw new HoldfastError(
        'conflict',
        `the repository is locked ${lock.isExclusive ? 'exclusively ' : ''}by process ${lock.pid} on ` +
          `${lock.hostname}, ${minutes} minutes ago` +
          (isStale ? '; the lock is stale: when that process is gone, `restic unlock` removes it' : ''),
        { reason: isStale ? 'stale-lock' : 'locked' },
      )
    }
  }

  /** Whether two locks of this object go together although one is exclusive. */
  #isBeside(kind: LockKind, other: LockKind | undefined): boolean {
    return (kind === 'traced' && other === 'switch') || (kind === 'switch' && other === 'traced')
  }

  /** Removes locks of processes that are known to be gone, so that nobody has to after a crash. */
  async removeOwnStale(signal?: AbortSignal): Promise<number> {
    let removed = 0
    for (const lock of await this.#found(signal)) if (await this.#removeLeftBehind(lock)) removed += 1
    return removed
  }

  async #removeLeftBehind(lock: FoundLock): Promise<boolean> {
    if (!this.#isLeftBehind(lock)) return false
    await this.#remove(lock.id)
    this.#seenMs.delete(lock.id)
    this.#options.log.info({ pid: lock.pid }, 'lock of a dead process removed')
    return true
  }

  /** Asks no clock that can be set: one that jumps ahead would make every lock look old. */
  #isLeftBehind(lock: FoundLock): boolean {
    if (abandoned.has(lock.id)) return true
    if (ownLocks.has(lock.id)) return false
    const { host, owner } = this.#options
    const [own, its] = [this.#identity, lock.identity]
    if (own !== undefined && its?.boot === own.boot && its.space === own.space)
      return (this.#options.startTicks ?? startTicks)(lock.pid) !== its.ticks
    // Names of machines change and are used again, owners are not.
    if (owner !== undefined && lock.owner !== undefined) return owner.isAlone()
    if (lock.hostname !== host.hostname) return false
    if (own === undefined || its === undefined) return !isRunning(lock.pid) || this.#isUnrefreshed(lock)
    // The same name on another machine, or in another container of this one.
    return its.boot !== own.boot && (its.machine === undefined || its.machine === own.machine)
  }

  /** Restic writes a new lock in place of its old one every five minutes. */
  #isUnrefreshed(lock: FoundLock): boolean {
    const nowMs = this.#steadyMs()
    const seenMs = this.#seenMs.get(lock.id)
    if (seenMs === undefined) this.#seenMs.set(lock.id, nowMs)
    return seenMs !== undefined && nowMs - seenMs > STALE_MS
  }

  async #found(signal?: AbortSignal): Promise<FoundLock[]> {
    const found: FoundLock[] = []
    for (const id of await listIds(this.#options.storage, FOLDER, signal)) {
      const lock = await this.#read(id, signal)
      if (lock !== undefined) found.push(lock)
    }
    return found
  }

  /** Undefined when it was released meanwhile. One that cannot be read may still be on its way to the storage. */
  async #read(id: string, signal?: AbortSignal): Promise<FoundLock | undefined> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        const sealed = await this.#options.storage.read(`${FOLDER}/${id}`, undefined, signal)
        return decodeLock(id, openDocument(this.#options.key, sealed))
      } catch (error) {
        if (isHoldfastError(error, 'not-found')) return undefined
        const waitMs = UNREADABLE_WAITS_MS[attempt]
        if (!isHoldfastError(error, 'corrupt') || waitMs === undefined) throw error
        await this.#options.clock.sleep(waitMs, signal)
      }
    }
  }
}

const steadyMs = (): number => Math.round(performance.now())

const decodeLock = (id: string, document: unknown): FoundLock => {
  const fields = fieldsOf(document, 'a lock')
  const further = fields['holdfast'] as { readonly owner?: unknown } | undefined
  return {
    id,
    time: parseGoTime(fields['time']) ?? new Date(0),
    isExclusive: fields['exclusive'] === true,
    hostname: typeof fields['hostname'] === 'string' ? fields['hostname'] : '',
    pid: typeof fields['pid'] === 'number' ? fields['pid'] : 0,
    identity: readIdentity(further),
    owner: typeof further?.owner === 'string' ? further.owner : undefined,
  }
}
