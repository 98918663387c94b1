import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError } from '#base'

interface Place {
  readonly device: number
  readonly inode: number
}

/** Enough that one of them outlives what others remove. */
const KEPT_PATHS = 8

/**
 * The folder of a storage, and whether it is still the one that it was. When a disk goes away, the folder that it was
 * mounted on remains, empty: what is missing there is not gone, and what is written there would be lost from sight when
 * the disk comes back. A folder that has changed is taken again when it holds a file that was seen in it before.
 */
export class LocalRoot {
  readonly path: string
  #place: Place | undefined
  #seen: readonly string[] = []

  constructor(path: string) {
    this.path = path
  }

  /** A file that was read or written. */
  sawFile(path: string): void {
    if (this.#seen.includes(path) || /(^|\/)locks\//.test(path)) return
    this.#seen = [path, ...this.#seen].slice(0, KEPT_PATHS)
  }

  removedFile(path: string): void {
    this.#seen = this.#seen.filter((one) => one !== path)
  }

  /** Throws `unavailable` when the folder is gone or another one; `action` says what cannot be done. */
  async check(action: string): Promise<void> {
    const place = await placeOf(this.path)
    if (this.#place === undefined || isSame(place, this.#place)) {
      this.#place = place
      return
    }
    if (place === undefined || !(await this.#isKnown()))
      throw new HoldfastError(
        'unavailable',
        `cannot ${action}: the folder is gone or empty; is its disk mounted?`,
        { reason: 'folder-vanished' },
      )
    this.#place = place
  }

  async #isKnown(): Promise<boolean> {
    for (const path of this.#seen)
      if ((await stat(join(this.path, path)).catch(() => undefined)) !== undefined) return true
    return this.#seen.length === 0
  }
}

const placeOf = async (path: string): Promise<Place | undefined> => {
  const found = await stat(path).catch(() => undefined)
  return found === undefined ? undefined : { device: found.dev, inode: found.ino }
}

const isSame = (one: Place | undefined, other: Place): boolean =>
  one !== undefined && one.device === other.device && one.inode === other.inode
