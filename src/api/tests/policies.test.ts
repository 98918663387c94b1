import { startWorld, type VersionClient, type World } from '#world'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { operationsOf, type ApiParts } from '../build-api.ts'
import type { Operation } from '../contract/operation.ts'
import { isAlive, NEWEST, VERSIONS, type Version } from '../contract/versions.ts'

// The routes as they are served: nothing is called on the engine by making them.
const operations = operationsOf({ engine: {}, service: {} } as unknown as ApiParts)

it('gives every route a policy', () => {
  const without = operations.filter((operation) => (operation.access as unknown) === undefined)
  expect(without.map(({ path }) => path)).toEqual([])
})

it('leaves only the log-in open', () => {
  const open = operations
    .filter(({ access }) => access.isOpen === true)
    .map(({ method, path }) => `${method} ${path}`)
  expect([...new Set(open)]).toEqual(['POST /token'])
})

const ABSENT = '7b8c3f2e-4a55-4c1d-9d0a-1f2e3d4c5b6a'
/** Whatever a tenant does: these are an administrator's alone. */
const ADMINISTRATOR = 'administrator'

let world: World
let own: string
let tenant: VersionClient
const as = new Map<Version, VersionClient>()
beforeAll(async () => {
  world = await startWorld({ users: 1, mails: 1, files: 1 })
  own = (await world.addOrganization()).id
  const { account, appPassword } = world.tenant.admin
  for (const version of VERSIONS) as.set(version, await world.as(account, appPassword, version))
  tenant = as.get(NEWEST)!
})
afterAll(async () => {
  await world[Symbol.asyncDispose]()
})

const pathOf = ({ path }: Operation, organizationId: string): string =>
  path.replace('{organizationId}', organizationId).replace(/\{\w+\}/g, ABSENT)

const call = (client: VersionClient, operation: Operation, organizationId = ABSENT) =>
  client.send(pathOf(operation, organizationId), {
    method: operation.method,
    ...(operation.method === 'GET' ? {} : { body: {} }),
  })

describe.each(VERSIONS)('in %s', (version) => {
  const alive = operations.filter((operation) => isAlive(version, operation))

  it('answers 401 on every route without a token', async () => {
    for (const operation of alive.filter(({ access }) => access.isOpen !== true)) {
      const answer = await world.client.send(`/${version}${pathOf(operation, own)}`, {
        method: operation.method,
      })
      expect(answer.status, `${operation.method} ${operation.path}`).toBe(401)
    }
  })

  it('answers a tenant 403 on what is an administrator’s, before it looks at anything', async () => {
    for (const operation of alive.filter(
      ({ access, actions }) => access.name === ADMINISTRATOR && actions === undefined,
    )) {
      const answer = await call(as.get(version)!, operation, own)
      expect(answer.status, `${operation.method} ${operation.path}`).toBe(403)
    }
  })

  it('shows a tenant another organization as little as one that does not exist', async () => {
    const inPath = alive.filter(
      ({ path, access }) => path.includes('{organizationId}') && access.name !== ADMINISTRATOR,
    )
    expect(inPath.length).toBeGreaterThan(5)
    for (const operation of inPath.filter(({ method }) => method === 'GET')) {
      const answer = await call(as.get(version)!, operation, ABSENT)
      expect(answer.status, `${operation.method} ${operation.path}`).toBe(404)
    }
  })
})

it('lets a tenant see its own organization and nothing of the others', async () => {
  expect((await tenant.get('/Organization')).json()).toMatchObject({ id: own })
  expect((await tenant.get(`/Organizations/${own}`)).status).toBe(200)
  expect((await tenant.get(`/Organizations/${own}/Users`)).status).toBe(200)
  const foreign = await tenant.get(`/Organizations/${ABSENT}`)
  const missing = await world.api().get(`/Organizations/${ABSENT}`)
  expect(foreign.status).toBe(404)
  expect(foreign.text).toBe(missing.text)
  expect(
    (await tenant.get('/Organizations')).json<{ results: { id: string }[] }>().results.map(({ id }) => id),
  ).toEqual([own])
})

it('asks for a tenant where only a tenant makes sense', async () => {
  expect((await world.api('v4').get('/Organization')).status).toBe(403)
})

it('limits log-ins from one address', async () => {
  await using limited = await startWorld({ users: 1, mails: 1, files: 1, server: { loginsPerMinute: 3 } })
  const statuses: number[] = []
  for (let turn = 0; turn < 5; turn += 1) {
    const answer = await limited.client.send('/v4/token', {
      method: 'POST',
      body: `grant_type=password&username=x${turn}&password=y`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })
    statuses.push(answer.status)
    if (answer.status === 429) expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
  }
  expect(statuses).toContain(429)
  expect(statuses[0]).toBe(400)
})
