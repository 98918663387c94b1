import type { DriveItem } from '#items'

/** Download addresses that came with items, for as long as somebody holds the item. Saves a call per file. */
export class DownloadAddresses {
  readonly #known = new WeakMap<DriveItem, string>()

  remember(item: DriveItem, address: string | undefined): void {
    if (address !== undefined) this.#known.set(item, address)
  }

  of(item: DriveItem): string | undefined {
    return this.#known.get(item)
  }
}
