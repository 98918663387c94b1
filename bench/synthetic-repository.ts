// Repositories of millions of blobs in little time: the index is true in every byte, and so are the trees; packs of data have
// their true size and no content, so they take no room on a disk that keeps holes.
import { randomBytes, randomFillSync } from 'node:crypto'
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { silentLogger, systemClock, systemRandom } from '../src/base/index.ts'
import { type BlobId, initRepository } from '../src/repository/index.ts'
import { sealDocument } from '../src/repository/format/document.ts'
import { sha256Hex } from '../src/repository/format/ids.ts'
import { encodeIndex, type IndexedPack } from '../src/repository/format/index-document.ts'
import { exactHeaderBytes, type PackedBlob } from '../src/repository/format/pack-header.ts'
import type { KeySet } from '../src/repository/format/sealing.ts'
import { encodeNode, treeOfNodes } from '../src/repository/format/tree.ts'
import { findKey } from '../src/repository/keys.ts'
import { SealedPacks } from '../src/repository/sealed-packs.ts'
import { sealBlob } from '../src/repository/workers/reseal-blobs.ts'
import { localStorage, type Storage } from '../src/storage/index.ts'

export const REPOSITORY_OPTIONS = {
  password: 'a bench',
  clock: systemClock,
  random: systemRandom,
  scrypt: { N: 1024, r: 8, p: 1 },
}

const FILE_BLOBS = 50_000
const PACK_BLOBS = 250
const DAY_MAILS = 100
const MONTH_DAYS = 30
const USER_MONTHS = 24

export interface SyntheticRepository {
  readonly path: string
  readonly blobs: number
  /** Whether there are packs and trees, and a snapshot that needs nine tenths of the blobs; else there is an index alone. */
  readonly withTrees: boolean
}

/** Small mails and chunks of about a hundred kilobytes, compressed and not, 250 in a pack. */
export const generateRepository = async ({ path, blobs, withTrees }: SyntheticRepository): Promise<void> => {
  const storage = localStorage(path)
  await using repository = await initRepository(storage, REPOSITORY_OPTIONS)
  const { master } = await findKey(storage, REPOSITORY_OPTIONS.password, silentLogger)
  const name = (packs: readonly IndexedPack[]): Promise<void> => writeIndex(storage, master, packs)
  const trees = new Trees(storage, master, name)
  for (let at = 0; at < blobs; at += FILE_BLOBS) {
    const packs = newPacks(Math.min(FILE_BLOBS, blobs - at))
    await name(packs)
    if (!withTrees) continue
    for (const pack of packs) storePack(path, pack)
    await trees.name(packs)
  }
  if (!withTrees) return
  const tree = await trees.end()
  await repository.refresh()
  await repository.withWriter((writer) =>
    writer.saveSnapshot({ time: new Date('2026-01-01'), tree, paths: ['/'], tags: [] }),
  )
}

/**
 * A tenth has expired: seven packs of a hundred with all that is in them, as the oldest points leave them, and every 31st blob
 * of the others. That is less waste than is written anew, so a prune has to do with the index, the trees and whole packs.
 */
const isExpired = (pack: number, blob: number): boolean => pack % 100 < 7 || blob % 31 === 0

const newPacks = (count: number): IndexedPack[] => {
  const packs: IndexedPack[] = []
  for (let first = 0; first < count; first += PACK_BLOBS) {
    let offset = 0
    const ids = randomFillSync(Buffer.alloc(PACK_BLOBS * 32)).toString('hex')
    const blobs = Array.from({ length: Math.min(PACK_BLOBS, count - first) }, (_, blob): PackedBlob => {
      const length = 5000 + ((blob * 7919) % 120_000)
      offset += length
      return {
        id: ids.slice(blob * 64, blob * 64 + 64) as BlobId,
        type: 'data',
        offset: offset - length,
        length,
        uncompressed: blob % 3 === 0 ? 0 : length * 2,
      }
    })
    packs.push({ id: randomBytes(32).toString('hex'), blobs })
  }
  return packs
}

const writeIndex = async (storage: Storage, key: KeySet, packs: readonly IndexedPack[]): Promise<void> => {
  const sealed = sealDocument(key, encodeIndex(packs), randomBytes(16))
  await storage.write(`index/${sha256Hex(sealed)}`, [sealed])
}

const storePack = (path: string, { id, blobs }: IndexedPack): void => {
  const file = join(path, 'data', id.slice(0, 2), id)
  const last = blobs.at(-1)!
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, '')
  truncateSync(file, last.offset + last.length + exactHeaderBytes(blobs))
}

interface Folder {
  readonly nodes: string[]
  readonly capacity: number
}

const TIME = new Date('2025-06-01T08:00:00.123Z')

/** Mails in folders of days, months and users, as backups of mailboxes lay them. What has expired lies in folders of its own. */
class Trees {
  readonly #packs: SealedPacks
  readonly #key: KeySet
  readonly #live = newLevels()
  readonly #expired = newLevels()
  #mails = 0

  constructor(storage: Storage, key: KeySet, name: (packs: readonly IndexedPack[]) => Promise<void>) {
    this.#key = key
    this.#packs = new SealedPacks({ storage, key, random: systemRandom, name, guard: () => undefined })
  }

  async name(packs: readonly IndexedPack[]): Promise<void> {
    for (const [pack, { blobs }] of packs.entries())
      for (const [blob, { id, length, uncompressed }] of blobs.entries()) {
        this.#mails += 1
        const name = `${String(this.#mails).padStart(12, '0')}-${id.slice(0, 12)}.eml`
        const sizeBytes = uncompressed === 0 ? length - 32 : uncompressed
        const node = encodeNode({ type: 'file', name, modifiedAt: TIME, sizeBytes, content: [id] })
        await this.#add(isExpired(pack, blob) ? this.#expired : this.#live, 0, node)
      }
  }

  async #add(levels: readonly Folder[], level: number, node: string): Promise<void> {
    const { nodes, capacity } = levels[level]!
    nodes.push(node)
    if (nodes.length >= capacity) await this.#close(levels, level)
  }

  async #close(levels: readonly Folder[], level: number): Promise<BlobId | undefined> {
    const { nodes } = levels[level]!
    if (nodes.length === 0) return undefined
    const { id, sealed, uncompressed } = sealBlob(this.#key, 'tree', treeOfNodes(nodes.splice(0)))
    await this.#packs.add({ type: 'tree', id: id as BlobId, uncompressed }, sealed)
    if (level + 1 === levels.length) return id as BlobId
    this.#mails += 1
    const name = String(this.#mails).padStart(12, '0')
    await this.#add(
      levels,
      level + 1,
      encodeNode({ type: 'folder', name, modifiedAt: TIME, subtree: id as BlobId }),
    )
    return id as BlobId
  }

  /** The root of what has not expired. */
  async end(): Promise<BlobId> {
    let root: BlobId | undefined
    for (const levels of [this.#expired, this.#live])
      for (let level = 0; level < levels.length; level += 1) root = await this.#close(levels, level)
    await this.#packs.flush()
    return root!
  }
}

const newLevels = (): readonly Folder[] =>
  [DAY_MAILS, MONTH_DAYS, USER_MONTHS, Infinity].map((capacity) => ({ nodes: [], capacity }))
