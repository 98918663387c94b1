import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { PracticeTenant } from '../../core/practice-tenant.ts'
import { DriveClient, errorOf, MovingClock, startDrives, type Item, type Page } from './drive-world.ts'

interface Permission {
  readonly id: string
  readonly roles: readonly string[]
  readonly inheritedFrom?: { readonly id: string }
  readonly grantedToV2?: { readonly user: { readonly email: string } }
  readonly link?: { readonly type: string; readonly scope: string; readonly webUrl: string }
  readonly hasPassword?: boolean
}

describe('changes of a drive', () => {
  let tenant: PracticeTenant
  let client: DriveClient
  let base: Item
  let n = 0

  beforeAll(async () => {
    tenant = await startDrives(new MovingClock(), { files: 5 })
    client = DriveClient.of(tenant, 0)
  })
  afterAll(() => tenant[Symbol.asyncDispose]())

  beforeEach(async () => {
    n += 1
    base = (
      await client.call('POST', '/root/children', { body: { name: `case ${n}`, folder: {} } })
    ).json<Item>()
  })

  const put = (name: string, body = name): Promise<Item> => client.put(`case ${n}/${name}`, body)
  const patch = (item: Item, body: object, headers: Record<string, string> = {}) =>
    client.call('PATCH', `/items/${item.id}`, { body, headers })
  const names = async (folder: Item = base): Promise<string[]> =>
    (await client.pages(`/items/${folder.id}/children`)).items.map(({ name }) => name)

  it('make folders with each conflict behaviour', async () => {
    const make = (conflict?: string) =>
      client.call('POST', `/items/${base.id}/children`, {
        body: {
          name: 'F',
          folder: {},
          ...(conflict === undefined ? {} : { '@microsoft.graph.conflictBehavior': conflict }),
        },
      })
    const first = await make()
    expect(first.status).toBe(201)
    expect(errorOf(await make())).toEqual({ status: 409, code: 'nameAlreadyExists' })
    expect((await make('rename')).json<Item>().name).toBe('F 1')
    expect((await make('replace')).json<Item>().id).toBe(first.json<Item>().id)
    expect(await names()).toEqual(['F', 'F 1'])
  })

  it.each([
    'a"b',
    'a*b',
    'a:b',
    'a<b',
    'a>b',
    'a?b',
    'a/b',
    'a\\b',
    'a|b',
    ' a',
    'a ',
    '~$a',
    'CON',
    '.lock',
    '',
    'x'.repeat(256),
  ])('refuse the name %j', async (name) => {
    const made = await client.call('POST', `/items/${base.id}/children`, { body: { name, folder: {} } })
    expect(errorOf(made)).toEqual({ status: 400, code: 'invalidRequest' })
    const file = await put('named.txt')
    expect((await patch(file, { name })).status).toBe(400)
    expect(await names()).toEqual(['named.txt'])
  })

  it('refuse a path of more than 400 characters', async () => {
    const long = 'd'.repeat(150)
    const put = (path: string) =>
      client.call('PUT', `/items/${base.id}:/${path}:/content`, { body: Buffer.from('x') })
    expect((await put(`${long}/${long}/f.txt`)).status).toBe(201)
    expect((await put(`${long}/${long}/${long}.txt`)).status).toBe(400)
  })

  it('rename, move, date and describe, each with a new eTag and the old cTag', async () => {
    const file = await put('one.txt')
    const folder = (
      await client.call('POST', `/items/${base.id}/children`, { body: { name: 'to', folder: {} } })
    ).json<Item>()
    const fileSystemInfo = {
      createdDateTime: '2001-01-01T00:00:00Z',
      lastModifiedDateTime: '2002-02-02T00:00:00Z',
    }
    const changed = await patch(file, {
      name: 'Two.txt',
      parentReference: { id: folder.id },
      fileSystemInfo,
      description: 'D',
    })
    expect(changed.json()).toMatchObject({
      id: file.id,
      name: 'Two.txt',
      fileSystemInfo,
      description: 'D',
      cTag: file.cTag,
    })
    expect(changed.json<Item>().eTag).not.toBe(file.eTag)
    expect(changed.json<Item>().parentReference.id).toBe(folder.id)
    expect(await names(folder)).toEqual(['Two.txt'])
    expect((await patch(changed.json<Item>(), { name: 'TWO.txt' })).json<Item>().name).toBe('TWO.txt')
  })

  it('refuse to move a folder into itself, to take a taken name, to touch the root', async () => {
    const inner = (
      await client.call('POST', `/items/${base.id}/children`, { body: { name: 'in', folder: {} } })
    ).json<Item>()
    expect((await patch(base, { parentReference: { id: inner.id } })).status).toBe(400)
    const [a] = [await put('a.txt'), await put('b.txt')]
    expect((await patch(a, { name: 'B.TXT' })).status).toBe(409)
    expect(
      (await patch(a, { name: 'B.TXT', '@microsoft.graph.conflictBehavior': 'rename' })).json<Item>().name,
    ).toBe('B 1.TXT')
    const root = await client.item('/root')
    expect((await patch(root, { name: 'x' })).status).toBe(400)
    expect((await client.call('DELETE', `/items/${root.id}`)).status).toBe(400)
    const copied = await client.call('POST', `/items/${base.id}/copy`, {
      body: { parentReference: { id: inner.id } },
    })
    const monitor = String(copied.headers['location'])
    await client.plain('GET', monitor)
    expect((await client.plain('GET', monitor)).json()).toMatchObject({ status: 'failed' })
  })

  it('heed If-Match when changing and deleting', async () => {
    const file = await put('matched.txt')
    expect(errorOf(await patch(file, { name: 'x.txt' }, { 'if-match': '"{0},1"' }))).toEqual({
      status: 412,
      code: 'resourceModified',
    })
    expect((await patch(file, { name: 'x.txt' }, { 'if-match': file.eTag })).status).toBe(200)
    expect(
      (await client.call('DELETE', `/items/${file.id}`, { headers: { 'if-match': file.eTag } })).status,
    ).toBe(412)
    expect((await client.call('DELETE', `/items/${file.id}`, { headers: { 'if-match': '*' } })).status).toBe(
      204,
    )
  })

  it('answer 423 for a file that is open elsewhere', async () => {
    const file = await put('locked-plan.txt')
    const attempts = [
      await patch(file, { name: 'x' }),
      await client.call('PUT', `/items/${file.id}/content`, { body: Buffer.from('y') }),
      await client.call('DELETE', `/items/${file.id}`),
      await client.call('GET', `/items/${file.id}/content`),
    ]
    expect(attempts.map((answer) => errorOf(answer).status)).toEqual([423, 423, 423, 423])
  })

  it('delete into the recycle bin and restore a folder with all that went with it', async () => {
    await put('F/G/deep.txt')
    await put('F/top.txt')
    const early = await put('F/early.txt')
    await client.call('DELETE', `/items/${early.id}`)
    const folder = await client.item(`/root:/case ${n}/F`.replaceAll(' ', '%20'))
    const used = (await client.item('/root')).size
    expect((await client.call('DELETE', `/items/${folder.id}`)).status).toBe(204)
    expect(errorOf(await client.call('GET', `/items/${folder.id}`))).toEqual({
      status: 404,
      code: 'itemNotFound',
    })
    expect((await client.item('/root')).size).toBe(used - folder.size)
    await put('F')
    const restored = await client.call('POST', `/items/${folder.id}/restore`)
    expect([restored.status, restored.json<Item>().name]).toEqual([200, 'F 1'])
    expect(await names(folder)).toEqual(['G', 'top.txt'])
    expect((await client.content(`/items/${folder.id}:/G/deep.txt:`)).toString()).toBe('F/G/deep.txt')
    expect((await client.call('POST', `/items/${early.id}/restore`)).status).toBe(200)
    expect((await client.call('POST', `/items/${folder.id}/restore`)).status).toBe(404)
  })

  it('delete for good, and keep the bytes that a copy still needs', async () => {
    const file = await put('gone.txt')
    await client.call('POST', `/items/${file.id}/copy`, { body: { name: 'kept.txt' } })
    expect((await client.call('POST', `/items/${file.id}/permanentDelete`)).status).toBe(204)
    expect((await client.call('POST', `/items/${file.id}/restore`)).status).toBe(404)
    expect(await names()).toEqual(['kept.txt'])
    expect((await client.content(`/items/${base.id}:/kept.txt:`)).toString()).toBe('gone.txt')
    const kept = await client.item(`/items/${base.id}:/kept.txt`)
    const contents = () =>
      tenant.state.db.prepare('SELECT count(*) AS n FROM drive_contents').get() as { n: number }
    const before = contents().n
    await client.call('POST', `/items/${kept.id}/permanentDelete`)
    expect(contents().n).toBe(before - 1)
  })

  it('copy a folder behind the caller’s back, into another drive, too', async () => {
    await put('F/one.txt')
    await put('F/G/two.txt')
    const folder = await client.item(`/items/${base.id}:/F`)
    const other = DriveClient.of(tenant, 1)
    const parentReference = { driveId: await other.id(), id: (await other.item('/root')).id }
    const copied = await client.call('POST', `/items/${folder.id}/copy`, {
      body: { parentReference, name: `copy ${n}` },
    })
    expect(copied.status).toBe(202)
    const monitor = String(copied.headers['location'])
    expect((await client.plain('GET', monitor)).status).toBe(202)
    const done = (await client.plain('GET', monitor)).json<{ status: string; resourceId: string }>()
    expect(done.status).toBe('completed')
    expect((await other.content(`/items/${done.resourceId}:/G/two.txt:`)).toString()).toBe('F/G/two.txt')
  })

  it('keep earlier versions, give their bytes, and bring one back', async () => {
    const file = await put('v.txt', 'first')
    await put('v.txt', 'second')
    await put('v.txt', 'third')
    const versions = (await client.call('GET', `/items/${file.id}/versions`)).json<Page>().value
    expect(versions.map(({ id, size }) => [id, size])).toEqual([
      ['3.0', 5],
      ['2.0', 6],
      ['1.0', 5],
    ])
    expect((await client.content(`/items/${file.id}/versions/1.0`)).toString()).toBe('first')
    expect((await client.call('GET', `/items/${file.id}/versions/3.0/content`)).status).toBe(400)
    expect((await client.call('GET', `/items/${file.id}/versions/9.0/content`)).status).toBe(404)
    expect((await client.call('POST', `/items/${file.id}/versions/1.0/restoreVersion`)).status).toBe(204)
    expect((await client.content(`/items/${file.id}`)).toString()).toBe('first')
    expect((await client.call('GET', `/items/${file.id}/versions`)).json<Page>().value).toHaveLength(4)
  })

  it('have seeded files with earlier versions whose bytes differ', async () => {
    await using seeded = await startDrives(new MovingClock(), { files: 10, users: 1 })
    const alone = DriveClient.of(seeded, 0)
    const { items } = await alone.pages('/root/delta')
    const counts = await Promise.all(
      items
        .filter(({ file }) => file !== undefined)
        .map(
          async ({ id }) =>
            [id, (await alone.call('GET', `/items/${id}/versions`)).json<Page>().value] as const,
        ),
    )
    const [id, versions] = counts.find(([, list]) => list.length > 1)!
    const earlier = await alone.content(`/items/${id}/versions/${versions.at(-1)!.id}`)
    expect(earlier.length).toBe(versions.at(-1)!.size)
    expect(earlier.equals(await alone.content(`/items/${id}`))).toBe(false)
  })

  const permissions = async (item: Item): Promise<readonly Permission[]> =>
    (await client.call('GET', `/items/${item.id}/permissions`)).json<{ value: Permission[] }>().value
  const invite = (item: Item, body: object) => client.call('POST', `/items/${item.id}/invite`, { body })

  it('share with people, below the folder, too, and stop when told', async () => {
    const bob = DriveClient.of(tenant, 1).user
    const file = await put('F/shared.txt')
    const folder = await client.item(`/items/${base.id}:/F`)
    const answer = await invite(folder, {
      recipients: [{ email: bob }],
      roles: ['write'],
      requireSignIn: true,
      sendInvitation: false,
    })
    const [given] = answer.json<{ value: Permission[] }>().value
    expect([answer.status, given?.grantedToV2?.user.email, given?.roles]).toEqual([200, bob, ['write']])
    expect(await permissions(file)).toEqual([
      expect.objectContaining({
        id: given!.id,
        inheritedFrom: expect.objectContaining({ id: folder.id }) as object,
      }),
      expect.objectContaining({ roles: ['owner'] }),
    ])
    expect((await client.item(`/items/${file.id}`)).shared).toEqual({ scope: 'users' })
    const place = `/items/${folder.id}/permissions/${given!.id}`
    expect((await client.call('DELETE', `/items/${file.id}/permissions/${given!.id}`)).status).toBe(400)
    expect((await client.call('PATCH', place, { body: { roles: ['read'] } })).json()).toMatchObject({
      roles: ['read'],
    })
    expect((await client.call('DELETE', place)).status).toBe(204)
    expect(await permissions(file)).toHaveLength(1)
    const owner = (await permissions(file))[0]!
    const root = await client.item('/root')
    expect((await client.call('DELETE', `/items/${root.id}/permissions/${owner.id}`)).status).toBe(403)
  })

  it('invite one person once, break inheritance when asked, and refuse who is unknown', async () => {
    const [bob, chloe] = [DriveClient.of(tenant, 1).user, DriveClient.of(tenant, 2).user]
    const file = await put('F/own.txt')
    await invite(base, { recipients: [{ email: bob }], roles: ['read'] })
    await invite(file, { recipients: [{ email: chloe }], roles: ['read'] })
    await invite(file, {
      recipients: [{ alias: chloe }],
      roles: ['write'],
      retainInheritedPermissions: false,
    })
    const list = await permissions(file)
    expect(list.map(({ roles, grantedToV2 }) => [grantedToV2?.user.email, roles])).toEqual([
      [chloe, ['write']],
      [client.user, ['owner']],
    ])
    const unknown = await invite(file, { recipients: [{ email: 'nobody@example.com' }], roles: ['read'] })
    expect(errorOf(unknown)).toEqual({ status: 400, code: 'invalidRequest', inner: 'noResolvedUsers' })
    expect((await invite(file, { recipients: [{ email: bob }], roles: ['fly'] })).status).toBe(400)
    expect((await invite(file, { roles: ['read'] })).status).toBe(400)
  })

  it('make a link once, and none where sharing is switched off', async () => {
    const file = await put('linked.txt')
    const link = (body: object) => client.call('POST', `/items/${file.id}/createLink`, { body })
    const first = await link({ type: 'view', scope: 'organization' })
    const again = await link({ type: 'view', scope: 'organization' })
    expect([first.status, again.status]).toEqual([201, 200])
    expect(again.json<Permission>().id).toBe(first.json<Permission>().id)
    expect(first.json<Permission>().link).toMatchObject({
      type: 'view',
      scope: 'organization',
      preventsDownload: false,
    })
    const secret = await link({ type: 'edit', scope: 'anonymous', password: 'pw' })
    expect(secret.json()).toMatchObject({ roles: ['write'], hasPassword: true })
    expect((await client.item(`/items/${file.id}`)).shared).toEqual({ scope: 'anonymous' })
    expect((await link({ type: 'fly' })).status).toBe(400)
    const closed = DriveClient.of(tenant, 'no-sharing')
    const refused = await closed.call('POST', '/root:/Documents:/createLink', { body: { type: 'view' } })
    expect(errorOf(refused)).toEqual({ status: 403, code: 'accessDenied', inner: 'sharingDisabled' })
  })

  it('need the permission to write', async () => {
    const token = tenant.token({ roles: ['Files.Read.All'] })
    const headers = { authorization: `Bearer ${token}` }
    expect((await client.call('GET', `/items/${base.id}`, { headers })).status).toBe(200)
    const refused = await client.call('DELETE', `/items/${base.id}`, { headers })
    expect(errorOf(refused)).toEqual({ status: 403, code: 'accessDenied' })
  })
})
