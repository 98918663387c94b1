import { isHoldfastError } from '#base'
import { readIdentity, type ProcessIdentity } from '#repository'
import type { Storage } from '#storage'

/** Who an owner is: a server, and the process that it is now. */
export interface OwnerIdentity {
  /** Of the installation: the same after every start, and after its data folder was restored. */
  readonly server: string
  /** For people. */
  readonly name: string
  /** Of this start. */
  readonly instance: string
  readonly pid: number
  /** Undefined where the system does not tell. */
  readonly process?: ProcessIdentity
}

/**
 * Who owns a repository. A record is never changed: the next one has the next number, and the storage lets only one be
 * written under a number. The highest counts.
 */
export interface OwnerRecord extends OwnerIdentity {
  readonly number: number
  /** False when the owner has let go. */
  readonly isHeld: boolean
  /** When this server began to own it, by its own clock: for people alone. */
  readonly since: string
}

const FOLDER = '.holdfast/owner'
const DIGITS = 12
const NAME = /^\.holdfast\/owner\/(\d{12})$/

export const recordPath = (number: number): string => `${FOLDER}/${String(number).padStart(DIGITS, '0')}`

/** Numbers of what is there, ascending. */
const numbersIn = async (storage: Storage, signal?: AbortSignal): Promise<number[]> => {
  const numbers: number[] = []
  for await (const { path } of storage.list(FOLDER, signal)) {
    const [, digits] = NAME.exec(path) ?? []
    if (digits !== undefined) numbers.push(Number(digits))
  }
  return numbers.sort((a, b) => a - b)
}

/** The record in force, or undefined where nobody has ever owned the place. */
export const newestRecord = async (
  storage: Storage,
  signal?: AbortSignal,
): Promise<OwnerRecord | undefined> => {
  for (let attempt = 0; ; attempt += 1) {
    const newest = (await numbersIn(storage, signal)).at(-1)
    if (newest === undefined) return undefined
    try {
      return decode(newest, await storage.read(recordPath(newest), undefined, signal))
    } catch (error) {
      // Its owner has just put the next one in its place.
      if (!isHoldfastError(error, 'not-found') || attempt > 3) throw error
    }
  }
}

/** Throws `conflict` where somebody has written one of this number. */
export const writeRecord = async (
  storage: Storage,
  { number, ...record }: OwnerRecord,
  signal?: AbortSignal,
): Promise<void> => {
  const text = JSON.stringify({ format: 'holdfast-owner', version: 1, ...record }, undefined, 2)
  await storage.write(recordPath(number), [Buffer.from(`${text}\n`)], signal)
}

export const removeBefore = async (storage: Storage, number: number, signal?: AbortSignal): Promise<void> => {
  for (const each of await numbersIn(storage, signal))
    if (each < number) await storage.remove(recordPath(each), signal)
}

/** One that cannot be read belongs to nobody that is known: not to us, at any rate. */
const decode = (number: number, bytes: Uint8Array): OwnerRecord => {
  const { server, name, instance, pid, process, isHeld, since } = fieldsOf(bytes)
  const identity = readIdentity(process)
  return {
    number,
    server: textOf(server) ?? '',
    name: textOf(name) ?? 'a server whose record cannot be read',
    instance: textOf(instance) ?? '',
    pid: typeof pid === 'number' ? pid : 0,
    ...(identity === undefined ? {} : { process: identity }),
    isHeld: isHeld !== false,
    since: textOf(since) ?? '',
  }
}

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' ? value.slice(0, 256) : undefined

const fieldsOf = (bytes: Uint8Array): Readonly<Record<string, unknown>> => {
  try {
    return (JSON.parse(Buffer.from(bytes).toString('utf8')) as Record<string, unknown> | null) ?? {}
  } catch {
    return {}
  }
}
