import { createHash } from 'node:crypto'
import { FixedClock, seededRandom, type Clock } from '#base'
import { openCatalogue, type Catalogue } from '#engine'
import { openRepository, type BlobId, type Repository, type TreeEntry } from '#repository'
import { localStorage, readOnly } from '#storage'
import type { ResticRepository } from './stock-restic.ts'

/** A repository that somebody looks into without being able to change it, not even its locks. */
export class SavedContent implements AsyncDisposable {
  readonly repository: Repository
  /** Not synced. */
  readonly catalogue: Catalogue

  private constructor(repository: Repository, catalogue: Catalogue) {
    this.repository = repository
    this.catalogue = catalogue
  }

  static async open({ path, password }: ResticRepository): Promise<SavedContent> {
    const clock: Clock = new FixedClock('2026-11-24T10:00:00Z')
    const options = { password, clock, random: seededRandom(1) }
    const repository = await openRepository(readOnly(localStorage(path)), options)
    const catalogue = openCatalogue(':memory:', repository)
    return new SavedContent(repository, catalogue)
  }

  /** Each restore point with its tree. The tree's name is a hash of all that is in it: equal names, equal content. */
  async points(): Promise<ReadonlyMap<string, BlobId>> {
    const snapshots = await this.repository.snapshots()
    return new Map(snapshots.map(({ id, tree }) => [id, tree]))
  }

  /** Path → SHA-256 of every file of the newest restore point below `users/`. */
  async newestFiles(): Promise<ReadonlyMap<string, string>> {
    const files = new Map<string, string>()
    const snapshots = [...(await this.repository.snapshots())]
    const newest = snapshots.sort((a, b) => a.time.getTime() - b.time.getTime()).at(-1)
    const users = newest && (await this.repository.entryAt(newest.tree, 'users'))
    if (users?.type === 'folder') await this.#visit(users.subtree, '', files)
    return files
  }

  async #visit(tree: BlobId, path: string, files: Map<string, string>): Promise<void> {
    for (const entry of await this.repository.tree(tree)) {
      const below = path === '' ? entry.name : `${path}/${entry.name}`
      if (entry.type === 'folder') await this.#visit(entry.subtree, below, files)
      else files.set(below, await this.hashOf(entry))
    }
  }

  async hashOf(entry: Pick<TreeEntry & { type: 'file' }, 'content' | 'sizeBytes'>): Promise<string> {
    const hash = createHash('sha256')
    for await (const piece of this.repository.readFile(entry)) hash.update(piece)
    return hash.digest('hex')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.catalogue[Symbol.dispose]()
    await this.repository[Symbol.asyncDispose]()
  }
}
