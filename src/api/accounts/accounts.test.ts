import { startWorld, type World } from '#world'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { VERSIONS } from '../contract/versions.ts'

let world: World
beforeAll(async () => {
  world = await startWorld({ users: 1, mails: 1, files: 1 })
})
afterAll(async () => {
  await world[Symbol.asyncDispose]()
})

type Row = Readonly<Record<string, unknown>> & { readonly id: string }
const s3 = {
  accountType: 'AmazonS3Account',
  userName: 'AKIAEXAMPLE',
  password: 'the-secret-key',
  description: 'd',
}

describe.each(VERSIONS)('accounts in %s', (version) => {
  it('are added, shown without their secret, changed and removed', async () => {
    const api = world.api(version)
    const added = await api.post('/Accounts', s3)
    expect([added.status, added.text.includes('the-secret')]).toEqual([201, false])
    const account = added.json<Row>()
    expect(account).toMatchObject({
      accountType: 'amazonS3Account',
      userName: 'AKIAEXAMPLE',
      description: 'd',
    })
    const changed = await api.put(`/Accounts/${account.id}`, { userName: 'AKIAOTHER', password: 'other-key' })
    expect([changed.status, changed.text]).toEqual([version === 'v8' ? 204 : 200, ''])
    const listed = await api.get('/Accounts')
    expect(listed.json<Row[]>()).toEqual([{ ...account, userName: 'AKIAOTHER' }])
    expect(listed.text).not.toContain('other-key')
    expect((await api.delete(`/Accounts/${account.id}`)).status).toBe(version === 'v4' ? 200 : 204)
    expect((await api.get(`/Accounts/${account.id}`)).status).toBe(404)
  })

  it.each([
    [{ ...s3, accountType: undefined }, 'accountType'],
    [{ ...s3, userName: '' }, 'userName'],
    [{ ...s3, password: undefined }, 'password'],
    [{ ...s3, accountType: 'azureBlobAccount' }, 'userName'],
    [{ accountType: 'azureBlobAccount', userName: 'storage1', password: 'not base64!' }, 'password'],
  ])('are refused: %#', async (body, property) => {
    const answer = await world.api(version).post('/Accounts', body)
    expect([answer.status, answer.text]).toEqual([400, expect.stringContaining(property)])
  })

  it('as encryption keys: added, shown without the password, removed', async () => {
    const api = world.api(version)
    const body = { password: 'a long pass phrase', description: 'where I grew up' }
    const added = await api.post('/EncryptionKeys', body)
    expect(added.status).toBe(version === 'v6' || version === 'v7' ? 200 : 201)
    expect(added.text).not.toContain('pass phrase')
    const key = added.json<Row>()
    expect((await api.get('/EncryptionKeys')).json()).toEqual([key])
    expect((await api.get(`/EncryptionKeys/${key.id}`)).json()).toEqual(key)
    expect((await api.post('/EncryptionKeys', { password: 'short' })).status).toBe(400)
    expect((await api.delete(`/EncryptionKeys/${key.id}`)).status).toBe(version === 'v4' ? 200 : 204)
    expect((await api.get('/EncryptionKeys')).json()).toEqual([])
  })
})

it('filters accounts by name, type and organization', async () => {
  const api = world.api('v8')
  const organization = await world.addOrganization()
  const owned = { ...s3, userName: 'owned', organizationId: organization.id }
  for (const body of [s3, owned]) expect((await api.post('/Accounts', body)).status).toBe(201)
  const names = async (query: string) =>
    (await api.get(`/Accounts${query}`)).json<Row[]>().map(({ userName }) => userName)
  expect(await names('?name=akiaexample')).toEqual(['AKIAEXAMPLE'])
  expect(await names(`?organizationId=${organization.id}`)).toEqual(['owned'])
  expect(await names('?accountType=azureBlobAccount')).toEqual([])
})
