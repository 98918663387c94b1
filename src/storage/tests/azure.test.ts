import { createServer, type Server, type ServerResponse } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FixedClock, Secret, seededRandom } from '#base'
import { azureCloudAccount, azureEndpoint, azureStorage, retrying, type Storage } from '../index.ts'
import { startAzurite, type Azurite } from './azurite.ts'
import { storageConformance } from './conformance.ts'

let azurite: Azurite
beforeAll(async () => {
  azurite = await startAzurite()
}, 30_000)
afterAll(async () => {
  await azurite?.[Symbol.asyncDispose]()
})

const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, at) => (at * 7) & 255)
const pathsOf = async (storage: Storage, folder: string): Promise<string[]> => {
  const paths: string[] = []
  for await (const file of storage.list(folder)) paths.push(file.path)
  return paths.sort()
}

storageConformance('azure', async () =>
  azureStorage({ ...azurite.account, container: (await azurite.newContainer()).containerName }),
)
storageConformance('azure, in a folder', async () =>
  azureStorage({
    ...azurite.account,
    container: (await azurite.newContainer()).containerName,
    folder: 'backups/first',
  }),
)

describe('azure storage', () => {
  it('keeps to its folder', async () => {
    const container = await azurite.newContainer()
    const { containerName } = container
    await using storage = azureStorage({ ...azurite.account, container: containerName, folder: 'mine' })
    await container.getBlockBlobClient('mine-not/a').upload('x', 1)
    await storage.write('config', [bytes(3)])
    expect(await pathsOf(storage, '')).toEqual(['config'])
    expect(await container.getBlockBlobClient('mine/config').exists()).toBe(true)
  })

  it('lists page after page', async () => {
    const { containerName: container } = await azurite.newContainer()
    await using storage = azureStorage({ ...azurite.account, container, pageSize: 4 })
    const names = Array.from({ length: 13 }, (_, at) => `data/${String(at).padStart(5, '0')}`)
    for (const name of names) await storage.write(name, [])
    expect(await pathsOf(storage, 'data')).toEqual(names)
  })

  it('stores packs in the tier that was chosen, and nothing else', async () => {
    const container = await azurite.newContainer()
    const { containerName } = container
    await using storage = azureStorage({ ...azurite.account, container: containerName, tier: 'Cold' })
    await storage.write('contoso/s00/data/aa/pack', [bytes(10)])
    await storage.write('contoso/s00/locks/one', [bytes(10)])
    const tierOf = async (path: string) =>
      (await container.getBlockBlobClient(path).getProperties()).accessTier
    expect(await tierOf('contoso/s00/data/aa/pack')).toBe('Cold')
    expect(await tierOf('contoso/s00/locks/one')).toBe('Hot')
  })

  it('does not take what stands for a folder for a file', async () => {
    const container = await azurite.newContainer()
    await using storage = azureStorage({ ...azurite.account, container: container.containerName })
    await container.getBlockBlobClient('data').upload('', 0, { metadata: { hdi_isfolder: 'true' } })
    await storage.write('data/aa/pack', [bytes(10)])
    expect(await pathsOf(storage, '')).toEqual(['data/aa/pack'])
  })

  it('says that a container is missing rather than that it is empty', async () => {
    await using storage = azureStorage({ ...azurite.account, container: 'no-such-container' })
    const missing = { code: 'not-found', reason: 'ContainerNotFound' }
    await expect(storage.write('a', [bytes(1)])).rejects.toMatchObject(missing)
    await expect(storage.read('a')).rejects.toMatchObject(missing)
    await expect(storage.stat('a')).rejects.toMatchObject({ code: 'not-found' })
    await expect(pathsOf(storage, '')).rejects.toMatchObject(missing)
    await expect(storage.remove('a')).rejects.toMatchObject(missing)
  })

  it('opens with a shared access signature, and may then do what that allows', async () => {
    const container = await azurite.newContainer()
    const { ContainerSASPermissions } = await import('@azure/storage-blob')
    const url = await container.generateSasUrl({
      permissions: ContainerSASPermissions.parse('rl'),
      expiresOn: new Date('2099-01-01'),
    })
    const sharedAccessSignature = new Secret(new URL(url).search)
    const { accountName, endpoint } = azurite.account
    await using storage = azureStorage({
      accountName,
      endpoint: endpoint!,
      credential: { sharedAccessSignature },
      container: container.containerName,
    })
    await container.getBlockBlobClient('a').upload('abc', 3)
    expect(await storage.read('a')).toHaveLength(3)
    const failure = await storage.write('b', [bytes(1)]).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'denied' })
    expect(String(failure)).not.toContain(new URLSearchParams(sharedAccessSignature.reveal()).get('sig'))
  })

  it('says denied for a wrong key, without the key or what was signed', async () => {
    const accountKey = new Secret(Buffer.from('not the key of this account').toString('base64'))
    await using storage = azureStorage({
      ...azurite.account,
      credential: { accountKey },
      container: 'container-1',
    })
    const failure = await storage.read('a').catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'denied', message: 'cannot read a: AuthorizationFailure' })
    expect(failure).not.toHaveProperty('cause')
  })

  it.each(['UPPER', 'a', 'two--hyphens', '-first', 'under_score', 'a/b', ''])(
    'refuses the container name %j before it asks',
    (container) => {
      expect(() => azureStorage({ ...azurite.account, container })).toThrow('3 to 63')
    },
  )
})

describe('an account of azure', () => {
  it('shows its containers and their folders, and makes folders that it then shows', async () => {
    const container = await azurite.newContainer()
    await using account = azureCloudAccount(azurite.account)
    await container.getBlockBlobClient('used/config').upload('x', 1)
    await container.getBlockBlobClient('file').upload('x', 1)
    await account.makeFolder(container.containerName, 'new')
    await account.makeFolder(container.containerName, 'new')
    await account.makeFolder(container.containerName, 'used')
    expect(await account.folders(container.containerName)).toEqual(['new', 'used'])
    expect(await account.containers()).toContainEqual({ name: container.containerName })
    expect(await account.container(container.containerName)).toEqual({ name: container.containerName })
    await expect(account.container('not-there')).rejects.toMatchObject({ code: 'not-found' })
    await expect(account.folders('not-there')).rejects.toMatchObject({ code: 'not-found' })
  })

  it('has the default hosts of three clouds, or its own', () => {
    const accountName = 'contoso'
    expect(azureEndpoint({ accountName })).toBe('https://contoso.blob.core.windows.net')
    expect(azureEndpoint({ accountName, cloud: 'China' })).toBe('https://contoso.blob.core.chinacloudapi.cn')
    expect(azureEndpoint({ accountName, cloud: 'USGovernment' })).toBe(
      'https://contoso.blob.core.usgovcloudapi.net',
    )
    expect(azureEndpoint({ accountName, cloud: 'China', endpoint: 'https://own/' })).toBe('https://own')
  })
})

describe('a bad day of azure', () => {
  let server: Server
  let requests = 0
  let answer: (response: ServerResponse) => void = () => undefined
  let endpoint = ''
  beforeAll(async () => {
    server = createServer((request, response) => {
      requests += 1
      request.resume()
      request.on('end', () => answer(response))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    endpoint = typeof address === 'object' ? `http://127.0.0.1:${address?.port}/practice` : ''
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })
  const storageAt = (url: string, timeoutMs = 10_000): Storage =>
    azureStorage({ ...azurite.account, endpoint: url, container: 'any', timeoutMs })

  it.each([
    [503, 'ServerBusy', 'throttled'],
    [429, 'TooManyRequests', 'throttled'],
    [500, 'InternalError', 'unavailable'],
    [500, 'OperationTimedOut', 'timeout'],
    [409, 'BlobImmutableDueToPolicy', 'denied'],
    [409, 'BlobAlreadyExists', 'conflict'],
    [409, 'ContainerBeingDeleted', 'unavailable'],
    [403, 'AccountIsDisabled', 'denied'],
    [413, 'RequestBodyTooLarge', 'too-large'],
    [507, 'InsufficientStorage', 'full'],
    [400, 'Md5Mismatch', 'unavailable'],
    [307, 'Elsewhere', 'unavailable'],
  ])('takes %i %s for %s, after one request', async (status, reason, code) => {
    answer = (response) =>
      response
        .writeHead(status, {
          'x-ms-error-code': reason,
          'retry-after': '7',
          location: `${endpoint}/any/elsewhere`,
        })
        .end()
    await using storage = storageAt(endpoint)
    requests = 0
    const failure = await storage.write('data/x', [bytes(9)]).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code, reason, message: `cannot write data/x: ${reason}` })
    if (code === 'throttled') expect(failure).toHaveProperty('retryAfterMs', 7_000)
    expect(requests).toBe(1)
  })

  it('is repeated by the wrapper alone', async () => {
    answer = (response) => response.writeHead(503, { 'x-ms-error-code': 'ServerBusy' }).end()
    requests = 0
    await using inner = storageAt(endpoint)
    const storage = retrying(inner, { clock: new FixedClock(0), random: seededRandom(1), attempts: 3 })
    await expect(storage.stat('a')).rejects.toMatchObject({ code: 'throttled' })
    expect(requests).toBe(3)
  })

  it('is unavailable where nobody listens or the answer breaks off', async () => {
    await using nobody = storageAt('http://127.0.0.1:1/practice')
    await expect(nobody.read('a')).rejects.toMatchObject({ code: 'unavailable', reason: 'ECONNREFUSED' })
    answer = (response) => {
      response.writeHead(200, { 'content-length': '1000' }).write('half')
      setTimeout(() => response.destroy(), 20)
    }
    await using broken = storageAt(endpoint)
    await expect(broken.read('a')).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('is a timeout when no answer comes, and an abort when it is stopped', async () => {
    answer = () => undefined
    await using slow = storageAt(endpoint, 50)
    await expect(slow.stat('a')).rejects.toMatchObject({ code: 'timeout' })
    await using storage = storageAt(endpoint)
    const stop = new AbortController()
    const reading = storage.read('a', undefined, stop.signal)
    stop.abort(new Error('stopped by a person'))
    await expect(reading).rejects.toThrow('stopped by a person')
  })
})
