import {
  type Clock,
  conflict,
  corrupt,
  HoldfastError,
  isHoldfastError,
  type Logger,
  messageOf,
  notFound,
  type Random,
} from '#base'
import type { Storage } from '#storage'
import type { KeyInfo } from './contract.ts'
import { isId, sha256Hex } from './format/ids.ts'
import { describeKeyFile, encodeKeyFile, openKeyFile, type ScryptCost } from './format/key-file.ts'
import type { KeySet } from './format/sealing.ts'
import type { Host } from './format/snapshot.ts'
import { listIds } from './index-files.ts'

const FOLDER = 'keys'

const keyPath = (id: string): string => `${FOLDER}/${id}`

export interface NewKeyOptions {
  readonly master: KeySet
  readonly clock: Clock
  readonly random: Random
  readonly host: Host
  readonly cost: ScryptCost
}

/** A key file and the master key that it gave. */
export interface OpenedKey {
  readonly id: string
  readonly master: KeySet
}

/** Stores a key file for a password and returns its id. */
export const writeKey = async (
  storage: Storage,
  password: string,
  options: NewKeyOptions,
): Promise<string> => {
  const { clock, ...rest } = options
  const bytes = await encodeKeyFile({ ...rest, password, createdAt: clock.now() })
  const id = sha256Hex(bytes)
  await storage.write(keyPath(id), [bytes])
  return id
}

/** The first key file that the password opens. Throws `denied` when there is none; damaged files are passed over. */
export const findKey = async (storage: Storage, password: string, log: Logger): Promise<OpenedKey> => {
  for (const id of await listIds(storage, FOLDER)) {
    try {
      const master = await openKeyFile(await storage.read(keyPath(id)), password)
      if (master !== undefined) return { id, master }
    } catch (error) {
      if (!isHoldfastError(error, 'corrupt') && !isHoldfastError(error, 'not-found')) throw error
      log.warn({ key: id, reason: messageOf(error) }, 'key file cannot be read')
    }
  }
  throw new HoldfastError('denied', 'the password opens none of the repository’s keys', {
    reason: 'wrong-password',
  })
}

export interface KeysOptions extends NewKeyOptions {
  readonly storage: Storage
  /** The key file that the repository was opened with. */
  readonly current: string
}

/** The key files: each wraps the same master key with a password of its own. */
export class Keys {
  readonly #options: KeysOptions
  #current: string

  constructor(options: KeysOptions) {
    this.#options = options
    this.#current = options.current
  }

  /** Oldest first. */
  async list(): Promise<KeyInfo[]> {
    const { storage } = this.#options
    const keys: KeyInfo[] = []
    for (const id of await listIds(storage, FOLDER)) {
      try {
        const file = describeKeyFile(await storage.read(keyPath(id)))
        keys.push({ id, ...file, isCurrent: id === this.#current })
      } catch (error) {
        if (!isHoldfastError(error, 'corrupt') && !isHoldfastError(error, 'not-found')) throw error
      }
    }
    return keys.sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime() || (a.id < b.id ? -1 : 1))
  }

  /** Stores the key and proves that the password opens what is stored. */
  async add(password: string): Promise<string> {
    const { storage, master } = this.#options
    const id = await writeKey(storage, password, this.#options)
    const opened = await openKeyFile(await storage.read(keyPath(id)), password)
    if (opened === undefined || !isSameKey(opened, master)) {
      await storage.remove(keyPath(id))
      throw corrupt('the new key was not stored as it was written')
    }
    return id
  }

  async remove(id: string): Promise<void> {
    const { storage } = this.#options
    if (id === this.#current) throw conflict('the repository is open with this key')
    if (!isId(id) || (await storage.stat(keyPath(id))) === undefined) throw notFound('there is no such key')
    // Somebody else may have removed the one that we opened with: then this one may be the last.
    if ((await storage.stat(keyPath(this.#current))) === undefined)
      throw conflict('the key that the repository was opened with is gone; open it again first')
    await storage.remove(keyPath(id))
  }

  /** The new one is stored and proved before the old one goes. */
  async replaceCurrent(password: string): Promise<string> {
    const previous = this.#current
    this.#current = await this.add(password)
    await this.#options.storage.remove(keyPath(previous))
    return this.#current
  }

  /** Adds a key only where the password opens none, and takes it for the current one. */
  async keep(password: string): Promise<string> {
    const [there] = await this.#openedBy(password)
    this.#current = there ?? (await this.add(password))
    return this.#current
  }

  /** How many went. Throws `conflict`, and removes nothing, when the current one is among them. */
  async removeOpenedBy(password: string): Promise<number> {
    const ids = await this.#openedBy(password)
    if (ids.includes(this.#current)) throw conflict('the repository is open with this password')
    for (const id of ids) await this.remove(id)
    return ids.length
  }

  async #openedBy(password: string): Promise<readonly string[]> {
    const { storage, master } = this.#options
    const found: string[] = []
    for (const id of await listIds(storage, FOLDER)) {
      const opened = await this.#openIfWhole(id, password)
      if (opened !== undefined && isSameKey(opened, master)) found.push(id)
    }
    return found
  }

  async #openIfWhole(id: string, password: string): Promise<KeySet | undefined> {
    try {
      return await openKeyFile(await this.#options.storage.read(keyPath(id)), password)
    } catch (error) {
      if (!isHoldfastError(error, 'corrupt') && !isHoldfastError(error, 'not-found')) throw error
      return undefined
    }
  }
}

const isSameKey = (a: KeySet, b: KeySet): boolean =>
  Buffer.compare(a.encrypt, b.encrypt) === 0 &&
  Buffer.compare(a.macK, b.macK) === 0 &&
  Buffer.compare(a.macR, b.macR) === 0
