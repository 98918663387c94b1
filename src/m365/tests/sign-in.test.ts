import { readFileSync } from 'node:fs'
import { Secret } from '#base'
import type { PracticeTenant } from '#practice-tenant'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readPfx } from '../sign-in/pfx/read-pfx.ts'
import { connectionTo, connectorsTo, ImpatientClock, practice } from './practice.ts'

const pfxOf = (name: string): Secret =>
  new Secret(readFileSync(new URL(`../../../tests/data/pfx/${name}.pfx`, import.meta.url)).toString('base64'))
const PASSWORD = new Secret('pä-ssword')

describe('signing in to a tenant', () => {
  let world: Awaited<ReturnType<typeof practice>>
  let tenant: PracticeTenant
  const clock = new ImpatientClock()
  beforeAll(async () => {
    world = await practice({ users: 2, mails: 2, files: 2 }, { connectors: { clock } })
    tenant = world.tenant
  })
  afterAll(() => world[Symbol.asyncDispose]())
  beforeEach(() => tenant.faults.clear())

  const firstFolder = async (connection = world.connection) =>
    (await connection.mailbox(world.idOf(0)).folders())[0]?.name

  const connectAs = (
    application: Partial<ReturnType<typeof connectionTo>['application']>,
    name = tenant.domain,
  ) =>
    world.m365.connect({
      region: 'Worldwide',
      tenant: name,
      application: { ...connectionTo(tenant).application, ...application },
    })

  it('opens a mailbox with an application secret', async () => {
    expect(await firstFolder()).toBeTypeOf('string')
  })

  it.each(['rsa', 'ecdsa'])('opens a mailbox with an %s certificate', async (name) => {
    const { certificate } = await readPfx(pfxOf(name), PASSWORD)
    tenant.controls.registerCertificate(certificate.toString())
    await using connection = world.m365.connect({
      region: 'Worldwide',
      tenant: tenant.domain,
      application: {
        applicationId: tenant.application.id,
        certificate: { pfxBase64: pfxOf(name), password: PASSWORD },
      },
    })
    expect(await firstFolder(connection)).toBeTypeOf('string')
  })

  it.each([
    ['a wrong secret', { secret: new Secret('wrong') }, undefined, 'AADSTS7000215', 'applicationSecret'],
    [
      'an application of another tenant',
      { applicationId: '11111111-2222-3333-4444-555555555555' },
      undefined,
      'AADSTS700016',
      'applicationId',
    ],
    ['a tenant that does not exist', {}, 'nobody.onmicrosoft.com', 'AADSTS90002', 'tenant'],
  ])('says that %s is the fault', async (_what, application, name, reason, property) => {
    await using connection = connectAs(application, name)
    await expect(connection.verify(['mail'])).rejects.toMatchObject({ code: 'invalid', reason, property })
  })

  it('says that a certificate is not registered', async () => {
    await using connection = world.m365.connect({
      region: 'Worldwide',
      tenant: tenant.domain,
      application: {
        applicationId: tenant.application.id,
        certificate: { pfxBase64: pfxOf('expired'), password: PASSWORD },
      },
    })
    await expect(connection.verify(['mail'])).rejects.toMatchObject({
      code: 'invalid',
      reason: 'AADSTS700027',
    })
  })

  it('refuses a tenant name that would leave the path, without a call', async () => {
    const before = tenant.counters.view().total
    await using connection = connectAs({}, '../common')
    await expect(connection.verify(['mail'])).rejects.toMatchObject({ code: 'invalid', property: 'tenant' })
    expect(tenant.counters.view().total).toBe(before)
  })

  it('keeps on when the token service is busy, cut off or answers no JSON', async () => {
    for (const kind of ['throttled', 'emptyUnavailable', 'cut'] as const) {
      tenant.faults.clear()
      tenant.faults.addRule({ path: '*/oauth2/v2.0/token*', kind })
      await using m365 = connectorsTo(tenant, { clock })
      await using connection = m365.connect(connectionTo(tenant))
      expect(await firstFolder(connection)).toBeTypeOf('string')
    }
  })

  it('calls the service unavailable when nobody answers', async () => {
    const hosts = { Worldwide: { login: '127.0.0.1:9' } }
    await using m365 = connectorsTo(tenant, { clock, hosts })
    await using connection = m365.connect(connectionTo(tenant))
    await expect(connection.verify(['mail'])).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('trusts no certificate of an unknown authority', async () => {
    await using m365 = connectorsTo(tenant, { caCertificates: [] })
    await using connection = m365.connect(connectionTo(tenant))
    await expect(connection.verify(['mail'])).rejects.toThrow(/certificate of Microsoft 365 is not trusted/)
  })

  it('signs in again once when the service refuses the token, then gives up', async () => {
    const path = '*/mailFolders?include*'
    tenant.faults.addRule({ path, status: 401, code: 'InvalidAuthenticationToken' })
    expect(await firstFolder()).toBeTypeOf('string')
    tenant.faults.clear()
    tenant.faults.addRule({
      path: '*/mailFolders*',
      status: 401,
      code: 'InvalidAuthenticationToken',
      times: 0,
    })
    await expect(firstFolder()).rejects.toMatchObject({ code: 'unauthenticated' })
  })

  it('reaches the tenant under Microsoft’s own names through a proxy', async () => {
    await using m365 = connectorsTo(tenant, { hosts: {}, proxyUrl: tenant.proxyUrl })
    await using connection = m365.connect(connectionTo(tenant))
    expect(await firstFolder(connection)).toBeTypeOf('string')
  })

  it('names the permissions that are missing', async () => {
    tenant.controls.revoke([{ resource: 'graph', role: 'Mail.ReadWrite' }])
    const { permissions, organization } = await world.connection.verify(['mail', 'onedrive'])
    tenant.controls.grant([{ resource: 'graph', role: 'Mail.ReadWrite' }])
    expect(organization).toMatchObject({ tenantId: tenant.tenantId, initialDomain: tenant.domain })
    const missing = permissions.filter(({ isGranted }) => !isGranted)
    expect(missing.map(({ workload, neededFor }) => `${workload} ${neededFor}`)).toEqual([
      'mail backup',
      'mail restore',
    ])
    expect(missing[0]!.anyOf).toContain('Mail.Read')
    const again = await world.connection.verify(['mail'])
    expect(again.permissions.every(({ isGranted }) => isGranted)).toBe(true)
  })

  it('tells a good app password from a bad one, and both from a retired protocol', async () => {
    const { account, appPassword, password } = tenant.admin
    const verify = async (secret: string) =>
      (await world.m365.verifyAccount({ region: 'Worldwide', account, password: new Secret(secret) })).outcome
    expect(await verify(appPassword)).toBe('retired')
    tenant.controls.settings.legacyEws = true
    expect(await verify(appPassword)).toBe('accepted')
    expect(await verify(password)).toBe('refused')
    tenant.controls.settings.legacyEws = false
  })

  it('judges the dates of a certificate', async () => {
    await expect(world.m365.inspectCertificate(pfxOf('expired'), PASSWORD)).rejects.toThrow(
      /expired on 2021-01-01/,
    )
    const facts = await world.m365.inspectCertificate(pfxOf('ecdsa'), PASSWORD)
    expect(facts).toMatchObject({ keyType: 'ECDSA', subject: 'CN=Holdfast test ECDSA' })
    expect(facts.thumbprint).toMatch(/^[0-9A-F]{40}$/)
  })
})
