import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import {
  BlobServiceClient,
  StorageSharedKeyCredential,
  type ContainerClient,
  type StoragePipelineOptions,
} from '@azure/storage-blob'
import { Secret } from '#base'
import type { AzureAccountOptions } from '../index.ts'

const PROGRAM = fileURLToPath(new URL('../../../node_modules/azurite/dist/src/blob/main.js', import.meta.url))

export interface Azurite extends AsyncDisposable {
  readonly account: AzureAccountOptions
  readonly port: number
  /** A new container, by Azure's own client. */
  newContainer(): Promise<ContainerClient>
}

export interface AzuriteOptions {
  /** Files of a certificate: answers HTTPS then. */
  readonly certificate?: { readonly certFile: string; readonly keyFile: string }
}

/** Microsoft's emulator of Azure storage in a process of its own, in memory, on a free port of 127.0.0.1. */
export const startAzurite = async (options: AzuriteOptions = {}): Promise<Azurite> => {
  const accountName = 'practice'
  const accountKey = randomBytes(64).toString('base64')
  const { certificate } = options
  const tls = certificate === undefined ? [] : ['--cert', certificate.certFile, '--key', certificate.keyFile]
  const args = ['--blobHost', '127.0.0.1', '--blobPort', '0', '--inMemoryPersistence']
  const child = spawn(
    process.execPath,
    [PROGRAM, ...args, '--skipApiVersionCheck', '--disableTelemetry', '--silent', ...tls],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { AZURITE_ACCOUNTS: `${accountName}:${accountKey}` },
    },
  )
  const port = await portOf(child)
  const trust: StoragePipelineOptions & { readonly tlsOptions?: { readonly ca: string } } =
    certificate === undefined ? {} : { tlsOptions: { ca: readFileSync(certificate.certFile, 'utf8') } }
  const endpoint = `${certificate === undefined ? 'http' : 'https'}://127.0.0.1:${port}/${accountName}`
  let made = 0
  return {
    port,
    account: { accountName, credential: { accountKey: new Secret(accountKey) }, endpoint },
    newContainer: async () => {
      made += 1
      const credential = new StorageSharedKeyCredential(accountName, accountKey)
      const container = new BlobServiceClient(endpoint, credential, trust).getContainerClient(
        `container-${made}`,
      )
      await container.create()
      return container
    },
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}

const portOf = async (child: ChildProcess): Promise<number> => {
  for await (const line of createInterface({ input: child.stdout! })) {
    const port = /listens on .*:(\d+)/.exec(line)?.[1]
    if (port === undefined) continue
    child.stdout!.resume()
    return Number(port)
  }
  throw new Error('Azurite ended before it listened')
}
