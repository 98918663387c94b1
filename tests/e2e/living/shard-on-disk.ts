import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { seededRandom, systemClock } from '#base'
import { openRepository, type BlobId, type Repository } from '#repository'
import { localStorage, readOnly } from '#storage'
import { restic } from '../../recovery/stock-restic.ts'

interface IndexedPack {
  readonly id: string
  readonly blobs: readonly { readonly id: string; readonly offset: number; readonly length: number }[]
}

interface Place {
  readonly file: string
  readonly offset: number
  readonly length: number
}

/** The only shard of a repository on disk, as files and as stock restic sees it: what a disk that forgets does to it. */
export class ShardOnDisk {
  readonly path: string
  readonly password: string

  private constructor(path: string, password: string) {
    this.path = path
    this.password = password
  }

  static async in(repository: string, password: string): Promise<ShardOnDisk> {
    const entries = await readdir(repository, { withFileTypes: true })
    const folder = entries.find((entry) => entry.isDirectory() && entry.name.includes('~'))
    if (folder === undefined) throw new Error('there is no organization in it')
    return new ShardOnDisk(join(repository, folder.name, 's00'), password)
  }

  /** Reads all data. Rejects where anything is wrong. */
  check(): Promise<string> {
    return restic(this, 'check', '--read-data')
  }

  /** Path → first piece of every file of the newest restore point below `users`. */
  async firstBlobs(): Promise<ReadonlyMap<string, BlobId>> {
    const options = { password: this.password, clock: systemClock, random: seededRandom(1) }
    await using repository = await openRepository(readOnly(localStorage(this.path)), options)
    const snapshots = [...(await repository.snapshots())]
    const newest = snapshots.sort((a, b) => a.time.getTime() - b.time.getTime()).at(-1)!
    const found = new Map<string, BlobId>()
    const users = await repository.entryAt(newest.tree, 'users')
    if (users?.type === 'folder') await visit(repository, users.subtree, 'users', found)
    return found
  }

  async placeOf(blob: BlobId): Promise<Place> {
    for (const name of await this.files('index')) {
      const { packs } = JSON.parse(await restic(this, 'cat', 'index', name)) as { packs: IndexedPack[] }
      for (const { id, blobs } of packs) {
        const found = blobs.find((each) => each.id === blob)
        const file = join(this.path, 'data', id.slice(0, 2), id)
        if (found !== undefined) return { file, offset: found.offset, length: found.length }
      }
    }
    throw new Error(`no index names ${blob}`)
  }

  /** One bit turns over. */
  async flipBitOf(blob: BlobId): Promise<void> {
    const { file, offset, length } = await this.placeOf(blob)
    const bytes = await readFile(file)
    bytes[offset + (length >> 1)]! ^= 1
    await rm(file)
    await writeFile(file, bytes)
  }

  /** Names of the files of a folder: `index`, `snapshots`. */
  files(folder: string): Promise<string[]> {
    return readdir(join(this.path, folder))
  }

  async lose(folder: string, names: readonly string[]): Promise<void> {
    for (const name of names) await rm(join(this.path, folder, name))
  }
}

const visit = async (
  repository: Repository,
  tree: BlobId,
  path: string,
  found: Map<string, BlobId>,
): Promise<void> => {
  for (const entry of await repository.tree(tree)) {
    const below = `${path}/${entry.name}`
    if (entry.type === 'folder') await visit(repository, entry.subtree, below, found)
    else if (entry.content[0] !== undefined) found.set(below, entry.content[0])
  }
}
