import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startPracticeTenant, type PracticeTenant } from '#practice-tenant'
import { startWorld, type VersionClient, type World } from '#world'
import { addJob, explore, good, runJob } from './living/backup.ts'

// Two organizations on one server: one worldwide, one in the cloud of China. Who knows the account and app password of one
// sees that one alone.

const folder = mkdtempSync(join(tmpdir(), 'holdfast-tenants-'))
const stops: (() => PromiseLike<unknown>)[] = []
let world: World
let other: PracticeTenant
let own: { readonly id: string }
let others: { readonly id: string }
let tenant: VersionClient
let jobId: string

beforeAll(async () => {
  other = await startPracticeTenant({
    throttling: false,
    seed: { users: 1, mails: 2, files: 1, name: 'fabrikam', seed: 2 },
  })
  stops.push(() => other[Symbol.asyncDispose]())
  const relay = await startRelay()
  stops.push(relay.stop)
  world = await startWorld({
    users: 2,
    mails: 2,
    files: 1,
    tenant: { data: folder },
    server: {
      microsoft365: { proxyUrl: relay.url, caFiles: [join(folder, 'ca.pem'), other.caFile] },
    },
  })
  stops.push(() => world[Symbol.asyncDispose]())
  relay.goTo(world.tenant.proxyUrl)
  own = await world.addOrganization('v4')
  others = await addOther()
  jobId = await addJob(world, own.id)
  await runJob(world, jobId)
  tenant = await world.as(world.tenant.admin.account, world.tenant.admin.appPassword, 'v6')
}, 120_000)

afterAll(async () => {
  for (const stop of stops.reverse()) await stop()
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
})

/** A proxy before two tenants' own: Microsoft's names for China go to the second. */
const startRelay = async () => {
  let worldwide = ''
  const sockets = new Set<{ destroy(): void }>()
  const server = createServer((client) => {
    sockets.add(client)
    client.on('error', () => client.destroy())
    client.once('data', (head: Buffer) => {
      const [, name = ''] = /^CONNECT ([^:\s]+):/.exec(head.toString('latin1')) ?? []
      const { port } = new URL(/\.cn$/.test(name) ? other.proxyUrl : worldwide)
      const upstream = connect(Number(port), '127.0.0.1', () => upstream.write(head))
      sockets.add(upstream)
      upstream.on('error', () => client.destroy())
      client.on('close', () => upstream.destroy())
      upstream.pipe(client)
      client.pipe(upstream)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    goTo: (address: string) => void (worldwide = address),
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const addOther = (): Promise<{ id: string }> => {
  const settings = (account: PracticeTenant['admin']) => ({
    useMfa: true,
    account: account.account,
    password: account.appPassword,
    applicationId: other.application.id,
    applicationSecret: other.application.secret,
  })
  return good(
    world.api('v4').post('/Organizations', {
      type: 'Office365',
      region: 'China',
      isExchangeOnline: true,
      isSharePointOnline: true,
      exchangeOnlineSettings: settings(other.admin),
      sharePointOnlineSettings: settings(other.sharepointAdmin),
    }),
  )
}

interface Page {
  readonly results: readonly { readonly id: string }[]
}

describe('whoever knows the account of an organization', () => {
  it('sees that organization alone', async () => {
    const all = await good<{ id: string }[]>(world.api('v4').get('/Organizations'))
    expect(all.map(({ id }) => id).sort()).toEqual([own.id, others.id].sort())
    const seen = await good<{ id: string }[]>(tenant.get('/Organizations'))
    expect(seen.map(({ id }) => id)).toEqual([own.id])
    expect((await tenant.get(`/Organizations/${others.id}`)).status).toBe(404)
    expect((await tenant.get(`/Organizations/${others.id}/Users`)).status).toBe(404)
  })

  it('changes nothing of the server', async () => {
    const statuses = [
      await tenant.post('/Organizations', world.organizationRequest()),
      await tenant.delete(`/Organizations/${own.id}`),
      await tenant.post(`/Organizations/${own.id}/Jobs`, { name: 'x', repositoryId: own.id }),
      await tenant.post(`/Jobs/${jobId}/start`, {}),
      await tenant.post('/BackupRepositories', { name: 'x', path: '/tmp/x' }),
    ].map(({ status }) => status)
    expect(statuses).toEqual([403, 403, 403, 403, 403])
  })

  it('looks into its own restore points and those of nobody else', async () => {
    expect((await tenant.post(`/Organizations/${others.id}/explore`, { type: 'Vex' })).status).toBe(404)
    const session = await good<{ id: string }>(tenant.post('/Organization/explore', { type: 'Vex' }))
    const base = `/RestoreSessions/${session.id}/Organization`
    const mailboxes = await good<Page>(tenant.get(`${base}/Mailboxes`))
    expect(mailboxes.results.length).toBeGreaterThan(0)
    const first = `${base}/Mailboxes/${mailboxes.results[0]!.id}`
    expect(await good(tenant.post(`${first}/restore`, {}))).toMatchObject({ failedItemsCount: 0 })
  })

  it('cannot use the sessions of administrators, nor they its', async () => {
    const theirs = await explore(world, own.id, 'vex')
    const answer = await tenant.get(`${theirs}/Mailboxes`)
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect(answer.text).not.toContain('"results"')
    const session = await good<{ id: string }>(tenant.post('/Organization/explore', { type: 'Vex' }))
    const base = `/RestoreSessions/${session.id}/Organization`
    const fromOutside = await world.api('v6').get(`${base}/Mailboxes`)
    expect(fromOutside.status).toBeGreaterThanOrEqual(400)
  })

  it('does not come in with the wrong app password', async () => {
    await expect(world.as(world.tenant.admin.account, 'wrong-password')).rejects.toThrow(/40[01]/)
  })
})
