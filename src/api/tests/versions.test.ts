import { startWorld, type World } from '#world'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isBefore, VERSIONS, type Version } from '../contract/versions.ts'

let world: World
let organizationId: string
let repositoryId: string
let jobId: string
let sessionId: string
beforeAll(async () => {
  world = await startWorld({ users: 2, mails: 2, files: 2 })
  organizationId = (await world.addOrganization()).id
  const api = world.api('v8')
  repositoryId = (await api.get('/BackupRepositories')).json<{ results: { id: string }[] }>().results[0]!.id
  const user = (await api.get(`/Organizations/${organizationId}/Users`)).json<{ results: { id: string }[] }>()
    .results[0]!
  const selectedItems = [{ type: 'User', user: { id: user.id }, mailbox: true, oneDrive: true }]
  const job = { name: 'one', backupType: 'SelectedItems', organizationId, repositoryId, selectedItems }
  const added = await api.post('/Jobs', job)
  expect(added.status).toBe(201)
  jobId = added.json<{ id: string }>().id
  const started = await api.post(`/Jobs/${jobId}/start`)
  expect(started.status).toBe(200)
  sessionId = started.json<{ id: string }>().id
  await ended()
})
afterAll(async () => {
  await world[Symbol.asyncDispose]()
})

const ended = async (): Promise<void> => {
  for (let turn = 0; turn < 200; turn += 1) {
    const session = (await world.api('v8').get(`/JobSessions/${sessionId}`)).json<{
      endTime: string | null
    }>()
    if (session.endTime !== null) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('the session does not end')
}

const LISTS: readonly (readonly [path: () => string, pagedSince: Version])[] = [
  [() => '/Organizations', 'v8'],
  [() => '/Jobs', 'v8'],
  [() => '/BackupRepositories', 'v8'],
  [() => '/Proxies', 'v8'],
  [() => `/Jobs/${jobId}/SelectedItems`, 'v8'],
  [() => `/Organizations/${organizationId}/Jobs`, 'v8'],
  [() => `/Organizations/${organizationId}/usedRepositories`, 'v6'],
  [() => `/Jobs/${jobId}/JobSessions`, 'v5'],
  [() => '/JobSessions', 'v5'],
  [() => `/JobSessions/${sessionId}/LogItems`, 'v4'],
  [() => `/Organizations/${organizationId}/Users`, 'v4'],
  [() => `/Organizations/${organizationId}/Groups`, 'v4'],
  [() => '/RestoreSessions', 'v4'],
]

describe.each(VERSIONS)('%s', (version) => {
  it('answers lists as bare arrays or pages as the version has them', async () => {
    for (const [path, pagedSince] of LISTS) {
      const body = (await world.api(version).get(path())).json<unknown>()
      if (isBefore(version, pagedSince)) expect(body, path()).toBeInstanceOf(Array)
      else expect(body, path()).toMatchObject({ offset: 0, limit: 30, results: expect.any(Array) as unknown })
    }
  })

  it('writes absolute links up to v5 and links without a host from v6', async () => {
    const job = (await world.api(version).get(`/Jobs/${jobId}`)).json<{
      _links: Record<string, { href: string }>
    }>()
    const origin = isBefore(version, 'v6') ? world.server.url : ''
    const hrefs = Object.values(job._links).map(({ href }) => href)
    expect(hrefs.length).toBeGreaterThan(4)
    for (const href of hrefs) expect(href.startsWith(`${origin}/${version}/`)).toBe(true)
    expect(job._links['organization']!.href.split('/').at(-1)).toBe(organizationId)
    const followed = await world.client.send(
      job._links['selectedItems']!.href.replace(world.server.url, ''),
      { token: world.token },
    )
    expect(followed.status).toBe(200)
  })

  it('answers what its OpenAPI document says, closed objects and all', async () => {
    const document = (await world.client.send(`/${version}/swagger.json`)).json<Document>()
    const faultsIn = answerCheck(document)
    const paths: readonly (readonly [template: string, path: string])[] = [
      ['/Organizations', '/Organizations'],
      ['/Organizations/{organizationId}', `/Organizations/${organizationId}`],
      ['/Organizations/{organizationId}/Users', `/Organizations/${organizationId}/Users`],
      ['/Organizations/{organizationId}/Groups', `/Organizations/${organizationId}/Groups`],
      [
        '/Organizations/{organizationId}/usedRepositories',
        `/Organizations/${organizationId}/usedRepositories`,
      ],
      ['/Jobs', '/Jobs'],
      ['/Jobs/{jobId}', `/Jobs/${jobId}`],
      ['/Jobs/{jobId}/SelectedItems', `/Jobs/${jobId}/SelectedItems`],
      ['/JobSessions', '/JobSessions'],
      ['/JobSessions/{sessionId}', `/JobSessions/${sessionId}`],
      ['/JobSessions/{sessionId}/LogItems', `/JobSessions/${sessionId}/LogItems`],
      ['/BackupRepositories', '/BackupRepositories'],
      ['/BackupRepositories/{repositoryId}', `/BackupRepositories/${repositoryId}`],
      ['/Proxies', '/Proxies'],
      ['/ServiceInstance', '/ServiceInstance'],
    ]
    for (const [template, path] of paths) {
      const answer = await world.api(version).get(path)
      expect(answer.status, path).toBe(200)
      expect(faultsIn(`/${version}${template}`, answer.json()), path).toEqual([])
    }
  })
})

type Document = object

/** What an answer has beside or against its schema; objects are closed for this. */
const answerCheck = (document: Document) => {
  const text = JSON.stringify(document).replaceAll(
    '"properties":{',
    '"additionalProperties":false,"properties":{',
  )
  const ajv = new Ajv({ strict: false, allErrors: true })
  addFormats.default(ajv)
  ajv.addSchema(JSON.parse(text) as object, 'document')
  return (path: string, answer: unknown): readonly string[] => {
    const pointer = `/paths/${path.replaceAll('/', '~1')}/get/responses/200/content/application~1json/schema`
    const validate = ajv.compile({ $ref: `document#${encodeURI(pointer)}` })
    if (validate(answer)) return []
    return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message ?? ''}`)
  }
}

it('says how a session went in all versions, with an end time', async () => {
  for (const version of VERSIONS) {
    const session = (await world.api(version).get(`/JobSessions/${sessionId}`)).json<
      Record<string, unknown>
    >()
    expect(session).toMatchObject({
      id: sessionId,
      status: expect.stringMatching(/Success|Warning/) as string,
      endTime: expect.any(String) as string,
    })
    expect(session['statistics']).toMatchObject({
      bottleneck: expect.stringMatching(/NA|Source|Target/) as string,
    })
  }
})

it('calls the words of a region by the name of the version', async () => {
  const { application, admin } = world.tenant
  const body = {
    type: 'Office365',
    region: 'USDefence',
    isExchangeOnline: true,
    exchangeOnlineSettings: {
      useMfa: true,
      account: admin.account,
      password: 'x',
      applicationId: application.id,
    },
  }
  const refused = await world.api('v4').post('/Organizations', body)
  expect(refused.text).not.toContain('region')
  const wrong = (await world.api('v4').post('/Organizations', { ...body, region: 'x' })).text
  expect(wrong).toContain('USgovDefence')
  expect((await world.api('v6').post('/Organizations', { ...body, region: 'x' })).text).toContain('USDefence')
})
