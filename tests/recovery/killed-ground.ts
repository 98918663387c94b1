import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { seededRandom, type Random } from '#base'
import { shardOf } from '#engine'
import type { ObjectProgress } from '../../src/engine/backup/object-draft.ts'
import { readObjectState } from '../../src/engine/catalogue/object-state.ts'
import { fileCheckpoints } from './child/file-checkpoints.ts'
import { COPY_PASSWORD, copyFolder, type Ground, PASSWORD, shardFolder } from './child/order.ts'
import { SavedContent } from './saved-content.ts'
import { restic, type ResticRepository } from './stock-restic.ts'

export interface Reading {
  readonly attempt: number
  readonly key: string
  readonly folder: string
  readonly token?: string
}

/** What work may change of what was committed, and what it has changed once it is over. */
export interface Licence {
  /** Points that may go, as `shard time`. */
  readonly mayGo?: ReadonlySet<string>
  /** Points may be written again with other trees. */
  readonly mayChange?: boolean
  readonly isOver: boolean
}

interface Place extends ResticRepository {
  /** `0`, `1`, … and for copies `copy 0`, … */
  readonly name: string
}

/** What a repository held when it held these files. */
interface Look {
  readonly stamp: string
  readonly points: ReadonlyMap<string, Set<string>>
}

/** Names alone: files of a repository never change. */
const filesBelow = (folder: string): string =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort().join(' ')

/** The repositories of a story, and what was ever seen in them. */
export class KilledGround implements Ground {
  readonly folder: string
  readonly shards: number
  readonly seed: number
  /** `shard time` → trees. A tree's name is a hash of all that is in it. */
  #points = new Map<string, ReadonlySet<string>>()
  /** SHA-256 of files, by tree and path. */
  readonly #samples = new Map<string, string>()
  readonly #looks = new Map<string, Look>()

  constructor({ folder, shards, seed }: Ground) {
    this.folder = folder
    this.shards = shards
    this.seed = seed
  }

  get #all(): Place[] {
    const places: Place[] = []
    for (let shard = 0; shard < this.shards; shard += 1) {
      places.push({ name: String(shard), path: shardFolder(this, shard), password: PASSWORD })
      places.push({ name: `copy ${shard}`, path: copyFolder(this, shard), password: COPY_PASSWORD })
    }
    return places
  }

  /** Repositories that are made. */
  get places(): Place[] {
    return this.#all.filter(({ path }) => existsSync(join(path, 'config')))
  }

  /** Points of the shards, oldest first: not of the copies. */
  get points(): string[] {
    return [...this.#points.keys()].filter((name) => !name.startsWith('copy')).sort()
  }

  get pointsInCopies(): number {
    return this.#points.size - this.points.length
  }

  /**
   * Stock restic finds nothing wrong; all that was committed is there as it was, but for what work was allowed to do.
   * Repositories that nobody touched since the last time are left out.
   */
  async examine(licence: Licence, chance: Random, { readData }: { readData: boolean }): Promise<void> {
    const samples = this.places.map(() => chance.fraction())
    const now = new Map<string, ReadonlySet<string>>()
    await Promise.all(
      this.places.map(async (place, number) => {
        for (const [name, trees] of await this.#look(place, samples[number]!, readData)) now.set(name, trees)
      }),
    )
    this.#compare(now, licence)
    this.#points = now
  }

  async #look(place: Place, sample: number, readData: boolean): Promise<ReadonlyMap<string, Set<string>>> {
    const stamp = filesBelow(place.path)
    const last = this.#looks.get(place.name)
    if (last?.stamp === stamp && !readData) return last.points
    await restic(place, 'check', ...(readData ? ['--read-data'] : []))
    await using saved = await SavedContent.open(place)
    const points = new Map<string, Set<string>>()
    for (const { time, tree } of await saved.repository.snapshots()) {
      const name = `${place.name} ${time.toISOString()}`
      points.set(name, (points.get(name) ?? new Set()).add(tree))
    }
    await this.#readSample(saved, seededRandom(Math.floor(sample * 2 ** 31)))
    this.#looks.set(place.name, { stamp, points })
    return points
  }

  #compare(now: ReadonlyMap<string, ReadonlySet<string>>, { mayGo, mayChange, isOver }: Licence): void {
    for (const [name, trees] of this.#points) {
      const found = now.get(name)
      if (mayGo?.has(name)) {
        assert(!isOver || found === undefined, `point ${name} was to go`)
        continue
      }
      assert(found, `point ${name} is lost`)
      if (mayChange === true && !name.startsWith('copy')) {
        assert(!isOver || found.size === 1, `point ${name} is there once`)
        continue
      }
      for (const tree of trees) assert(found.has(tree), `point ${name} is as it was`)
    }
  }

  /** A file of a point reads in full, and as it read before. */
  async #readSample(saved: SavedContent, chance: Random): Promise<void> {
    const pick = <Item>(items: readonly Item[]): Item | undefined =>
      items[Math.floor(chance.fraction() * items.length)]
    const { repository } = saved
    const point = pick(await repository.snapshots())
    if (point === undefined) return
    let [tree, path] = [point.tree, '']
    for (;;) {
      const entry = pick(await repository.tree(tree))
      assert(entry, `folder ${path} of a point is empty`)
      path = `${path}/${entry.name}`
      if (entry.type === 'folder') {
        tree = entry.subtree
        continue
      }
      const [name, hash] = [`${point.tree}${path}`, await saved.hashOf(entry)]
      assert.equal(hash, this.#samples.get(name) ?? hash, `${path} reads as before`)
      this.#samples.set(name, hash)
      return
    }
  }

  readings(sessionId: string, attempt: number): Reading[] {
    const file = join(this.folder, `${sessionId}.log`)
    if (!existsSync(file)) return []
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Reading)
      .filter((line) => line.attempt === attempt)
  }

  /** `key folder` → token: where the session has to go on, as its save points say. */
  async savedTokens(sessionId: string): Promise<ReadonlyMap<string, string | undefined>> {
    const tokens = new Map<string, string | undefined>()
    for (const [key, value] of await fileCheckpoints(join(this.folder, 'checkpoints', sessionId)).all()) {
      const { stateTree } = value as unknown as ObjectProgress
      const shard = shardOf(key.slice(key.indexOf('-') + 1), this.shards)
      await using saved = await SavedContent.open({ path: shardFolder(this, shard), password: PASSWORD })
      const { folders, token } = await readObjectState(saved.repository, stateTree)
      tokens.set(`${key} `, token)
      for (const folder of folders) tokens.set(`${key} ${folder.id}`, folder.token)
    }
    return tokens
  }

  /** Path → SHA-256 of every file of the newest point of each shard. */
  async newestFiles(): Promise<Record<string, string>> {
    const files: Record<string, string> = {}
    for (const place of this.places) {
      if (place.name.startsWith('copy')) continue
      await using saved = await SavedContent.open(place)
      for (const [path, hash] of await saved.newestFiles()) files[path] = hash
    }
    return files
  }
}
