// Kills at random moments, of all that writes into a repository. `node tests/recovery/kills.ts --kills 500 --seed 1`
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { seededRandom, systemClock, type Random } from '#base'
import { shardOf } from '#engine'
import { initRepository } from '#repository'
import { memoryStorage } from '#storage'
import { type BackupOrder, type Order, type RemovalOrder, shardFolder, type Task } from './child/order.ts'
import { USERS } from './child/scripted-source.ts'
import { Children, type Death, dieSomehow } from './children.ts'
import { KilledGround, type Licence } from './killed-ground.ts'

export interface Kills {
  readonly kills: number
  readonly seed: number
  /** Told of each kill. */
  readonly onKill?: (told: string) => void
}

export interface KillReport {
  readonly kills: number
  /** Of each kind of work. */
  readonly killed: Readonly<Record<Task['kind'], number>>
  /** Readings of the service that went on from a save point. */
  readonly resumed: number
}

/** Then a repository is done with, so that none grows without end. */
const MOST_KILLS_OF_A_STORY = 40
const MOST_KILLS_OF_A_SESSION = 3
const MOST_KILLS_OF_UPKEEP = 2
const KEPT_POINTS = 2
/** All bytes are read by restic after each so many examinations. */
const READ_DATA_EVERY = 10

/** Half of the stories are told in one shard, half in four. */
export const killAll = async ({ kills, seed, onKill = () => {} }: Kills): Promise<KillReport> => {
  const killed = { backup: 0, retention: 0, removal: 0, copy: 0, repair: 0 }
  let resumed = 0
  const stories = Math.max(2, Math.ceil(kills / MOST_KILLS_OF_A_STORY))
  await using children = new Children()
  // Keeps the threads that repositories share.
  await using _held = await initRepository(memoryStorage(), {
    password: 'none',
    clock: systemClock,
    random: seededRandom(seed),
    scrypt: { N: 2, r: 1, p: 1 },
  })
  for (let number = 0; number < stories; number += 1) {
    const share = Math.floor((kills * (number + 1)) / stories) - Math.floor((kills * number) / stories)
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-killed-'))
    const ground = new KilledGround({ folder, shards: number % 2 === 0 ? 1 : 4, seed: seed + number })
    const story = new Story(children, ground, share, (kind, told) => {
      killed[kind] += 1
      onKill(told)
    })
    try {
      await story.tell()
    } catch (error) {
      throw new Error(`seed ${seed}, story ${number}: ${story.told}`, { cause: error })
    } finally {
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
    }
    resumed += story.resumed
  }
  const total = Object.values(killed).reduce((sum, each) => sum + each, 0)
  return { kills: total, killed, resumed }
}

/** Sessions of backup with upkeep between them and in the middle of them, each killed and begun again until it is done. */
class Story {
  readonly #children: Children
  readonly #ground: KilledGround
  readonly #chance: Random
  readonly #onKill: (kind: Task['kind'], told: string) => void
  readonly #lines: string[] = []
  /** What changes the newest point: to be done again without a kill. */
  readonly #tasks: (BackupOrder | RemovalOrder)[] = []
  #sessions = 0
  #left: number
  #examined = 0
  #upkeep = 0
  resumed = 0

  constructor(
    children: Children,
    ground: KilledGround,
    kills: number,
    onKill: (kind: Task['kind'], told: string) => void,
  ) {
    this.#children = children
    this.#ground = ground
    this.#left = kills
    this.#chance = seededRandom(ground.seed)
    this.#onKill = onKill
  }

  get told(): string {
    return this.#lines.join('; ')
  }

  async tell(): Promise<void> {
    await this.#session()
    while (this.#left > 0) {
      await this.#keepUp()
      if (this.#left > 0) await this.#session()
    }
    await this.#examine({ isOver: true }, { readData: true })
    await this.#compareWithUndisturbed()
  }

  async #session(): Promise<void> {
    const round = this.#sessions++
    const full = round > 0 && this.#chance.fraction() < 0.3
    const sessionId = `session-${round}`
    const session = { kind: 'backup', round, sessionId, attempt: 0, full } as const
    this.#tasks.push(session)
    let tokens: ReadonlyMap<string, string | undefined> = new Map()
    for (let attempt = 0; ; attempt += 1) {
      const outcome = await this.#try({ ...session, attempt }, attempt < MOST_KILLS_OF_A_SESSION)
      this.#checkReadings(sessionId, attempt, tokens)
      await this.#examine({ isOver: outcome === 'ended' })
      if (outcome === 'ended') return
      tokens = await this.#ground.savedTokens(sessionId)
      // While a session waits to go on.
      if (this.#left > 0 && this.#chance.fraction() < 0.15) await this.#retention()
    }
  }

  #checkReadings(sessionId: string, attempt: number, tokens: ReadonlyMap<string, string | undefined>): void {
    for (const { key, folder, token } of this.#ground.readings(sessionId, attempt)) {
      const saved = `${key} ${folder}`
      if (!tokens.has(saved)) continue
      this.resumed += 1
      assert.equal(token, tokens.get(saved), `${saved} goes on from its save point`)
    }
  }

  /** Between sessions. */
  async #keepUp(): Promise<void> {
    const kinds = [
      () => this.#retention(),
      () => this.#untilDone({ kind: 'copy' }, {}),
      () => this.#removal(),
      () => this.#repair(),
    ]
    await kinds[this.#upkeep++ % kinds.length]!()
  }

  async #retention(): Promise<void> {
    const forget = this.#ground.points.filter((point, _, all) => {
      const later = all.filter((other) => other.startsWith(point.split(' ')[0]!) && other > point)
      return later.length >= KEPT_POINTS
    })
    await this.#untilDone({ kind: 'retention', forget, graceMs: 0 }, { mayGo: new Set(forget) })
  }

  async #removal(): Promise<void> {
    const user = USERS[Math.floor(this.#chance.fraction() * USERS.length)]!
    const task = { kind: 'removal', runId: `removal-${this.#upkeep}`, user } as const
    this.#tasks.push(task)
    await this.#untilDone(task, { mayChange: true, mayGo: new Set(this.#pointsOf(user)) })
  }

  /** Points that hold nothing of anybody else. */
  #pointsOf(user: string): string[] {
    const { shards, points } = this.#ground
    const shard = shardOf(user, shards)
    if (USERS.some((other) => other !== user && shardOf(other, shards) === shard)) return []
    return points.filter((point) => point.startsWith(`${shard} `))
  }

  /** An index file of each shard is lost before. */
  async #repair(): Promise<void> {
    for (let shard = 0; shard < this.#ground.shards; shard += 1) {
      const folder = join(shardFolder(this.#ground, shard), 'index')
      const names = readdirSafely(folder)
      const lost = names[Math.floor(this.#chance.fraction() * names.length)]
      if (lost !== undefined) rmSync(join(folder, lost))
    }
    await this.#untilDone({ kind: 'repair' }, 'damaged')
  }

  /** What is damaged is looked at when it is repaired. */
  async #untilDone(task: Task, licence: Omit<Licence, 'isOver'> | 'damaged'): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      const outcome = await this.#try(task, attempt < MOST_KILLS_OF_UPKEEP)
      const isOver = outcome === 'ended'
      if (licence !== 'damaged') await this.#examine({ ...licence, isOver })
      else if (isOver) await this.#examine({ isOver })
      if (isOver) return
    }
  }

  async #try(task: Task, mayKill: boolean): Promise<'killed' | 'ended'> {
    const death = mayKill && this.#left > 0 ? dieSomehow(this.#chance, task.kind) : undefined
    this.#lines.push(`${task.kind} ${JSON.stringify(death ?? 'to the end')}`)
    const outcome = await this.#children.run(this.#order(task, this.#ground.folder), death)
    if (outcome === 'ended') return 'ended'
    this.#left -= 1
    this.#lines.push('killed')
    this.#onKill(task.kind, `${task.kind} ${JSON.stringify(death satisfies Death)}`)
    return 'killed'
  }

  #order(task: Task, folder: string): Order {
    const { shards, seed } = this.#ground
    return { folder, shards, seed, task }
  }

  async #examine(licence: Licence, { readData = false } = {}): Promise<void> {
    this.#examined += 1
    const isTurn = this.#examined % READ_DATA_EVERY === 0
    await this.#ground.examine(licence, this.#chance, { readData: readData || isTurn })
  }

  /** The same sessions without a kill end with the same files. */
  async #compareWithUndisturbed(): Promise<void> {
    const { folder, shards, seed } = this.#ground
    const undisturbed = new KilledGround({ folder: join(folder, 'undisturbed'), shards, seed })
    for (const task of this.#tasks)
      assert.equal(await this.#children.run(this.#order(task, undisturbed.folder), undefined), 'ended')
    const [found, expected] = [await this.#ground.newestFiles(), await undisturbed.newestFiles()]
    const paths = new Set([...Object.keys(found), ...Object.keys(expected)])
    const different = [...paths].filter((path) => found[path] !== expected[path])
    assert.deepEqual(different, [], 'files are as they are without a kill')
  }
}

const readdirSafely = (folder: string): string[] => {
  try {
    return readdirSync(folder).sort()
  } catch {
    return []
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { kills: { type: 'string', default: '500' }, seed: { type: 'string', default: '1' } },
  })
  let told = 0
  const report = await killAll({
    kills: Number(values.kills),
    seed: Number(values.seed),
    onKill: (line) => console.log(`${(told += 1)} ${line}`),
  })
  console.log(JSON.stringify({ seed: Number(values.seed), ...report }))
}
