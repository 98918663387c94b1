import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { S3 } from '@aws-sdk/client-s3'
import { inject } from 'vitest'
import { Secret } from '#base'
import type { S3AccountOptions } from '../index.ts'

const PROGRAM = fileURLToPath(new URL('../../../scripts/start-radosgw', import.meta.url))

/** What the program prints. */
export interface RadosgwSettings {
  readonly endpoint: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** The same service by HTTPS, at a name; its certificate is of an authority that nobody else trusts. */
  readonly tls: { readonly endpoint: string; readonly authority: string }
}

export interface RunningRadosgw extends AsyncDisposable {
  readonly settings: RadosgwSettings
}

/** A real S3 server in processes of its own, which end with this one. Takes a quarter of a minute: tests share one. */
export const startRadosgw = async (): Promise<RunningRadosgw> => {
  const child = spawn(PROGRAM, { stdio: ['pipe', 'pipe', 'inherit'] })
  const settings = await settingsOf(child)
  return {
    settings,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null) return
      const ended = once(child, 'exit')
      child.stdin.end()
      await ended
    },
  }
}

const settingsOf = async (child: ChildProcess): Promise<RadosgwSettings> => {
  for await (const line of createInterface({ input: child.stdout! }))
    return JSON.parse(line) as RadosgwSettings
  throw new Error('radosgw did not start')
}

export interface Radosgw {
  readonly account: S3AccountOptions
  /** The same by HTTPS, with the authority to be trusted. A bucket may stand before the host. */
  readonly tlsAccount: S3AccountOptions & { readonly ca: string }
  /** S3's own client, as anybody who has the key may use it. */
  readonly s3: S3
  /** A new, empty bucket; with object lock where told. */
  newBucket(options?: { readonly objectLock: boolean }): Promise<string>
}

declare module 'vitest' {
  interface ProvidedContext {
    /** Where a test asks for the server that all files share: the first who asks starts it. */
    readonly radosgw: string
  }
}

let buckets = 0

/** The S3 server that all test files of a run share. Each makes buckets of its own. */
export const sharedRadosgw = async (): Promise<Radosgw> => {
  const answer = await fetch(inject('radosgw'))
  if (!answer.ok) throw new Error(await answer.text())
  const settings = (await answer.json()) as RadosgwSettings
  const { endpoint, region, accessKeyId, secretAccessKey, tls } = settings
  const credentials = { accessKeyId, secretAccessKey }
  const s3 = new S3({ endpoint, region, credentials, forcePathStyle: true, maxAttempts: 3 })
  const account = { endpoint, region, accessKeyId, secretAccessKey: new Secret(secretAccessKey) }
  return {
    account,
    tlsAccount: { ...account, endpoint: tls.endpoint, ca: tls.authority },
    s3,
    newBucket: async ({ objectLock } = { objectLock: false }) => {
      buckets += 1
      const Bucket = `test-${process.pid}-${buckets}`
      await s3.createBucket({ Bucket, ObjectLockEnabledForBucket: objectLock })
      return Bucket
    },
  }
}
