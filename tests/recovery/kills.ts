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
import { type BackupOrder, type RemovalOrder, shardFolder, type Task } from './child/order.ts'
import { USERS } from './child/scripted-source.ts'
import { Children, type Death, dieForSure, type Outcome } from './children.ts'
import { KilledGround, type Licence } from './killed-ground.ts'

export interface Kills {
  readonly kills: number
  readonly seed: number
  /** Told of each kill. */
  readonly onKill?: (told: string) => void
}

export interface KillReport {
  readonly kills: number
  /** In the midst of work of each kind. */
  readonly killed: Readonly<Record<Task['kind'], number>>
  /** The others: when all was done, before it was told. */
  readonly killedWhenDone: number
  /** Readings of the service that went on from a save point. */
  readonly resumed: number
}

/** Then a repository is done with, so that none grows without end. */
const MOST_KILLS_OF_A_STORY = 40
const KILLS_OF_A_SESSION = 3
const KILLS_OF_UPKEEP = 2
/** In the midst of a session of each so many. */
const RETENTION_EVERY = 3
const KEPT_POINTS = 2
/** All bytes are read by restic after each so many examinations. */
const READ_DATA_EVERY = 10

/**
 * Half of the stories are told in one shard, half in four. How many kills work of each kind gets does not depend on how fast
 * the machine is: who is to be killed is killed, at the latest when it is done, and the first time within what it surely does.
 */
export const killAll = async ({ kills, seed, onKill = () => {} }: Kills): Promise<KillReport> => {
  const killed = { backup: 0, retention: 0, removal: 0, copy: 0, repair: 0 }
  let [resumed, killedWhenDone] = [0, 0]
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
    const story = new Story(children, ground, share, (kind, { isDone, told }) => {
      if (isDone) killedWhenDone += 1
      else killed[kind] += 1
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
  const total = Object.values(killed).reduce((sum, each) => sum + each, killedWhenDone)
  return { kills: total, killed, killedWhenDone, resumed }
}

type OnKill = (kind: Task['kind'], kill: { readonly isDone: boolean; readonly told: string }) => void

/** Sessions of backup with upkeep between them and in the middle of them, each killed and begun again until it is done. */
class Story {
  readonly #children: Children
  readonly #ground: KilledGround
  readonly #chance: Random
  readonly #onKill: OnKill
  readonly #lines: string[] = []
  /** What changes the newest point: to be done again without a kill. */
  readonly #tasks: (BackupOrder | RemovalOrder)[] = []
  #sessions = 0
  #left: number
  #examined = 0
  #upkeep = 0
  /** Kinds of work of which one was killed. */
  readonly #killed = new Set<Task['kind']>()
  resumed = 0

  constructor(children: Children, ground: KilledGround, kills: number, onKill: OnKill) {
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
    const retainAfter =
      round % RETENTION_EVERY === 2 ? Math.floor(this.#chance.fraction() * KILLS_OF_A_SESSION) : -1
    let tokens: ReadonlyMap<string, string | undefined> = new Map()
    let isDone = false
    for (let attempt = 0; ; attempt += 1) {
      const outcome = await this.#try({ ...session, attempt }, attempt < KILLS_OF_A_SESSION && !isDone)
      isDone ||= outcome === 'killed when done'
      this.#checkReadings(sessionId, attempt, tokens)
      await this.#examine({ isOver: outcome === 'ended' })
      if (outcome === 'ended') return
      tokens = await this.#ground.savedTokens(sessionId)
      // While a session waits to go on.
      if (attempt === retainAfter) await this.#retention(1)
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

  /** Between sessions. Nothing can be forgotten before there are some. */
  async #keepUp(): Promise<void> {
    const kinds = [
      () => this.#untilDone({ kind: 'copy' }, {}),
      () => this.#repair(),
      () => this.#removal(),
      () => this.#retention(),
    ]
    await kinds[this.#upkeep++ % kinds.length]!()
  }

  async #retention(kills = KILLS_OF_UPKEEP): Promise<void> {
    const forget = this.#ground.points.filter((point, _, all) => {
      const later = all.filter((other) => other.startsWith(point.split(' ')[0]!) && other > point)
      return later.length >= KEPT_POINTS
    })
    await this.#untilDone({ kind: 'retention', forget, graceMs: 0 }, { mayGo: new Set(forget) }, kills)
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
  async #untilDone(
    task: Task,
    licence: Omit<Licence, 'isOver'> | 'damaged',
    kills = KILLS_OF_UPKEEP,
  ): Promise<void> {
    let isDone = false
    for (let attempt = 0; ; attempt += 1) {
      const outcome = await this.#try(task, attempt < kills && !isDone)
      const isOver = outcome === 'ended'
      isDone ||= outcome === 'killed when done'
      if (licence !== 'damaged') await this.#examine({ ...licence, isOver })
      else if (isOver) await this.#examine({ isOver })
      if (isOver) return
    }
  }

  async #try(task: Task, mayKill: boolean): Promise<Outcome> {
    const death = mayKill && this.#left > 0 ? this.#death(task.kind) : undefined
    const told = `${task.kind} ${JSON.stringify(death ?? 'to the end')}`
    this.#lines.push(told)
    const outcome = await this.#children.run(this.#ground, task, death)
    if (outcome === 'ended') return 'ended'
    this.#left -= 1
    this.#killed.add(task.kind)
    this.#lines.push(outcome)
    const isDone = outcome === 'killed when done'
    this.#onKill(task.kind, { isDone, told: isDone ? `${told} when done` : told })
    return outcome
  }

  #death(kind: Task['kind']): Death {
    if (!this.#killed.has(kind)) return dieForSure(this.#chance, kind)
    return this.#children.dieSomehow(this.#chance, kind)
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
    for (const task of this.#tasks) assert.equal(await this.#children.run(undisturbed, task), 'ended')
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
