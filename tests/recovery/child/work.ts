// One piece of work in a process of its own, to be killed at any moment. It waits for an order, says `begun`, and says
// `ended` when it is over.
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isHoldfastError, systemClock, systemRandom } from '#base'
import { initRepository, openRepository, type Repository } from '#repository'
import type { Storage } from '#storage'
import { backUp } from './back-up.ts'
import { deadlyStorages, die } from './deadly-storage.ts'
import { COPY_PASSWORD, copyFolder, type Order, PASSWORD, shardFolder } from './order.ts'
import { copy, type OpenShard, removePerson, repair, retain } from './upkeep.ts'

const optionsWith = (password: string) => ({
  password,
  clock: systemClock,
  random: systemRandom,
  scrypt: { N: 2, r: 1, p: 1 },
})

const openOrMake = async (storage: Storage, password: string): Promise<Repository> => {
  try {
    return await openRepository(storage, optionsWith(password))
  } catch (error) {
    if (!isHoldfastError(error, 'not-found')) throw error
  }
  for await (const file of storage.list('keys')) await storage.remove(file.path)
  return initRepository(storage, optionsWith(password))
}

class Work implements AsyncDisposable {
  readonly #order: Order
  readonly #storage: (root: string) => Storage
  readonly #open = new Map<number, Promise<Repository>>()

  constructor(order: Order) {
    this.#order = order
    this.#storage = deadlyStorages(order.death)
  }

  async do(): Promise<void> {
    const { task } = this.#order
    switch (task.kind) {
      case 'backup':
        return backUp(this.#order, task, { open: (shard) => this.#shard(shard), say })
      case 'retention':
        return retain(this.#order, task, await this.#made())
      case 'removal':
        return removePerson(this.#order, task, await this.#made())
      case 'copy':
        return copy(await this.#made(), (shard) => this.#copy(shard))
      case 'repair':
        return repair(await this.#made())
    }
  }

  #shard(shard: number): Promise<Repository> {
    const there =
      this.#open.get(shard) ?? openOrMake(this.#storage(shardFolder(this.#order, shard)), PASSWORD)
    this.#open.set(shard, there)
    return there
  }

  async #copy(shard: number): Promise<Repository> {
    return openOrMake(this.#storage(copyFolder(this.#order, shard)), COPY_PASSWORD)
  }

  async #made(): Promise<OpenShard[]> {
    const made: OpenShard[] = []
    for (let shard = 0; shard < this.#order.shards; shard += 1)
      if (existsSync(join(shardFolder(this.#order, shard), 'config')))
        made.push({ shard, repository: await this.#shard(shard) })
    return made
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const opening of this.#open.values()) await (await opening)[Symbol.asyncDispose]()
  }
}

const say = (what: string): void => {
  if (process.connected) process.send!(what)
}

const dieUnseen = async (): Promise<never> => {
  await new Promise<void>((resolve) => process.send!('done', () => resolve()))
  return die()
}

const work = async (order: Order): Promise<void> => {
  await mkdir(order.folder, { recursive: true })
  say('begun')
  await using work = new Work(order)
  await work.do()
  if (order.isDoomed) await dieUnseen()
}

process.once('message', (order: Order) => {
  work(order)
    .then(
      () => say('ended'),
      (error: unknown) => say(`failed: ${error instanceof Error ? error.stack : String(error)}`),
    )
    .finally(() => process.disconnect())
})
