import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { silentLogger, type Logger } from '#base'
import { storedName } from '#formats'
import type { RepositoryReader } from '#repository'
import { openCatalogue, type Catalogue } from './catalogue.ts'

export interface ShardAddress {
  readonly repositoryId: string
  readonly organizationId: string
  readonly shard: number
}

/** The caches of all shards, one file each below a folder that may be emptied while the server is stopped. */
export class Catalogues implements Disposable {
  readonly #folder: string
  readonly #log: Logger
  readonly #open = new Map<string, { readonly reader: RepositoryReader; readonly catalogue: Catalogue }>()

  constructor(folder: string, log: Logger = silentLogger) {
    this.#folder = folder
    this.#log = log
  }

  /** The shard's catalogue, shared by all who ask: do not dispose of it. Not synced. */
  of(address: ShardAddress, reader: RepositoryReader): Catalogue {
    const file = this.#file(address)
    const known = this.#open.get(file)
    if (known?.reader === reader) return known.catalogue
    known?.catalogue[Symbol.dispose]()
    const catalogue = openCatalogue(file, reader, this.#log)
    this.#open.set(file, { reader, catalogue })
    return catalogue
  }

  /** Closes and deletes what is known of an organization in a repository, or of the whole repository. */
  remove(repositoryId: string, organizationId?: string): void {
    const parts = [this.#folder, storedName(repositoryId)]
    if (organizationId !== undefined) parts.push(storedName(organizationId))
    const folder = join(...parts)
    for (const [file, { catalogue }] of this.#open)
      if (file.startsWith(join(folder, '/'))) {
        catalogue[Symbol.dispose]()
        this.#open.delete(file)
      }
    rmSync(folder, { recursive: true, force: true })
  }

  [Symbol.dispose](): void {
    for (const { catalogue } of this.#open.values()) catalogue[Symbol.dispose]()
    this.#open.clear()
  }

  #file({ repositoryId, organizationId, shard }: ShardAddress): string {
    return join(
      this.#folder,
      storedName(repositoryId),
      storedName(organizationId),
      `s${String(shard).padStart(2, '0')}.sqlite`,
    )
  }
}
