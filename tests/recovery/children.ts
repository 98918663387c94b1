import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import type { Random } from '#base'
import type { DeathAtCall, Ground, Task } from './child/order.ts'

/** When a process is to die: so long after it said something, or at a call of its storage. */
export type Death = { readonly after: 'begun' | 'reading' | 'saved'; readonly ms: number } | DeathAtCall

/** `done`: it died when all was done, before it could say so. */
export type Outcome = 'killed' | 'killed when done' | 'ended'

/** Calls that work of each kind makes whatever there is to do. */
const SURE_CALLS = { backup: 12, retention: 12, removal: 12, copy: 12, repair: 12 }
const FIRST_GUESS_MS = 600

/** Among the calls that surely come, however fast the machine is. */
export const dieForSure = (chance: Random, kind: Task['kind']): Death => ({
  call: 'any',
  number: 1 + Math.floor(chance.fraction() * SURE_CALLS[kind]),
  moment: chance.fraction() < 0.5 ? 'before' : 'after',
})

/** Processes that are ready for an order: the next one gets ready while this one works. */
export class Children implements AsyncDisposable {
  /** What they compile, they compile once. */
  readonly #compiled = mkdtempSync(join(tmpdir(), 'holdfast-compiled-'))
  readonly #took = new Map<Task['kind'], number>()
  #next = this.#start()

  #start(): { readonly child: ChildProcess; readonly over: Promise<[number | null, string | null]> } {
    const child = fork('tests/recovery/child/work.ts', {
      execArgv: ['--disable-warning=ExperimentalWarning'],
      env: { ...process.env, NODE_COMPILE_CACHE: this.#compiled },
    })
    return { child, over: once(child, 'exit') as Promise<[number | null, string | null]> }
  }

  /** At a call of the storage as often as at any other time of as long as such work takes on this machine. */
  dieSomehow(chance: Random, kind: Task['kind']): Death {
    const [how, amount, moment] = [chance.fraction(), chance.fraction(), chance.fraction()]
    const upTo = (most: number): number => 1 + Math.floor(amount * most)
    const isBackup = kind === 'backup'
    if (how < 0.4) {
      const at = moment < 0.4 ? 'half' : moment < 0.7 ? 'before' : 'after'
      return { call: 'write', number: upTo(isBackup ? 9 : 5), moment: at }
    }
    if (how < 0.6 && (kind === 'retention' || kind === 'removal'))
      return { call: 'remove', number: upTo(8), moment: moment < 0.5 ? 'before' : 'after' }
    const tookMs = this.#took.get(kind) ?? FIRST_GUESS_MS
    if (!isBackup || how < 0.5) return { after: 'begun', ms: upTo(0.8 * tookMs) }
    return how < 0.7
      ? { after: 'reading', ms: upTo(0.6 * tookMs) }
      : { after: 'saved', ms: upTo(0.4 * tookMs) }
  }

  /** Does a piece of work: to its end, or without one. */
  async run(ground: Ground, task: Task, death?: Death): Promise<Outcome> {
    const { child, over } = this.#next
    this.#next = this.#start()
    let [last, begun] = ['', 0]
    child.on('message', (said: string) => {
      if (said === 'begun') begun = performance.now()
      if (said === 'ended' || said === 'done' || said.startsWith('failed')) last = said
      if (death !== undefined && 'after' in death && death.after === said)
        void Promise.race([delay(death.ms, undefined, { ref: false }), over]).then(() =>
          child.kill('SIGKILL'),
        )
    })
    const { folder, shards, seed } = ground
    const atCall = death !== undefined && 'call' in death ? death : undefined
    if (child.connected)
      child.send({ folder, shards, seed, task, death: atCall, isDoomed: death !== undefined })
    const [, signal] = await over
    if (last === 'ended' || last === 'done') this.#took.set(task.kind, performance.now() - begun)
    if (last === 'ended') return 'ended'
    if (signal === 'SIGKILL') return last === 'done' ? 'killed when done' : 'killed'
    throw new Error(last === '' ? 'it broke' : last)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#next.child.kill('SIGKILL')
    await this.#next.over
    rmSync(this.#compiled, { recursive: true, force: true, maxRetries: 3 })
  }
}
