import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { Random } from '#base'
import type { DeathAtCall, Order } from './child/order.ts'

/** When a process is to die: so long after it said something, or at a call of its storage. */
export type Death =
  { readonly after: 'begun' | 'reading' | 'saved'; readonly ms: number } | DeathAtCall | undefined

/** At a call of the storage as often as at any other time. */
export const dieSomehow = (chance: Random, kind: Order['task']['kind']): Death => {
  const [how, amount, moment] = [chance.fraction(), chance.fraction(), chance.fraction()]
  const upTo = (most: number): number => 1 + Math.floor(amount * most)
  const isBackup = kind === 'backup'
  if (how < 0.4) {
    const at = moment < 0.4 ? 'half' : moment < 0.7 ? 'before' : 'after'
    return { call: 'write', number: upTo(isBackup ? 9 : 5), moment: at }
  }
  if (how < 0.6 && (kind === 'retention' || kind === 'removal'))
    return { call: 'remove', number: upTo(8), moment: moment < 0.5 ? 'before' : 'after' }
  if (!isBackup) return { after: 'begun', ms: upTo(700) }
  if (how < 0.5) return { after: 'begun', ms: upTo(300) }
  return how < 0.7 ? { after: 'reading', ms: upTo(350) } : { after: 'saved', ms: upTo(200) }
}

/** Processes that are ready for an order: the next one gets ready while this one works. */
export class Children implements AsyncDisposable {
  #next = this.#start()

  #start(): ChildProcess {
    return fork('tests/recovery/child/work.ts', { execArgv: ['--disable-warning=ExperimentalWarning'] })
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
    child.send(death !== undefined && 'call' in death ? { ...order, death } : order)
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
