import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startWorld, type World } from '#world'
import { sharedRadosgw, type Radosgw } from '../../src/storage/tests/radosgw.ts'
import { restic } from '../recovery/stock-restic.ts'
import { addJob, good, logOf, runJob } from './living/backup.ts'
import { runProgram } from './living/processes.ts'

// How the service of an account is spoken to: set by the command line, and proven by backups into a real S3 server. What goes
// wrong on the way (throttling, credentials that end) is done by somebody who stands before that server.
const PASSWORD = 'of the bucket'

interface Row {
  readonly id: string
}

/** What the one in between answers instead of the server: nothing, or a refusal of S3. */
type Refusal = (path: string) => { readonly status: number; readonly code: string } | undefined

let world: World
let radosgw: Radosgw
let between: { readonly endpoint: string; refuse: Refusal; close(): Promise<void> }
let organizationId: string

const api = () => world.api('v8')

const startBetween = async (target: URL): Promise<typeof between> => {
  const answer = (asked: IncomingMessage, response: ServerResponse): void => {
    const refusal = standing.refuse(asked.url ?? '')
    if (refusal !== undefined) {
      asked.resume()
      response.writeHead(refusal.status).end(`<Error><Code>${refusal.code}</Code></Error>`)
      return
    }
    const { method, headers, url: path } = asked
    const through = request(
      { host: target.hostname, port: target.port, method, headers, path },
      (answered) => {
        response.writeHead(answered.statusCode ?? 500, answered.headers)
        answered.pipe(response)
      },
    )
    through.on('error', () => response.destroy())
    asked.pipe(through)
  }
  const server = createServer(answer)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const standing = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    refuse: (() => undefined) as Refusal,
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return standing
}

beforeAll(async () => {
  radosgw = await sharedRadosgw()
  between = await startBetween(new URL(radosgw.account.endpoint!))
  const endpoints = [radosgw.tlsAccount.endpoint!, between.endpoint]
  world = await startWorld({ users: 5, mails: 6, files: 4, server: { storage: { endpoints } } })
  organizationId = (await world.addOrganization('v4')).id
}, 120_000)

afterAll(async () => {
  await world?.[Symbol.asyncDispose]()
  await between?.close()
})

const newAccount = async (): Promise<string> => {
  const { accessKeyId, secretAccessKey } = radosgw.account
  const secret = { userName: accessKeyId, password: secretAccessKey.reveal() }
  const body = { accountType: 'amazonS3CompatibleAccount', ...secret }
  return (await good<Row>(api().post('/Accounts', body))).id
}

const repositoryIn = async (accountId: string, endpoint: string, bucket: string): Promise<string> => {
  const key = await good<Row>(api().post('/EncryptionKeys', { password: PASSWORD, description: bucket }))
  const made = await good<Row>(
    api().post('/BackupRepositories', {
      name: bucket,
      encryptionKeyId: key.id,
      retentionType: 'SnapshotBased',
      retentionPeriodType: 'Yearly',
      yearlyRetentionPeriod: 'Years3',
      objectStorage: {
        type: 'AmazonS3Compatible',
        accountId,
        amazonBucketS3Compatible: { name: bucket, servicePoint: endpoint, customRegionId: 'default' },
        s3Folder: 'backups',
      },
    }),
  )
  return made.id
}

const jobOf = (person: number, repositoryId: string): Promise<string> => {
  const { id, displayName, userPrincipalName: name } = [...world.tenant.state.users()][person]!
  const user = { id, displayName, name, type: 'User' }
  const selectedItems = [{ type: 'User', user, mailbox: true, oneDrive: true }]
  return addJob(world, organizationId, {
    name: `job of ${name} in ${repositoryId}`,
    repositoryId,
    backupType: 'SelectedItems',
    selectedItems,
  })
}

const cli = async <Body>(...args: string[]): Promise<Body> => {
  const { url, caFile } = world.server
  const env = { HOLDFAST_URL: url, HOLDFAST_CA: caFile, HOLDFAST_PASSWORD: world.password }
  const { code, stdout, stderr } = await runProgram('bin/holdfast', [...args, '--json'], env)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(stdout) as Body
}

const classesIn = async (bucket: string): Promise<Record<string, number>> => {
  const { Contents = [] } = await radosgw.s3.listObjectsV2({ Bucket: bucket })
  const counts: Record<string, number> = {}
  for (const { Key = '', StorageClass = '' } of Contents)
    if (Key.includes('/data/')) counts[StorageClass] = (counts[StorageClass] ?? 0) + 1
  return counts
}

const expectSound = async (bucket: string): Promise<void> => {
  const { Contents = [] } = await radosgw.s3.listObjectsV2({ Bucket: bucket })
  const config = Contents.map(({ Key = '' }) => Key).find((key) => key.endsWith('/config'))!
  process.env['AWS_ACCESS_KEY_ID'] = radosgw.account.accessKeyId
  process.env['AWS_SECRET_ACCESS_KEY'] = radosgw.account.secretAccessKey.reveal()
  const path = `s3:${radosgw.account.endpoint}/${bucket}/${config.replace(/\/config$/, '')}`
  expect(await restic({ path, password: PASSWORD }, 'check', '--read-data')).toContain('no errors')
}

describe('an account with an authority of its own', () => {
  it('is used over TLS with the bucket before the host, and keeps packs in a class, all set by the command line', async () => {
    const { endpoint, ca } = radosgw.tlsAccount
    const bucket = await radosgw.newBucket()
    const accountId = await newAccount()
    const asked = `/S3CompatibleResources/buckets/${bucket}?accountId=${accountId}&servicePoint=${encodeURIComponent(endpoint!)}&customRegionId=default`
    const untrusted = await api().get(asked)
    expect([untrusted.status, untrusted.text]).toEqual([409, expect.stringContaining('certificate')])

    const file = join(world.folder, 'authority.pem')
    writeFileSync(file, ca)
    const shown = await cli(
      'accounts',
      'connection',
      accountId,
      '--authority',
      file,
      '--addressing',
      'virtual-host',
    )
    expect(shown).toEqual({ addressing: 'VirtualHost', checksums: 'Automatic', certificateAuthority: ca })
    expect((await api().get(asked)).json()).toMatchObject({ name: bucket })

    const repositoryId = await repositoryIn(accountId, endpoint!, bucket)
    expect(await runJob(world, await jobOf(3, repositoryId))).toMatchObject({ status: 'Success' })
    const before = await classesIn(bucket)
    expect(Object.keys(before)).toEqual(['STANDARD'])
    expect(await cli('repositories', 'storage-class', bucket, 'STANDARD_IA')).toEqual({
      storageClass: 'STANDARD_IA',
    })
    expect(await runJob(world, await jobOf(4, repositoryId))).toMatchObject({ status: 'Success' })
    const after = await classesIn(bucket)
    expect(after['STANDARD']).toBe(before['STANDARD'])
    expect(after['STANDARD_IA']).toBeGreaterThan(0)
    await expectSound(bucket)

    const refused = await api().put(`/Holdfast/Accounts/${accountId}/Connection`, {
      certificateAuthority: '',
    })
    expect([refused.status, refused.text]).toEqual([400, expect.stringContaining('certificate')])
  }, 120_000)

  it.each([
    [{ addressing: 'Host' }, 'addressing'],
    [{ checksums: 'Never' }, 'checksums'],
    [{ certificateAuthority: 'trust me' }, 'certificateAuthority'],
    [
      { certificateAuthority: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----' },
      'certificateAuthority',
    ],
  ])('is refused what cannot be: %j', async (body, property) => {
    const answer = await api().put(`/Holdfast/Accounts/${await newAccount()}/Connection`, body)
    expect([answer.status, answer.text]).toEqual([400, expect.stringContaining(property)])
  })

  it('is refused a class that is for archives, and one in a folder of the machine', async () => {
    const bucket = await radosgw.newBucket()
    const inBucket = await repositoryIn(await newAccount(), between.endpoint, bucket)
    const put = (id: string, storageClass: string) =>
      api().put(`/Holdfast/BackupRepositories/${id}/StorageClass`, { storageClass })
    expect((await put(inBucket, 'DEEP_ARCHIVE')).status).toBe(400)
    const [folder] = await good<Row[]>(world.api('v4').get('/BackupRepositories'))
    expect((await put(folder!.id, 'STANDARD_IA')).status).toBe(400)
  })
})

describe('a storage that refuses', () => {
  it('because it is asked too often is asked again later, and the run ends well', async () => {
    const bucket = await radosgw.newBucket()
    const jobId = await jobOf(3, await repositoryIn(await newAccount(), between.endpoint, bucket))
    let refused = 0
    let asked = 0
    between.refuse = () => {
      asked += 1
      if (asked % 7 !== 0) return undefined
      refused += 1
      return { status: 503, code: 'SlowDown' }
    }
    try {
      expect(await runJob(world, jobId)).toMatchObject({ status: 'Success' })
    } finally {
      between.refuse = () => undefined
    }
    expect(refused).toBeGreaterThan(3)
    await expectSound(bucket)
  }, 120_000)

  it('the key in the middle of a run fails it with the reason; with the new key the next run goes on', async () => {
    const bucket = await radosgw.newBucket()
    const accountId = await newAccount()
    const jobId = await jobOf(4, await repositoryIn(accountId, between.endpoint, bucket))
    let packs = 0
    between.refuse = (path) => {
      if (path.includes('/data/')) packs += 1
      return packs > 1 ? { status: 403, code: 'InvalidAccessKeyId' } : undefined
    }
    const failed = await runJob(world, jobId)
    expect(failed).toMatchObject({ status: 'Failed' })
    expect((await logOf(world, failed.id)).join()).toContain('the access key is not known there')
    const { accessKeyId, secretAccessKey } = radosgw.account
    const key = { userName: accessKeyId, password: secretAccessKey.reveal() }
    const stillRefused = await api().put(`/Accounts/${accountId}`, key)
    expect([stillRefused.status, stillRefused.text]).toEqual([400, expect.stringContaining('accountId')])
    between.refuse = () => undefined
    expect((await api().put(`/Accounts/${accountId}`, key)).status).toBe(204)
    expect(await runJob(world, jobId)).toMatchObject({ status: 'Success' })
    await expectSound(bucket)
  }, 120_000)
})

it('the limit of a proxy is shown and set by the command line', async () => {
  interface Proxy {
    readonly enableNetworkThrottling: boolean
    readonly throttlingValue?: number
    readonly throttlingUnit?: string
  }
  const limited = { enableNetworkThrottling: true, throttlingValue: 80, throttlingUnit: 'MBs' }
  expect(await cli<Proxy>('proxies', 'limit', '80MBs')).toMatchObject(limited)
  expect(await cli<Proxy[]>('proxies', 'list')).toMatchObject([limited])
  expect(await cli<Proxy>('proxies', 'limit', 'none')).toMatchObject({ enableNetworkThrottling: false })
}, 60_000)
