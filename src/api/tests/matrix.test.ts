import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { startWorld, type Answer, type World } from '#world'
import Sqlite from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { operationsOf, type ApiParts } from '../build-api.ts'
import type { Operation } from '../contract/operation.ts'
import { isAlive, NEWEST, VERSIONS, type Version } from '../contract/versions.ts'

// Every route of every version, called by everybody who might, on objects that are there.

const operations = operationsOf({ engine: {}, service: {} } as unknown as ApiParts)
const LOGOUT = '/token/logout'
const guarded = operations.filter(({ access, path }) => access.isOpen !== true && path !== LOGOUT)

/** The only routes that let a tenant in whatever the path names: they show what is its own, and here it has nothing. */
const NARROWED = new Set([
  'GET /Organization',
  'GET /Organizations',
  'GET /Jobs',
  'GET /CopyJobs',
  'GET /BackupRepositories',
  'GET /JobSessions',
  'GET /RestoreSessions',
  'GET /RestorePoints',
  'GET /ProtectedUsers',
  'GET /ServiceInstance',
  'POST /Organization/Explore',
])

const FOREIGN_ORGANIZATION = '9d1c3a52-6f0b-4a8e-9c77-2f5d10e4b6aa'
let world: World
const ids: Record<string, string> = {}
const tokens = { foreign: '', own: '', expired: '', refresh: '' }

type Tokens = Readonly<Record<'access_token' | 'refresh_token', string>>
const logIn = async (username: string, password: string): Promise<Tokens> => {
  const answer = await world.client.send('/v8/token', {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'password', username, password }).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })
  expect(answer.status).toBe(200)
  return answer.json<Tokens>()
}

/** A second tenant is a second organization: one row more, and the tokens of a log-in that now are its. */
const makeForeign = (database: Sqlite.Database): void => {
  const columns = (database.pragma('table_info(organizations)') as { name: string }[]).map(({ name }) => name)
  const values = columns.map((name) =>
    name === 'id' ? '@id' : ['tenant_id', 'name', 'name_key'].includes(name) ? `${name} || '-2'` : name,
  )
  database
    .prepare(
      `INSERT INTO organizations (${columns.join()}) SELECT ${values.join()} FROM organizations LIMIT 1`,
    )
    .run({ id: FOREIGN_ORGANIZATION })
  database
    .prepare(`UPDATE tokens SET principal_id = ? WHERE principal_kind = 'organization'`)
    .run(FOREIGN_ORGANIZATION)
}

const makeExpired = (database: Sqlite.Database, token: string): void => {
  const hash = createHash('sha256').update(token).digest('hex')
  const { changes } = database
    .prepare('UPDATE tokens SET expires_at = issued_at WHERE token_hash = ?')
    .run(hash)
  expect(changes).toBe(1)
}

const makeCopyJob = async (): Promise<void> => {
  const api = world.api('v8')
  const path = join(world.folder, 'second')
  mkdirSync(path)
  const { results } = (await api.get('/Proxies')).json<{ results: { id: string }[] }>()
  const second = await api.post('/BackupRepositories', {
    name: 'Second',
    path,
    proxyId: results[0]!.id,
    retentionType: 'SnapshotBased',
    retentionPeriodType: 'Yearly',
    yearlyRetentionPeriod: 'Years3',
  })
  const copyJob = await api.post('/CopyJobs', {
    backupJobId: ids['jobId'],
    organizationId: ids['organizationId'],
    repositoryId: second.json<{ id: string }>().id,
  })
  expect(copyJob.status).toBe(201)
  ids['copyJobId'] = copyJob.json<{ id: string }>().id
}

const makeObjects = async (): Promise<void> => {
  const api = world.api('v8')
  const { results } = (await api.get('/BackupRepositories')).json<{ results: { id: string }[] }>()
  ids['repositoryId'] = results[0]!.id
  const { organizationId, repositoryId } = ids
  const job = await api.post('/Jobs', { name: 'one', organizationId, repositoryId })
  ids['jobId'] = job.json<{ id: string }>().id
  ids['sessionId'] = (await api.post(`/Jobs/${ids['jobId']}/start`)).json<{ id: string }>().id
  await api.post(`/Jobs/${ids['jobId']}/stop`)
  await makeCopyJob()
  const explored = await api.post(`/Organizations/${organizationId}/explore`, { type: 'vex' })
  ids['restoreSessionId'] = explored.json<{ id: string }>().id
  const { results: proxies } = (await api.get('/Proxies')).json<{ results: { id: string }[] }>()
  ids['proxyId'] = proxies[0]!.id
}

beforeAll(async () => {
  world = await startWorld({ users: 1, mails: 1, files: 1 })
  ids['organizationId'] = (await world.addOrganization()).id
  await makeObjects()
  const { account, appPassword } = world.tenant.admin
  tokens.foreign = (await logIn(account, appPassword)).access_token
  const expired = await logIn('administrator', world.password)
  const database = new Sqlite(join(world.folder, 'data', 'holdfast.sqlite'))
  try {
    makeForeign(database)
    makeExpired(database, expired.access_token)
  } finally {
    database.close()
  }
  tokens.expired = expired.access_token
  tokens.refresh = expired.refresh_token
  tokens.own = (await logIn(account, appPassword)).access_token
})
afterAll(async () => {
  await world[Symbol.asyncDispose]()
})

const pathOf = ({ path }: Operation): string =>
  path.replace(/\{(\w+)\}/g, (_whole, name: string) => ids[name] ?? ids['organizationId']!)

const call = (version: Version, operation: Operation, token: string | null): Promise<Answer> =>
  world.client.send(`/${version}${pathOf(operation)}`, {
    method: operation.method,
    token,
    ...(operation.method === 'GET' ? {} : { body: {} }),
  })

const nameOf = ({ method, path }: Operation): string => `${method} ${path}`

/** Asks all at once, twenty at a time, and tells for which the answer is not as it has to be. */
const unlike = async (
  version: Version,
  chosen: readonly Operation[],
  token: string | null,
  isRight: (answer: Answer, operation: Operation) => boolean,
): Promise<string[]> => {
  const wrong: string[] = []
  const left = chosen.filter((operation) => isAlive(version, operation))
  expect(left.length).toBeGreaterThan(10)
  while (left.length > 0)
    await Promise.all(
      left.splice(0, 20).map(async (operation) => {
        const answer = await call(version, operation, token)
        if (!isRight(answer, operation))
          wrong.push(`${nameOf(operation)}: ${answer.status} ${answer.text.slice(0, 200)}`)
      }),
    )
  return wrong
}

const own = (): string[] =>
  ['organizationId', 'jobId', 'copyJobId', 'repositoryId', 'sessionId', 'restoreSessionId'].map(
    (name) => ids[name]!,
  )

describe.each(VERSIONS)('in %s', (version) => {
  it('lets nobody in without a token, nor with one that has expired or is for something else', async () => {
    const others = version === NEWEST ? ['made-up', tokens.refresh] : []
    for (const token of [null, tokens.expired, ...others])
      expect(await unlike(version, guarded, token, ({ status }) => status === 401)).toEqual([])
  })

  it('answers another tenant with nothing on any object, and with no id of it in what it may list', async () => {
    const wrong = await unlike(version, guarded, tokens.foreign, ({ status, text }, operation) => {
      if (!NARROWED.has(nameOf(operation))) return status >= 400 && status !== 401
      return status < 500 && !own().some((id) => text.includes(id))
    })
    expect(wrong).toEqual([])
  })

  it('answers the tenant itself 403 where only an administrator may act', async () => {
    const chosen = guarded.filter(
      ({ access, actions }) => access.name === 'administrator' && actions === undefined,
    )
    expect(await unlike(version, chosen, tokens.own, ({ status }) => status === 403)).toEqual([])
  })

  it('lets an administrator read everything but what is a tenant’s own', async () => {
    const chosen = guarded.filter(({ method }) => method === 'GET')
    const wrong = await unlike(version, chosen, world.token, ({ status }, { access }) =>
      access.name === 'tenant' ? status === 403 : status !== 401 && status !== 403,
    )
    expect(wrong).toEqual([])
  })
})

it('changes nothing by all of that', async () => {
  const api = world.api('v8')
  for (const path of [
    `/Organizations/${ids['organizationId']}`,
    `/Jobs/${ids['jobId']}`,
    `/CopyJobs/${ids['copyJobId']}`,
    `/BackupRepositories/${ids['repositoryId']}`,
    `/JobSessions/${ids['sessionId']}`,
  ])
    expect((await api.get(path)).status, path).toBe(200)
  const session = await api.get(`/RestoreSessions/${ids['restoreSessionId']}`)
  expect(session.json()).toMatchObject({ state: 'Working' })
})
