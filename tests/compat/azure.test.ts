import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { seededRandom, Secret, systemClock } from '#base'
import { initRepository, openRepository, type Repository } from '#repository'
import { azureStorage } from '#storage'
import { collect, TEST_OPTIONS, temporaryFolder } from '../../src/repository/tests/fixtures.ts'
import { serverCertificate } from '../../src/server/certificate.ts'
import { startAzurite, type Azurite } from '../../src/storage/tests/azurite.ts'

const run = promisify(execFile)
const HOST = 'practice.blob.core.windows.net'

interface Cloud extends AsyncDisposable {
  readonly azurite: Azurite
  readonly caFile: string
  /** Runs stock restic on a container, as its users do: it knows the account's name and key alone. */
  restic(container: string, ...args: string[]): Promise<string>
}

/** Stock restic only goes to Azure's own host, so a proxy takes it to the emulator, which has a certificate of that name. */
const startCloud = async (): Promise<Cloud> => {
  const files = await temporaryFolder()
  const folder = files.path
  const config = { dataFolder: folder, names: [HOST] } as unknown as Parameters<typeof serverCertificate>[0]
  const { caFile } = await serverCertificate(config, systemClock, seededRandom(5))
  const certificate = { certFile: caFile, keyFile: caFile.replace('.crt', '.key') }
  const azurite = await startAzurite({ certificate })
  const proxy = createServer().on('connect', (request, client) => {
    if (request.url !== `${HOST}:443`) return client.destroy()
    const upstream = connect(azurite.port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connected\r\n\r\n')
      upstream.pipe(client).pipe(upstream)
    })
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const)
      one.on('error', () => other.destroy()).on('close', () => other.destroy())
    return undefined
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const { accountName, credential } = azurite.account
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    HTTPS_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    AZURE_ACCOUNT_NAME: accountName,
    AZURE_ACCOUNT_KEY: 'accountKey' in credential ? credential.accountKey.reveal() : '',
    RESTIC_PASSWORD: TEST_OPTIONS.password,
  }
  return {
    azurite,
    caFile,
    restic: async (container, ...args) => {
      const at = ['--no-cache', '--cacert', caFile, '-r', `azure:${container}:/backups`]
      return (await run('restic', [...at, ...args], { env, maxBuffer: 1 << 26 })).stdout
    },
    [Symbol.asyncDispose]: async () => {
      proxy.closeAllConnections()
      proxy.close()
      await azurite[Symbol.asyncDispose]()
      await files[Symbol.asyncDispose]()
    },
  }
}

let cloud: Cloud
beforeAll(async () => {
  cloud = await startCloud()
}, 30_000)
afterAll(async () => {
  await cloud?.[Symbol.asyncDispose]()
})

const noise = (seed: number, length: number): Buffer => {
  const bytes = Buffer.alloc(length)
  const random = seededRandom(seed)
  for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32LE(Math.floor(random.fraction() * 2 ** 32), at)
  return bytes
}

const backUp = (repository: Repository, files: ReadonlyMap<string, Uint8Array>) =>
  repository.withWriter(async (writer) => {
    const tree = writer.edit()
    for (const [path, bytes] of files)
      await tree.putFile(path, { ...(await writer.saveFile([bytes])), modifiedAt: new Date(0) })
    const root = (await tree.save())!
    return writer.saveSnapshot({ time: new Date(1_750_000_000_000), tree: root, paths: ['/'], tags: [] })
  })

describe('a repository in Azure', () => {
  it('lives there: made, written, read, pruned; and stock restic reads it from there', async () => {
    const { containerName: container } = await cloud.azurite.newContainer()
    const ca = await readFile(cloud.caFile, 'utf8')
    await using storage = azureStorage({ ...cloud.azurite.account, ca, container, folder: 'backups' })
    const files = new Map<string, Uint8Array>([
      ['users/alice/mail/one.eml', Buffer.from('Subject: one\r\n\r\n')],
      ['users/alice/onedrive/noise.bin', noise(1, 3_000_000)],
    ])
    {
      await using repository = await initRepository(storage, TEST_OPTIONS)
      const old = await backUp(repository, new Map([['old.bin', noise(2, 2_000_000)]]))
      await backUp(repository, files)
      await repository.forget([old.id])
      await repository.prune({ keepTrees: [] })
    }
    await using repository = await openRepository(storage, TEST_OPTIONS)
    expect((await repository.check({ readData: true })).problems).toEqual([])
    const [snapshot] = await repository.snapshots()
    const entry = await repository.entryAt(snapshot!.tree, 'users/alice/onedrive/noise.bin')
    if (entry?.type !== 'file') throw new Error('not a file')
    expect(Buffer.compare(await collect(repository.readFile(entry)), noise(1, 3_000_000))).toBe(0)

    expect(await cloud.restic(container, 'check', '--read-data')).toContain('no errors were found')
    const dump = await cloud.restic(container, 'dump', 'latest', 'users/alice/mail/one.eml')
    expect(dump).toBe('Subject: one\r\n\r\n')
  }, 60_000)

  it('that stock restic made is ours to read', async () => {
    const { containerName: container } = await cloud.azurite.newContainer()
    await cloud.restic(container, 'init')
    await cloud.restic(container, 'backup', '--host', 'h', new URL('.', import.meta.url).pathname)
    const ca = await readFile(cloud.caFile, 'utf8')
    await using storage = azureStorage({ ...cloud.azurite.account, ca, container, folder: 'backups' })
    await using repository = await openRepository(storage, TEST_OPTIONS)
    expect(await repository.check({ readData: true })).toMatchObject({ snapshots: 1, problems: [] })
  }, 60_000)

  it('is not reached by who does not trust its certificate', async () => {
    await using storage = azureStorage({
      ...cloud.azurite.account,
      credential: { accountKey: new Secret('bm90IHNlbnQ=') },
      container: 'container-1',
    })
    await expect(storage.stat('config')).rejects.toMatchObject({
      code: 'denied',
      message: expect.stringContaining('certificate not trusted') as string,
    })
  })
})
