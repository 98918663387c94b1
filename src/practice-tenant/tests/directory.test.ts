import { FixedClock } from '#base'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { validateGraph } from '../../../tests/data/validate-graph.ts'
import { startPracticeTenant, type PracticeTenant } from '../index.ts'
import { http } from './http.ts'

type Thing = Record<string, unknown> & { id: string }
interface Page {
  '@odata.context': string
  '@odata.nextLink'?: string
  '@odata.deltaLink'?: string
  '@odata.count'?: number
  value: Thing[]
}

const clock = new FixedClock('2026-11-24T09:00:00Z')
let tenant: PracticeTenant
let editor: string

beforeAll(async () => {
  tenant = await startPracticeTenant({ seed: { users: 250 }, clock, parts: [], throttling: false })
  renew()
})
afterAll(async () => {
  await tenant[Symbol.asyncDispose]()
})

const renew = () => {
  const roles = [
    'Directory.ReadWrite.All',
    'User.ReadWrite.All',
    'Group.ReadWrite.All',
    'MailboxSettings.Read',
    'Application.Read.All',
  ]
  editor = tenant.token({ application: tenant.editor.id, roles })
}

const call = (method: string, path: string, body?: object, headers: Record<string, string> = {}) =>
  http(path.startsWith('https:') ? path : `${tenant.origin('graph')}/v1.0${path}`, {
    method,
    ca: tenant.ca,
    headers: { authorization: `Bearer ${editor}`, ...headers },
    ...(body === undefined ? {} : { body }),
  })
const get = async (path: string, headers?: Record<string, string>): Promise<Page> => {
  const answer = await call('GET', path, undefined, headers)
  expect(answer.status, answer.text).toBe(200)
  return answer.json<Page>()
}
const codeOf = async (path: string, headers?: Record<string, string>) => {
  const answer = await call('GET', path, undefined, headers)
  return [answer.status, answer.json<{ error: { code: string } }>().error.code]
}
const round = async (link: string): Promise<{ all: Thing[]; deltaLink: string }> => {
  const all: Thing[] = []
  for (let pages = 0; pages < 20; pages += 1) {
    const page = await get(link)
    all.push(...page.value)
    if (page['@odata.deltaLink'] !== undefined) return { all, deltaLink: page['@odata.deltaLink'] }
    link = page['@odata.nextLink']!
  }
  throw new Error('the round does not end')
}
const eventual = { consistencylevel: 'eventual' }

describe('users', () => {
  it('are shown with the default properties, or with those that were selected', async () => {
    const { value } = await get('/users?$top=1')
    expect(Object.keys(value[0]!).sort()).toEqual([
      'businessPhones', 'displayName', 'givenName', 'id', 'jobTitle', 'mail', 'mobilePhone', 'officeLocation',
      'preferredLanguage', 'surname', 'userPrincipalName',
    ]) // prettier-ignore
    const selected = await get('/users?$top=1&$select=id,userType,assignedLicenses')
    expect(Object.keys(selected.value[0]!)).toEqual(['id', 'userType', 'assignedLicenses'])
    expect(selected['@odata.context']).toBe(
      `${tenant.origin('graph')}/v1.0/$metadata#users(id,userType,assignedLicenses)`,
    )
  })

  it('come in pages, each user once', async () => {
    const seen: string[] = []
    let link: string | undefined = '/users?$top=100&$select=id'
    while (link !== undefined && seen.length < 1000) {
      const page: Page = await get(link)
      seen.push(...page.value.map(({ id }) => id))
      link = page['@odata.nextLink']
    }
    expect(seen).toHaveLength(252)
    expect(new Set(seen).size).toBe(252)
  })

  it.each([
    ["userType eq 'Guest'", ({ userPrincipalName: name }: Thing) => String(name).includes('#EXT#')],
    ["startswith(displayName,'ali')", ({ displayName }: Thing) => /^ali/i.test(String(displayName))],
    [
      "accountEnabled eq false and startsWith(displayName,'Room')",
      ({ displayName }: Thing) => /^Room/.test(String(displayName)),
    ],
    [
      'assignedLicenses/any(s:s/skuId eq 6fd2c87f-b296-42f0-b197-1e91e994b900)',
      ({ assignedLicenses }: Thing) => (assignedLicenses as unknown[]).length === 1,
    ],
    [
      "(jobTitle in ('Nurse','Analyst')) or jobTitle eq 'Buyer'",
      ({ jobTitle }: Thing) => ['Nurse', 'Analyst', 'Buyer'].includes(String(jobTitle)),
    ],
  ])('are filtered by %s', async (filter, holds) => {
    const select = '$select=id,displayName,userPrincipalName,jobTitle,assignedLicenses'
    const every = (await get(`/users?$top=999&${select}`)).value.filter(holds)
    const found = (await get(`/users?$top=999&${select}&$filter=${encodeURIComponent(filter)}`)).value
    expect(found.length).toBeGreaterThan(0)
    expect(found).toEqual(every)
  })

  it('need ConsistencyLevel and a count for what is dear', async () => {
    const filter = encodeURIComponent("userType ne 'Guest'")
    expect(await codeOf(`/users?$filter=${filter}`)).toEqual([400, 'Request_UnsupportedQuery'])
    const page = await get(`/users?$filter=${filter}&$count=true&$top=5`, eventual)
    expect(page['@odata.count']).toBeGreaterThan(200)
    const found = await get('/users?$search="displayName:Ali"&$count=true', eventual)
    expect(found.value.every(({ displayName }) => String(displayName).startsWith('Ali'))).toBe(true)
    expect((await call('GET', '/users/$count', undefined, eventual)).text).toBe('252')
  })

  it.each([
    ['/users?$top=1000', 400, 'Request_BadRequest'],
    ['/users?$select=nothing', 400, 'Request_BadRequest'],
    ['/users?$foo=1', 400, 'BadRequest'],
    ['/users?$filter=displayName%20eq', 400, 'Request_UnsupportedQuery'],
    ['/users/nobody@contoso.onmicrosoft.com', 404, 'Request_ResourceNotFound'],
  ])('refuse %s', async (path, status, code) => {
    expect(await codeOf(path)).toEqual([status, code])
  })

  it('tell the kind of their mailbox, or that there is none', async () => {
    const people = [...tenant.state.users()]
    for (const kind of ['user', 'shared', 'room'] as const) {
      const { id } = people.find(({ mailboxKind }) => mailboxKind === kind)!
      expect((await get(`/users/${id}/mailboxSettings`)) as unknown).toMatchObject({ userPurpose: kind })
    }
    const without = people.find(({ mailboxKind }) => mailboxKind === 'none')!
    expect(await codeOf(`/users/${without.id}/mailboxSettings`)).toEqual([404, 'MailboxNotEnabledForRESTAPI'])
  })

  it('are found by delta when they were made, renamed, deleted, restored and purged', async () => {
    const first = await round('/users/delta?$select=id,displayName,userPrincipalName')
    expect(first.all).toHaveLength(252)
    const made = (
      await call('POST', '/users', {
        accountEnabled: true,
        displayName: 'Renée',
        mailNickname: 'renee',
        userPrincipalName: `renee@${tenant.domain}`,
        passwordProfile: { password: 'Aa1-long-enough' },
      })
    ).json<Thing>()
    await call('PATCH', `/users/${made.id}`, { displayName: 'Renée Roux' })
    const gone = first.all[20]!
    expect((await call('DELETE', `/users/${gone.id}`)).status).toBe(204)
    const second = await round(first.deltaLink)
    expect(second.all).toEqual([
      { id: made.id, displayName: 'Renée Roux', userPrincipalName: `renee@${tenant.domain}` },
      { id: gone.id, '@removed': { reason: 'changed' } },
    ])
    const deleted = await get('/directory/deletedItems/microsoft.graph.user')
    expect(deleted.value.map(({ displayName }) => displayName)).toEqual([
      gone['displayName'],
      'Former Colleague',
    ])
    expect((await call('POST', `/directory/deletedItems/${gone.id}/restore`, {})).status).toBe(200)
    await call('DELETE', `/users/${made.id}`)
    expect((await call('DELETE', `/directory/deletedItems/${made.id}`)).status).toBe(204)
    const third = await round(second.deltaLink)
    expect(third.all).toEqual([gone, { id: made.id, '@removed': { reason: 'deleted' } }])
    expect((await round(third.deltaLink)).all).toEqual([])
  })

  it('cannot be given values of another type', async () => {
    const { id } = [...tenant.state.users()][2]!
    for (const change of [
      { displayName: 5 },
      { displayName: null },
      { accountEnabled: 'yes' },
      { userType: 'Guest' },
      { colour: 'red' },
    ]) {
      const answer = await call('PATCH', `/users/${id}`, change)
      expect([answer.status, answer.json<{ error: { code: string } }>().error.code]).toEqual([
        400,
        'Request_BadRequest',
      ])
    }
  })

  it('get a mailbox and a drive with a licence', async () => {
    const made = (
      await call('POST', '/users', {
        accountEnabled: true,
        displayName: 'New',
        mailNickname: 'new',
        userPrincipalName: `new@${tenant.domain}`,
      })
    ).json<Thing>()
    expect(tenant.state.user(made.id)).toMatchObject({ mailboxKind: 'none', hasDrive: false })
    const skuId = '6fd2c87f-b296-42f0-b197-1e91e994b900'
    const licensed = await call('POST', `/users/${made.id}/assignLicense`, {
      addLicenses: [{ skuId }],
      removeLicenses: [],
    })
    expect(licensed.status).toBe(200)
    expect(tenant.state.user(`new@${tenant.domain}`)).toMatchObject({ mailboxKind: 'user', hasDrive: true })
    expect((await get(`/users/${made.id}/licenseDetails`)).value).toMatchObject([{ skuId }])
  })

  it('end a delta after seven days, with the address to begin again', async () => {
    const { deltaLink } = await round('/users/delta?$deltatoken=latest')
    clock.advance(8 * 24 * 3600 * 1000)
    renew()
    const answer = await call('GET', deltaLink)
    expect(answer.status).toBe(410)
    expect(answer.headers['location']).toBe(`${tenant.origin('graph')}/v1.0/users/delta?$deltatoken=`)
  })
})

describe('groups', () => {
  const named = async (name: string): Promise<Thing> =>
    (await get(`/groups?$filter=${encodeURIComponent(`displayName eq '${name}'`)}`)).value[0]!

  it('come in every kind', async () => {
    const { value } = await get('/groups')
    const kinds = value.map((group) =>
      [group['groupTypes'], group['mailEnabled'], group['securityEnabled']].join(),
    )
    expect(new Set(kinds)).toEqual(
      new Set([
        'Unified,true,false',
        ',true,false',
        ',true,true',
        ',false,true',
        'DynamicMembership,false,true',
      ]),
    )
  })

  it('are followed through a circle once', async () => {
    const outer = await named('Outer circle')
    const inner = await named('Inner circle')
    const { value } = await get(`/groups/${outer.id}/transitiveMembers?$top=999`)
    const ids = value.map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids).toEqual(expect.arrayContaining([inner.id, outer.id]))
    const users = await get(`/groups/${outer.id}/transitiveMembers/microsoft.graph.user?$select=id`)
    expect(users.value.length).toBe(ids.length - 2)
  })

  it('tell who came and who went', async () => {
    const group = await named('VPN users')
    const { deltaLink } = await round('/groups/delta?$select=displayName,members')
    const people = [...tenant.state.users()]
    const came = people[1]!
    const went = people[0]!
    const reference = { '@odata.id': `https://graph.microsoft.com/v1.0/directoryObjects/${came.id}` }
    expect((await call('POST', `/groups/${group.id}/members/$ref`, reference)).status).toBe(204)
    expect((await call('POST', `/groups/${group.id}/members/$ref`, reference)).status).toBe(400)
    expect((await call('DELETE', `/groups/${group.id}/members/${went.id}/$ref`)).status).toBe(204)
    const { all } = await round(deltaLink)
    expect(all).toHaveLength(1)
    expect(all[0]!['members@delta']).toEqual(
      expect.arrayContaining([
        { '@odata.type': '#microsoft.graph.user', id: came.id },
        { '@odata.type': '#microsoft.graph.user', id: went.id, '@removed': { reason: 'deleted' } },
      ]),
    )
  })

  it('can be made, changed, deleted and restored', async () => {
    const wish = {
      displayName: 'Choir',
      mailNickname: 'choir',
      mailEnabled: true,
      securityEnabled: false,
      groupTypes: ['Unified'],
    }
    const made = await call('POST', '/groups', wish)
    expect(made.status).toBe(201)
    const { id } = made.json<Thing>()
    expect((await call('PATCH', `/groups/${id}`, { description: 'Sings' })).status).toBe(204)
    expect((await call('DELETE', `/groups/${id}`)).status).toBe(204)
    expect(await codeOf(`/groups/${id}`)).toEqual([404, 'Request_ResourceNotFound'])
    await call('POST', `/directory/deletedItems/${id}/restore`, {})
    expect((await get(`/groups/${id}`)) as unknown).toMatchObject({
      description: 'Sings',
      mail: `choir@${tenant.domain}`,
    })
  })
})

describe('answers', () => {
  it('hold no property that Microsoft does not know', async () => {
    const everything = 'id,' + [...(await import('../directory/user-routes.ts')).USER_DEFAULTS].join()
    const id = [...tenant.state.users()][0]!.id
    const paths: [type: string, path: string][] = [
      [
        'user',
        `/users?$top=50&$select=${everything},proxyAddresses,assignedPlans,deletedDateTime,securityIdentifier`,
      ],
      ['group', '/groups?$expand=members'],
      ['organization', '/organization'],
      ['subscribedSku', '/subscribedSkus'],
      ['licenseDetails', `/users/${id}/licenseDetails`],
      ['servicePrincipal', '/servicePrincipals'],
    ]
    for (const [type, path] of paths) {
      const { value } = await get(path)
      expect(value.length, path).toBeGreaterThan(0)
      expect(
        value.flatMap((thing) => validateGraph(type, thing)),
        path,
      ).toEqual([])
    }
    expect(validateGraph('mailboxSettings', await get(`/users/${id}/mailboxSettings`))).toEqual([])
  })

  it('resolve the roles of the backup application to names', async () => {
    const graph = (await get("/servicePrincipals?$filter=appId eq '00000003-0000-0000-c000-000000000000'"))
      .value[0]!
    const names = new Map(
      (graph['appRoles'] as { id: string; value: string }[]).map(({ id, value }) => [id, value]),
    )
    const { value } = await get(`/servicePrincipals(appId='${tenant.application.id}')/appRoleAssignments`)
    const granted = value
      .filter(({ resourceId }) => resourceId === graph.id)
      .map(({ appRoleId }) => names.get(String(appRoleId)))
    expect(granted).toEqual(
      expect.arrayContaining(['Mail.ReadWrite', 'User.Read.All', 'Files.ReadWrite.All']),
    )
    expect(granted).not.toContain(undefined)
  })
})
