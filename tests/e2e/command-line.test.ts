import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import PostalMime from 'postal-mime'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPfx } from '../../src/m365/sign-in/pfx/open-pfx.ts'
import { messagesIn } from './living/mailbox-portrait.ts'
import { openZip } from './living/open-zip.ts'
import {
  graphOfProcess,
  runProgram,
  startServerProcess,
  startTenantProcess,
  type Ended,
  type PracticeAddresses,
  type ServerAddress,
} from './living/processes.ts'
import type { Json, TenantGraph } from './living/tenant-graph.ts'

// The product as an administrator meets it: two processes, the command line, and stock restic. One test goes on where the
// one before it stopped.

const folder = mkdtempSync(join(tmpdir(), 'holdfast-cli-'))
const stops: (() => Promise<void>)[] = []
let tenant: PracticeAddresses
let server: ServerAddress
let graph: TenantGraph
let env: Readonly<Record<string, string>>
let person: { readonly id: string; readonly userPrincipalName: string }
let message: { readonly id: string; readonly subject: string }

beforeAll(async () => {
  const startedTenant = await startTenantProcess(folder, '--users', '2', '--mails', '10', '--files', '8')
  stops.push(() => startedTenant.stop())
  tenant = startedTenant.ready
  const startedServer = await startServerProcess(folder, tenant)
  stops.push(() => startedServer.stop())
  server = startedServer.ready
  graph = await graphOfProcess(tenant)
  stops.push(() => graph[Symbol.asyncDispose]())
  env = { HOLDFAST_URL: server.url, HOLDFAST_CA: server.caFile, HOLDFAST_PASSWORD: server.firstPassword }
  const people = await graph.all<typeof person>('/users?$select=id,userPrincipalName')
  person = people.find(({ userPrincipalName }) => userPrincipalName.startsWith('bob.'))!
  const inbox = await graph.ok<{ id: string }>(`/users/${person.id}/mailFolders/inbox`)
  message = (await messagesIn(graph, person.id, inbox.id))[0] as unknown as typeof message
}, 120_000)

afterAll(async () => {
  for (const stop of stops.reverse()) await stop()
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
})

const cli = (...args: string[]): Promise<Ended> => runProgram('bin/holdfast', [...args, '--json'], env)

/** The one JSON value of a command that must succeed. */
const json = async <Value = Json>(...args: string[]): Promise<Value> => {
  const { code, stdout, stderr } = await cli(...args)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(stdout) as Value
}

const file = (name: string, content: string): string => {
  const path = join(folder, name)
  writeFileSync(path, content, { mode: 0o600 })
  return path
}

const identify = ['--application-id', () => tenant.applicationId, '--organization-name', () => tenant.domain]
const identity = (): string[] => identify.map((part) => (typeof part === 'string' ? part : part()))

const pemOf = (der: Uint8Array): string =>
  `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString('base64')}\n-----END CERTIFICATE-----\n`

describe('who may come in', () => {
  it('a wrong password ends with code 3 and says so', async () => {
    const wrong = file('wrong-password.txt', 'not the password\n')
    const { code, stderr } = await cli('organizations', 'list', '--password-file', wrong)
    expect(code).toBe(3)
    expect(stderr).toMatch(/user name or password|password is (wrong|not right|incorrect)/i)
  })
})

describe('an organization', () => {
  it('is refused with a wrong secret, in words that help', async () => {
    const secret = file('wrong-secret.txt', 'wrong\n')
    const { code, stderr } = await cli('organizations', 'add', ...identity(), '--secret-file', secret)
    expect(code).toBe(2)
    expect(stderr).toContain('secret')
  })

  it('is added with a certificate, and removed', async () => {
    const pfx = new URL('../data/pfx/rsa.pfx', import.meta.url).pathname
    const pem = pemOf(openPfx(readFileSync(pfx), 'pä-ssword').certificates[0]!)
    await graph.ok(`${tenant.login}/_practice/certificates`, {
      method: 'POST',
      body: { pem },
      headers: { authorization: `Bearer ${tenant.practiceKey}` },
    })
    const password = file('pfx-password.txt', 'pä-ssword\n')
    const how = ['--certificate-file', pfx, '--certificate-password-file', password]
    expect(await json('organizations', 'add', ...identity(), ...how)).toMatchObject({ name: tenant.domain })
    await json('organizations', 'remove', tenant.domain)
    expect(await json('organizations', 'list')).toEqual([])
  })

  it('is added with a secret', async () => {
    const secret = file('secret.txt', `${tenant.applicationSecret}\n`)
    const added = await json('organizations', 'add', ...identity(), '--secret-file', secret)
    expect(added).toMatchObject({ name: tenant.domain })
    expect(JSON.stringify(added)).not.toContain(tenant.applicationSecret)
  })
})

describe('a job', () => {
  it('is created and followed to its end', async () => {
    await json('jobs', 'create', 'Everything', '--organization', tenant.domain, '--daily', '22:00')
    const session = await json('jobs', 'start', 'Everything', '--watch')
    expect(['Success', 'Warning']).toContain(session['status'])
  })

  it('leaves a restore point to look into', async () => {
    const { userPrincipalName: name } = person
    const [points, mail, files] = await Promise.all([
      json<Json[]>('points', '--job', 'Everything'),
      json<{ items: Json[] }>('browse', 'mail', name, 'Inbox'),
      json<{ folders: Json[] }>('browse', 'files', name),
    ])
    expect(points).toMatchObject([{ isExchange: true, isOneDrive: true }])
    expect(mail.items.map(({ id }) => id)).toContain(message.id)
    expect(files.folders.map((one) => one['name'])).toContain('Documents')
  })
})

describe('what was lost', () => {
  it('comes back: a message', async () => {
    await graph.post(`/users/${person.id}/messages/${message.id}/permanentDelete`)
    const args = ['restore', 'mail', person.userPrincipalName, '--item', message.id]
    expect(await json(...args)).toMatchObject({ result: 'Success', statistics: { restoredItemsCount: 1 } })
    expect(await json(...args)).toMatchObject({ statistics: { restoredItemsCount: 0, skippedItemsCount: 1 } })
    const inbox = await messagesIn(graph, person.id, 'inbox')
    expect(inbox.filter(({ subject }) => subject === message.subject)).toHaveLength(1)
  })

  it('comes back: a folder of files', async () => {
    await graph.call(`/users/${person.id}/drive/root:/Documents`, { method: 'DELETE' })
    const done = await json('restore', 'files', person.userPrincipalName, 'Documents')
    expect(done).toMatchObject({ result: 'Success', statistics: { failedItemsCount: 0 } })
    await graph.ok(`/users/${person.id}/drive/root:/Documents`)
  })

  it('leaves as files', async () => {
    const eml = join(folder, 'message.eml')
    const zip = join(folder, 'documents.zip')
    const { userPrincipalName: name } = person
    await Promise.all([
      json('export', 'mail', name, '--item', message.id, '--output', eml),
      json('export', 'files', name, 'Documents', '--output', zip),
    ])
    expect((await PostalMime.parse(readFileSync(eml))).subject ?? '').toBe(message.subject)
    expect((await openZip(readFileSync(zip))).length).toBeGreaterThan(0)
  })
})

interface KitEntry {
  readonly path: string
  readonly passwordFile: string
}

describe('stock restic with the recovery kit', () => {
  const kit = join(folder, 'kit')
  let repositories: readonly KitEntry[] = []

  const restic = async ({ path, passwordFile }: KitEntry, ...args: string[]): Promise<string> => {
    const where = ['--no-cache', '-r', path, '--password-file', join(kit, passwordFile)]
    const { code, stdout, stderr } = await runProgram('restic', [...where, ...args])
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.any(String) as string })
    return stdout
  }

  it('checks every byte', async () => {
    await json('recovery-kit', kit, '--data', join(folder, 'server'))
    repositories = JSON.parse(readFileSync(join(kit, 'repositories.json'), 'utf8')) as KitEntry[]
    expect(repositories.length).toBeGreaterThan(0)
    for (const repository of repositories) {
      expect(statSync(join(kit, repository.passwordFile)).mode & 0o077).toBe(0)
      expect(await restic(repository, 'check', '--read-data')).toContain('no errors were found')
    }
  }, 120_000)

  it('lists and restores a message that any mail program opens', async () => {
    for (const repository of repositories) {
      const listed = (await restic(repository, 'ls', 'latest')).split('\n')
      const files = listed.filter((line) => line.startsWith('/users/bob.') && line.includes('/mail/Inbox/'))
      const wanted = files.filter((line) => line.endsWith('.eml'))
      if (wanted.length === 0) continue
      const target = join(folder, 'restored')
      await restic(
        repository,
        'restore',
        'latest',
        '--target',
        target,
        ...wanted.flatMap((at) => ['--include', at]),
      )
      const subjects = await Promise.all(
        wanted.map(async (at) => (await PostalMime.parse(readFileSync(join(target, at)))).subject ?? ''),
      )
      expect(subjects).toContain(message.subject)
      return
    }
    throw new Error('no repository holds the mailbox')
  }, 120_000)

  it('finds nothing of the organization in the clear', () => {
    const log = readFileSync(join(folder, 'server.log'), 'utf8')
    for (const secret of [tenant.applicationSecret, tenant.exchangeAppPassword, server.firstPassword])
      expect(log).not.toContain(secret)
  })
})
