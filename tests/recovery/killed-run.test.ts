import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, existsSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { seededRandom, type Random } from '#base'
import { readObjectState } from '../../src/engine/catalogue/object-state.ts'
import type { ObjectProgress } from '../../src/engine/backup/object-draft.ts'
import { fileCheckpoints } from './child/file-checkpoints.ts'
import type { Order } from './child/run.ts'
import { SavedContent } from './saved-content.ts'
import { restic } from './stock-restic.ts'

const SEED = 20261124
const KILLS = 30
const MOST_RUNS = 4 * KILLS
/** Then the session may end, so that others are killed too. */
const MOST_KILLS_OF_A_SESSION = 6

/** When a run is to die: so long after it said something, or in the middle of a write. */
type Death =
  { readonly after: 'begun' | 'reading'; readonly ms: number } | { readonly inWrite: number } | undefined

const dieSomehow = (chance: Random): Death => {
  const [kind, amount] = [chance.fraction(), chance.fraction()]
  if (kind < 0.35) return { inWrite: 1 + Math.floor(amount * 8) }
  if (kind < 0.5) return { after: 'begun', ms: Math.floor(amount * 300) }
  return { after: 'reading', ms: Math.floor(amount * 350) }
}

/** Processes that are ready for an order: the next one gets ready while this one works. */
class Children implements AsyncDisposable {
  #next = this.#start()

  #start(): ChildProcess {
    return fork('tests/recovery/child/run.ts', { execArgv: ['--disable-warning=ExperimentalWarning'] })
  }

  async run(order: Order, death: Death): Promise<'killed' | 'ended'> {
    const child = this.#next
    this.#next = this.#start()
    const over = once(child, 'exit') as Promise<[number | null, string | null]>
    let last = ''
    child.on('message', (said: string) => {
      last = said.startsWith('failed') || said === 'ended' ? said : last
      if (death !== undefined && 'after' in death && death.after === said)
        void Promise.race([delay(death.ms, undefined, { ref: false }), over]).then(() =>
          child.kill('SIGKILL'),
        )
    })
    child.send(death !== undefined && 'inWrite' in death ? { ...order, dieAtWrite: death.inWrite } : order)
    const [, signal] = await over
    if (last === 'ended') return 'ended'
    if (signal === 'SIGKILL') return 'killed'
    throw new Error(last === '' ? 'it broke' : last)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = once(this.#next, 'exit')
    this.#next.kill('SIGKILL')
    await gone
  }
}

interface Reading {
  readonly attempt: number
  readonly key: string
  readonly folder: string
  readonly token?: string
}

/** One folder of runs: a repository, save points, and what was asked of the source. */
class Place {
  readonly folder: string
  readonly repository: { readonly path: string; readonly password: string }

  constructor(folder: string) {
    this.folder = folder
    this.repository = { path: join(folder, 'repository'), password: 'for tests' }
  }

  get hasRepository(): boolean {
    return existsSync(join(this.repository.path, 'config'))
  }

  #lines(sessionId: string): (Reading | { readonly page: string })[] {
    const file = join(this.folder, `${sessionId}.log`)
    if (!existsSync(file)) return []
    const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean)
    return lines.map((line) => JSON.parse(line) as Reading | { readonly page: string })
  }

  pages(sessionId: string): number {
    return this.#lines(sessionId).filter((line) => 'page' in line).length
  }

  readings(sessionId: string, attempt: number): Reading[] {
    return this.#lines(sessionId).filter(
      (line): line is Reading => 'attempt' in line && line.attempt === attempt,
    )
  }

  /** `key folder` → token: where the session has to go on, as its save points say. */
  async savedTokens(
    sessionId: string,
    saved: SavedContent,
  ): Promise<ReadonlyMap<string, string | undefined>> {
    const tokens = new Map<string, string | undefined>()
    for (const [key, progress] of await fileCheckpoints(join(this.folder, 'checkpoints', sessionId)).all()) {
      const { stateTree } = progress as unknown as ObjectProgress
      const { folders, token } = await readObjectState(saved.repository, stateTree)
      tokens.set(`${key} `, token)
      for (const folder of folders) tokens.set(`${key} ${folder.id}`, folder.token)
    }
    return tokens
  }
}

let scratch: string
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'holdfast-killed-'))
})
afterEach(() => {
  rmSync(scratch, { recursive: true, force: true, maxRetries: 3 })
})

it(`a run killed ${KILLS} times loses nothing and goes on from the last saved page`, async () => {
  await using children = new Children()
  const place = new Place(scratch)
  const chance = seededRandom(SEED)
  const story: string[] = []
  const told = (): string => `seed ${SEED}: ${story.join('; ')}`
  const points = new Map<string, string>()
  let tokens: ReadonlyMap<string, string | undefined> = new Map()
  let [kills, round, attempt, resumed] = [0, 0, 0, 0]
  for (let run = 0; (kills < KILLS || attempt > 0) && run < MOST_RUNS; run += 1) {
    const sessionId = `session-${round}`
    const death = kills < KILLS && attempt < MOST_KILLS_OF_A_SESSION ? dieSomehow(chance) : undefined
    const outcome = await children.run({ folder: scratch, seed: SEED, round, sessionId, attempt }, death)
    story.push(`${sessionId} ${outcome} ${JSON.stringify(death)}`)
    for (const { key, folder, token } of place.readings(sessionId, attempt)) {
      const saved = `${key} ${folder}`
      if (!tokens.has(saved)) continue
      resumed += 1
      expect(token, `${saved} goes on from its save point; ${told()}`).toBe(tokens.get(saved))
    }
    if (outcome === 'killed') [kills, attempt] = [kills + 1, attempt + 1]
    else [round, attempt] = [round + 1, 0]
    if (!place.hasRepository) continue
    await using saved = await SavedContent.open(place.repository)
    const now = await saved.points()
    for (const [id, tree] of points)
      expect(now.get(id), `restore point ${id} is as it was; ${told()}`).toBe(tree)
    for (const [id, tree] of now) points.set(id, tree)
    tokens = attempt > 0 ? await place.savedTokens(sessionId, saved) : new Map()
    if (run % 6 === 0) await restic(place.repository, 'check')
  }
  expect({ kills, attempt }, told()).toEqual({ kills: KILLS, attempt: 0 })
  expect(resumed, `save points were used; ${told()}`).toBeGreaterThan(KILLS)

  await restic(place.repository, 'check', '--read-data')
  expect(points.size, `one restore point a session; ${told()}`).toBe(round)
  const undisturbed = new Place(join(scratch, 'undisturbed'))
  for (let each = 0; each < round; each += 1) {
    const order = {
      folder: undisturbed.folder,
      seed: SEED,
      round: each,
      sessionId: `session-${each}`,
      attempt: 0,
    }
    expect(await children.run(order, undefined)).toBe('ended')
  }
  await using saved = await SavedContent.open(place.repository)
  await using expected = await SavedContent.open(undisturbed.repository)
  expect(await saved.newestFiles(), told()).toEqual(await expected.newestFiles())
}, 300_000)
