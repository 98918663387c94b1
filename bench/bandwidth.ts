// The bandwidth limit on real traffic: bytes over time into and out of a real S3 server, by one storage and by four at once.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { Secret, systemClock } from '#base'
import { Bandwidth, s3Storage, throttled, type Storage } from '#storage'
import { S3 } from '@aws-sdk/client-s3'

const LIMIT = 4 * 1024 * 1024
const PACK = new Uint8Array(1024 * 1024)
const PACKS = 20

const child = spawn('scripts/start-radosgw', { stdio: ['pipe', 'pipe', 'inherit'] })
const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
const { endpoint, region, accessKeyId, secretAccessKey } = JSON.parse(line) as Record<string, string>
const account = {
  endpoint: endpoint!,
  region: region!,
  accessKeyId: accessKeyId!,
  secretAccessKey: new Secret(secretAccessKey!),
}

/** Bytes a second, after a first burst that pays for nothing. */
const rateOf = async (
  storages: readonly Storage[],
  work: (storage: Storage, at: number) => Promise<unknown>,
) => {
  await work(storages[0]!, -1)
  const begun = performance.now()
  await Promise.all(
    storages.map(async (storage, number) => {
      for (let at = number; at < PACKS; at += storages.length) await work(storage, at)
    }),
  )
  return (PACKS * PACK.length) / ((performance.now() - begun) / 1000)
}

try {
  const credentials = { accessKeyId: accessKeyId!, secretAccessKey: secretAccessKey! }
  const s3 = new S3({ endpoint: endpoint!, region: region!, credentials, forcePathStyle: true })
  await s3.createBucket({ Bucket: 'bandwidth' })
  const rows: string[][] = []
  for (const count of [1, 4]) {
    const bandwidth = new Bandwidth(systemClock, LIMIT)
    const storages = Array.from({ length: count }, (_, at) =>
      throttled(s3Storage({ ...account, bucket: 'bandwidth', folder: `of-${count}-${at}` }), bandwidth),
    )
    const path = (at: number): string => `data/aa/${at}`
    const up = await rateOf(storages, (storage, at) => storage.write(path(at), [PACK]))
    const down = await rateOf(storages, (storage, at) => storage.read(path(at)))
    const who = count === 1 ? 'one storage' : `${count} storages at once`
    for (const [what, rate] of [
      ['uploads', up],
      ['downloads', down],
    ] as const)
      rows.push([`${what}, ${who}`, `${(rate / LIMIT).toFixed(2)} × the limit`, '≤ 1.05 ×, ≥ 0.8 ×'])
    for (const storage of storages) await storage[Symbol.asyncDispose]()
  }
  s3.destroy()
  console.log(JSON.stringify({ title: 'Bandwidth limit of 4 MB a second, on S3', rows }))
} finally {
  child.stdin.end()
  await once(child, 'exit')
}
