import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { startHoldfast, type Running } from '../../../scripts/demo/running.ts'
import type { TenantAddresses } from '../../../scripts/demo/tenant.ts'
import { TenantGraph } from './tenant-graph.ts'

export type PracticeAddresses = TenantAddresses & { readonly practiceKey: string }

export interface ServerAddress {
  readonly url: string
  readonly caFile: string
  readonly userName: string
  readonly firstPassword: string
}

/** `holdfast practice-tenant` as a process of its own. */
export const startTenantProcess = (folder: string, ...more: string[]): Promise<Running<PracticeAddresses>> =>
  startHoldfast<PracticeAddresses>({
    args: ['practice-tenant', '--data', join(folder, 'tenant'), '--no-throttling', ...more],
    env: {},
    readyWithinMs: 60_000,
    detached: false,
  })

/** `holdfast serve` as a process of its own, pointed at a tenant by the two settings that any program has. */
export const startServerProcess = (
  folder: string,
  tenant: Pick<TenantAddresses, 'proxyUrl' | 'caFile'>,
): Promise<Running<ServerAddress>> =>
  startHoldfast<ServerAddress>({
    args: ['serve', '--data', join(folder, 'server'), '--log-file', join(folder, 'server.log')],
    env: {
      HTTPS_PROXY: tenant.proxyUrl,
      NODE_EXTRA_CA_CERTS: tenant.caFile,
      HOLDFAST_PORT: '0',
      HOLDFAST_HOST: '127.0.0.1',
    },
    readyWithinMs: 60_000,
    detached: false,
  })

/** Somebody at work in the tenant of another process. */
export const graphOfProcess = async (tenant: PracticeAddresses): Promise<TenantGraph> => {
  const ca = readFileSync(tenant.caFile, 'utf8')
  const login = new TenantGraph({ ca, graph: tenant.login, token: () => '' })
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: tenant.editorApplicationId,
    client_secret: tenant.editorApplicationSecret,
    scope: 'https://graph.microsoft.com/.default',
  })
  const { access_token } = await login.ok<{ access_token: string }>(
    `${tenant.login}/${tenant.tenantId}/oauth2/v2.0/token`,
    {
      method: 'POST',
      body: form.toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    },
  )
  await login[Symbol.asyncDispose]()
  return new TenantGraph({ ca, graph: tenant.graph, token: () => access_token })
}

export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end. It is killed when it takes longer than a minute. */
export const runProgram = async (
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> => {
  const child = spawn(program, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: AbortSignal.timeout(60_000),
  })
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number]>,
  ])
  return { code, stdout, stderr }
}
