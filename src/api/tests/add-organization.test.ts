import { startWorld, type World } from '#world'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { VERSIONS, type Version } from '../contract/versions.ts'

let world: World
beforeAll(async () => {
  world = await startWorld({ users: 3, mails: 1, files: 1 })
})
afterAll(async () => {
  await world[Symbol.asyncDispose]()
})
afterEach(async () => {
  const api = world.api('v4')
  for (const { id } of (await api.get('/Organizations')).json<{ id: string }[]>())
    await api.delete(`/Organizations/${id}`)
})

/** The request as the page of v4 prints it: names in camel and Pascal case side by side. */
const requestOfThePage = () => {
  const { admin, sharepointAdmin, application } = world.tenant
  return {
    type: 'Office365',
    region: 'Worldwide',
    isExchangeOnline: true,
    isSharePointOnline: true,
    exchangeOnlineSettings: {
      useMfa: true,
      grantAdminAccess: true,
      account: admin.account,
      Password: admin.appPassword,
      ApplicationId: application.id,
      ApplicationSecret: application.secret,
    },
    sharePointOnlineSettings: {
      useMfa: true,
      grantAdminAccess: true,
      account: sharepointAdmin.account,
      Password: sharepointAdmin.appPassword,
      ApplicationId: application.id,
      ApplicationSecret: application.secret,
    },
  }
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

it('answers the request of the page to the letter', async () => {
  const answer = await world.api('v4').post('/Organizations', requestOfThePage())
  expect(answer.status).toBe(201)
  expect(answer.headers['content-type']).toBe('application/json; charset=utf-8')
  const body = answer.json<{ id: string }>()
  expect(body.id).toMatch(UUID)
  const settings = {
    useApplicationOnlyAuth: false,
    officeOrganizationName: world.tenant.domain,
    sharePointSaveAllWebParts: false,
    grantAdminAccess: true,
    useMfa: true,
    applicationId: world.tenant.application.id,
  }
  const at = `${world.server.url}/v4/organizations/${body.id}`
  expect(body).toStrictEqual({
    id: body.id,
    type: 'Office365',
    region: 'Worldwide',
    name: world.tenant.domain,
    officeName: world.tenant.domain,
    isExchangeOnline: true,
    isSharePointOnline: true,
    exchangeOnlineSettings: { ...settings, account: world.tenant.admin.account },
    sharePointOnlineSettings: { ...settings, account: world.tenant.sharepointAdmin.account },
    isBackedup: false,
    _links: {
      self: { href: at },
      jobs: { href: `${at}/jobs` },
      groups: { href: `${at}/groups` },
      users: { href: `${at}/users` },
      sites: { href: `${at}/sites` },
      usedRepositories: { href: `${at}/usedRepositories` },
    },
    _actions: {},
  })
})

const CREATED: Record<Version, number> = { v4: 201, v5: 201, v6: 200, v7: 200, v8: 201 }
const DELETED: Record<Version, number> = { v4: 200, v5: 204, v6: 204, v7: 204, v8: 204 }
const CHANGED: Record<Version, number> = { v4: 200, v5: 200, v6: 204, v7: 204, v8: 204 }

describe.each(VERSIONS)('in %s', (version) => {
  it('adds, reads, changes and removes an organization', async () => {
    const api = world.api(version)
    const added = await api.post('/Organizations', requestOfThePage())
    expect(added.status).toBe(CREATED[version])
    const { id } = added.json<{ id: string }>()
    const read = await api.get(`/Organizations/${id}`)
    expect(read.status).toBe(200)
    expect(read.json()).toEqual(added.json())
    const change = { ...requestOfThePage(), isSharePointOnline: false }
    expect((await api.put(`/Organizations/${id}`, change)).status).toBe(CHANGED[version])
    expect((await api.get(`/Organizations/${id}`)).json()).toMatchObject({ isSharePointOnline: false })
    const removed = await api.delete(`/Organizations/${id}`)
    expect(removed.status).toBe(DELETED[version])
    expect(removed.text).toBe('')
    expect((await api.get(`/Organizations/${id}`)).status).toBe(404)
  })
})

it('refuses the same tenant twice with 409, and adds it once when asked twice at once', async () => {
  const api = world.api('v4')
  const both = await Promise.all([
    api.post('/Organizations', requestOfThePage()),
    api.post('/Organizations', requestOfThePage()),
  ])
  expect(both.map(({ status }) => status).sort()).toEqual([201, 409])
  const third = await api.post('/Organizations', requestOfThePage())
  expect(third.status).toBe(409)
  expect(third.json<{ message: string }>().message).toContain(world.tenant.domain)
})

it('takes one property for another in any letter case, and booleans as text', async () => {
  const text = JSON.stringify(requestOfThePage())
    .replace('"type":"Office365"', '"TYPE":"office365"')
    .replace('"region":"Worldwide"', '"Region":"worldwide"')
    .replaceAll('"useMfa":true', '"usemfa":"True"')
    .replace(/\}$/, ',}')
  const headers = { 'content-type': 'application/json' }
  const answer = await world.api('v4').send('/Organizations', { method: 'POST', body: text, headers })
  expect(answer.status).toBe(201)
})

it('takes the organization as a form', async () => {
  const { exchangeOnlineSettings, sharePointOnlineSettings: _, ...rest } = requestOfThePage()
  const form = new URLSearchParams(
    Object.entries({ ...rest, isSharePointOnline: false }).map(([name, value]): [string, string] => [
      name,
      String(value),
    ]),
  )
  for (const [name, value] of Object.entries(exchangeOnlineSettings))
    form.set(`exchangeOnlineSettings[${name}]`, String(value))
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const call = { method: 'POST', body: form.toString(), headers } as const
  expect((await world.api('v4').send('/Organizations', call)).status).toBe(201)
})

it('lists users and groups in pages of one listing', async () => {
  const api = world.api('v4')
  const { id } = await world.addOrganization()
  interface Page {
    offset: number
    limit: number
    setId: string
    results: { id: string; name: string }[]
    _links: Record<string, { href: string }>
  }
  const first = (await api.get(`/Organizations/${id}/Users?limit=2`)).json<Page>()
  expect(first).toMatchObject({ offset: 0, limit: 2 })
  expect(first.results).toHaveLength(2)
  expect(Object.keys(first._links).sort()).toEqual(['next', 'self'])
  const nextPath = first._links['next']!.href.replace(`${world.server.url}/v4`, '')
  expect(nextPath).toBe(`/organizations/${id}/users?offset=2&limit=2&setId=${first.setId}`)
  const second = (await api.get(nextPath)).json<Page>()
  expect(second.setId).toBe(first.setId)
  expect(Object.keys(second._links)).toContain('prev')
  const all = (await api.get(`/Organizations/${id}/Users?limit=1000000`)).json<Page>()
  expect(all.results.map(({ name }) => name)).toEqual(
    expect.arrayContaining(first.results.map((u) => u.name)),
  )
  const user = await api.get(`/Organizations/${id}/Users/${first.results[0]!.id}`)
  expect(user.json()).toEqual(first.results[0])
  const groups = (await api.get(`/Organizations/${id}/Groups?limit=1`)).json<Page>()
  const group = groups.results[0]!
  expect((await api.get(`/Organizations/${id}/Groups/${group.id}`)).json()).toEqual(group)
  const members = await api.get(`/Organizations/${id}/Groups/${group.id}/Members`)
  expect(members.status).toBe(200)
})

it('answers 501 for what is right but not built, and stores nothing', async () => {
  const settings = {
    serverName: 'exchange.example',
    username: 'EXAMPLE\\backup',
    password: 'x',
    useSSL: true,
  }
  const body = { type: 'OnPremises', isExchange: true, exchangeSettings: settings }
  const answer = await world.api('v4').post('/Organizations', body)
  expect(answer.status).toBe(501)
  expect((await world.api('v4').get('/Organizations')).json()).toEqual([])
})

it('answers 400 for credentials that Microsoft refuses', async () => {
  const body = requestOfThePage()
  body.exchangeOnlineSettings.ApplicationSecret = 'wrong'
  const answer = await world.api('v4').post('/Organizations', body)
  expect(answer.status).toBe(400)
  expect(answer.json<{ message: string }>().message).toContain('exchangeOnlineSettings')
})
