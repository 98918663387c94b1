import { execFile } from 'node:child_process'
import { generateKeyPairSync, webcrypto } from 'node:crypto'
import { connect, getCACertificates, setDefaultCACertificates } from 'node:tls'
import { request as httpRequest } from 'node:http'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'
import { ConfidentialClientApplication, PublicClientApplication } from '@azure/msal-node'
import { Client, type GraphError as ClientError } from '@microsoft/microsoft-graph-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startPracticeTenant, type PracticeTenant } from '../index.ts'

const run = promisify(execFile)
let tenant: PracticeTenant

beforeAll(async () => {
  tenant = await startPracticeTenant({ seed: { users: 12, mails: 1, files: 1 } })
  setDefaultCACertificates([...getCACertificates('default'), tenant.ca])
})
afterAll(async () => {
  await tenant[Symbol.asyncDispose]()
})

const auth = () => ({
  clientId: tenant.application.id,
  authority: `${tenant.origin('login')}/${tenant.tenantId}`,
  knownAuthorities: [new URL(tenant.origin('login')).host],
})

const scopes = ['https://graph.microsoft.com/.default']

const certificate = async () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
  const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' })
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const keys = {
    privateKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, true, ['sign']),
    publicKey: await webcrypto.subtle.importKey('spki', spki, algorithm, true, ['verify']),
  }
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=backup',
    notBefore: new Date('2024-01-01T00:00:00Z'),
    notAfter: new Date('2040-01-01T00:00:00Z'),
    signingAlgorithm: algorithm,
    keys,
  })
  return { pem: made.toString('pem'), key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
}

describe('@azure/msal-node', () => {
  it('gets a token with a secret', async () => {
    const application = new ConfidentialClientApplication({
      auth: { ...auth(), clientSecret: tenant.application.secret },
    })
    const result = await application.acquireTokenByClientCredential({ scopes })
    const claims = JSON.parse(Buffer.from(result!.accessToken.split('.')[1]!, 'base64url').toString()) as {
      roles: string[]
      appidacr: string
    }
    expect(claims.roles).toContain('Mail.ReadWrite')
    expect(claims.appidacr).toBe('1')
  })

  it('gets a token with a registered certificate and none with another', async () => {
    const registered = await certificate()
    const thumbprintSha256 = tenant.controls.registerCertificate(registered.pem)
    const by = (privateKey: string) =>
      new ConfidentialClientApplication({
        auth: { ...auth(), clientCertificate: { thumbprintSha256, privateKey } },
      }).acquireTokenByClientCredential({ scopes })
    expect((await by(registered.key))!.accessToken).toMatch(/^ey/)
    await expect(by((await certificate()).key)).rejects.toMatchObject({ errorNo: 700027 })
  })

  it('is told why a secret is refused', async () => {
    const application = new ConfidentialClientApplication({ auth: { ...auth(), clientSecret: 'wrong' } })
    await expect(application.acquireTokenByClientCredential({ scopes })).rejects.toMatchObject({
      errorCode: 'invalid_client',
      errorNo: 7000215,
      status: 401,
    })
  })

  it('is told that an account needs MFA, and signs in one that does not', async () => {
    const application = new PublicClientApplication({ auth: auth() })
    const as = (username: string, password: string) =>
      application.acquireTokenByUsernamePassword({ username, password, scopes: ['User.Read'] })
    await expect(as(tenant.admin.account, tenant.admin.password)).rejects.toMatchObject({
      name: 'InteractionRequiredAuthError',
      errorNo: 50076,
    })
    const name = tenant.state.user(`${[...tenant.state.users()][0]!.id}`).userPrincipalName
    tenant.controls.setAccount(name, { password: 'right horse' })
    const result = await as(name, 'right horse')
    expect(result!.account!.username).toBe(name)
  })

  it('signs in by device code once somebody has approved it', async () => {
    const application = new PublicClientApplication({ auth: auth() })
    const result = await application.acquireTokenByDeviceCode({
      scopes: ['User.Read'],
      deviceCodeCallback: ({ userCode }) => tenant.controls.answerDeviceCode(userCode, tenant.admin.account),
    })
    expect(result!.account!.username).toBe(tenant.admin.account)
  })
})

describe('@microsoft/microsoft-graph-client', () => {
  const client = () =>
    Client.init({
      baseUrl: tenant.origin('graph'),
      customHosts: new Set(['localhost']),
      authProvider: (done) => done(null, tenant.token()),
    })

  it('reads an error with its code', async () => {
    const error = await client()
      .api('/users/nobody@contoso.onmicrosoft.com')
      .get()
      .catch((thrown: ClientError) => thrown)
    expect(error).toMatchObject({ statusCode: 404, code: 'Request_ResourceNotFound' })
  })

  it('waits and tries again when it is throttled', async () => {
    tenant.faults.addRule({ path: '/v1.0/organization', status: 429, retryAfterSeconds: 1 })
    const { value } = (await client().api('/organization').get()) as { value: { id: string }[] }
    expect(value[0]!.id).toBe(tenant.tenantId)
    expect(tenant.faults.rules()[0]!.seen).toBe(2)
    tenant.faults.clear()
  })
})

describe('the proxy', () => {
  const program = fileURLToPath(new URL('programs/list-users.ts', import.meta.url))

  it('serves an unmodified program by Microsoft’s names', async () => {
    const { stdout } = await run(
      process.execPath,
      [program, tenant.domain, tenant.application.id, tenant.application.secret],
      {
        env: {
          PATH: process.env['PATH'],
          HTTPS_PROXY: tenant.proxyUrl,
          NODE_USE_ENV_PROXY: '1',
          NODE_EXTRA_CA_CERTS: tenant.caFile,
        },
      },
    )
    expect(JSON.parse(stdout)).toEqual([...tenant.state.users()].map((user) => user.userPrincipalName))
  })

  const tunnel = (host: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const { hostname, port } = new URL(tenant.proxyUrl)
      const outgoing = httpRequest({
        host: hostname,
        port,
        method: 'CONNECT',
        path: `${host}:443`,
        agent: false,
      })
      outgoing.on('connect', (response, socket) => {
        socket.destroy()
        resolve(response.statusCode ?? 0)
      })
      outgoing.on('error', reject)
      outgoing.end()
    })

  it('reaches nothing else', async () => {
    expect(await tunnel('example.com')).toBe(403)
    expect(await tunnel('fabrikam.sharepoint.com')).toBe(403)
    expect(await tunnel('www.example.com')).toBe(403)
  })

  it('answers for the hosts of every cloud', async () => {
    for (const host of [
      'login.microsoftonline.us',
      'dod-graph.microsoft.us',
      'partner.outlook.cn',
      'contoso-my.sharepoint.cn',
      'contoso-admin.sharepoint.de',
    ]) {
      expect(await tunnel(host), host).toBe(200)
    }
  })

  it('refuses a connection that no authority of ours would trust', async () => {
    const port = Number(new URL(tenant.origin('graph')).port)
    const error = await new Promise<Error>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', ca: [] })
      socket.once('error', resolve)
    })
    expect(error).toMatchObject({ code: expect.stringMatching(/SELF_SIGNED|UNABLE_TO/) as string })
  })
})
