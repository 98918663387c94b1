import { once } from 'node:events'
import { createServer, request as send, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { FixedClock, seededRandom, silentLogger, systemRandom } from '#base'
import { azureStorage, retrying, type Storage } from '#storage'
import { clock, keepWorkers } from '../../src/engine/backup/tests/backup-world.ts'
import { ShardedWorld } from '../../src/engine/backup/tests/sharded-world.ts'
import { ownedStorage } from '../../src/engine/repositories/owned-storage.ts'
import { OwnerLease } from '../../src/engine/repositories/owner-lease.ts'
import { startAzurite, type Azurite } from '../../src/storage/tests/azurite.ts'

const SEED = 429
/** Refused of a hundred requests. */
const REFUSED = 15

let azurite: Azurite
beforeAll(async () => {
  azurite = await startAzurite()
}, 30_000)
afterAll(async () => {
  await azurite?.[Symbol.asyncDispose]()
})

keepWorkers()

const REFUSALS = [
  { status: 503, code: 'ServerBusy' },
  { status: 429, code: 'TooManyRequests' },
  { status: 500, code: 'InternalError' },
] as const

/** Stands before the emulator and refuses requests, as Azure does where an account is at its limits. */
class BusyAccount implements AsyncDisposable {
  readonly refused = new Map<number, number>()
  isBusy = true
  readonly #random = seededRandom(SEED)
  readonly #server: Server
  readonly #port: number

  private constructor(port: number) {
    this.#port = port
    this.#server = createServer((request, answer) => {
      const drawn = this.#random.fraction() * 100
      if (!this.isBusy || drawn >= REFUSED) return this.#pass(request, answer)
      const { status, code } = REFUSALS[Math.floor((drawn / REFUSED) * REFUSALS.length)]!
      this.refused.set(status, (this.refused.get(status) ?? 0) + 1)
      request.resume().on('end', () => answer.writeHead(status, { 'x-ms-error-code': code }).end())
      return undefined
    })
  }

  static async before(port: number): Promise<BusyAccount> {
    const account = new BusyAccount(port)
    account.#server.listen(0, '127.0.0.1')
    await once(account.#server, 'listening')
    return account
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/${azurite.account.accountName}`
  }

  #pass(request: IncomingMessage, answer: import('node:http').ServerResponse): void {
    const { method, url: path, headers } = request
    const passed = send({ host: '127.0.0.1', port: this.#port, method, path, headers }, (response) => {
      answer.writeHead(response.statusCode!, response.headers)
      response.pipe(answer)
    })
    passed.on('error', () => answer.destroy())
    request.pipe(passed)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

it('runs end well in an account that is too busy all the time, and lose nothing', async () => {
  await using busy = await BusyAccount.before(azurite.port)
  const { containerName: container } = await azurite.newContainer()
  const { endpoint } = busy
  await using stack = new AsyncDisposableStack()
  // As the server connects; the waits are not waited for.
  const place = (_: Storage, shard: number): Storage => {
    const storage = stack.use(azureStorage({ ...azurite.account, endpoint, container, folder: `s${shard}` }))
    return retrying(storage, { clock: new FixedClock(0), random: seededRandom(shard) })
  }
  await using world = await ShardedWorld.of(1, place)
  const mailbox = world.mailbox('meg').folder('in', 'Inbox')
  const drive = world.drive('meg').folder('d', 'Docs')
  const expected: string[] = []
  for (let round = 1; round <= 3; round += 1) {
    clock.advance(60_000)
    mailbox.put(`m${round}`, 'in', {}, [{ name: 'photo', bytes: Buffer.alloc(300_000, round) }])
    drive.file(`f${round}`, `file ${round}`, 'd', `content ${round}`)
    await world.run()
    expected.push(`file ${round}`)
  }
  await world.repository.forget([(await world.repository.snapshots())[0]!.id])
  await world.repository.prune({ keepTrees: [], leaveNoWaste: true })
  expect((await world.repository.check({ readData: true })).problems).toEqual([])
  const paths = await world.paths()
  expect(paths.filter((path) => path.includes('/onedrive/')).map((path) => path.split('/').at(-1))).toEqual(
    expected,
  )
  expect(paths.filter((path) => path.endsWith('.eml'))).toHaveLength(3)
  expect(await world.repository.snapshots()).toHaveLength(2)
  for (const { status } of REFUSALS) expect(busy.refused.get(status), `${status}`).toBeGreaterThan(2)
}, 60_000)

it('of two servers on one container one writes, until the other one is told to take it over', async () => {
  await using busy = await BusyAccount.before(azurite.port)
  const { containerName: container } = await azurite.newContainer()
  await using stack = new AsyncDisposableStack()
  const servers = ['one', 'two'].map((server) => {
    const account = { ...azurite.account, endpoint: busy.endpoint, container, folder: 'backups' }
    const clock = new FixedClock('2026-03-01T10:00:00Z')
    const storage = retrying(stack.use(azureStorage(account)), { clock, random: seededRandom(server.length) })
    const owner = { server, name: `host-of-${server}`, instance: systemRandom.uuid(), pid: 1 }
    const time = { steady: 0 }
    const parts = { clock, random: systemRandom, log: silentLogger, owner, steadyMs: () => time.steady }
    const lease = new OwnerLease(parts, storage, 'Main')
    return { bare: storage, lease, storage: ownedStorage(storage, lease), time }
  })
  const [one, two] = servers
  const write = (server: typeof one, path: string) => server!.storage.write(path, [Buffer.from('x')])
  await write(one, 'first')
  await expect(write(two, 'a')).rejects.toThrow(/belongs to the server on host-of-one/)
  // The storage tells when the record was written: a moment ago.
  await expect(two!.lease.take('left')).rejects.toThrow(/it is at work/)
  for (const [minutes, path] of [
    [3, 'second'],
    [6, 'third'],
  ] as const) {
    one!.time.steady = minutes * 60_000
    await write(one, path)
  }
  await two!.lease.take('any')
  await write(two, 'a')
  one!.time.steady += 3 * 60_000
  await expect(write(one, 'b')).rejects.toThrow(/taken over by the server on host-of-two/)
  const records = (await Array.fromAsync(one!.bare.list('.holdfast/owner'))).map(({ path }) => path)
  expect(records).toEqual(['.holdfast/owner/000000000004'])
  expect((await Array.fromAsync(one!.bare.list(''))).map(({ path }) => path)).not.toContain('b')
}, 60_000)
