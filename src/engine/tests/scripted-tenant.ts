import { HoldfastError, invalid, notBuilt, notFound, type Secret } from '#base'
import type { DirectoryGroup, DirectoryUser } from '#items'
import type {
  AccountVerification,
  Connectors,
  PermissionFinding,
  Tenant,
  TenantConnection,
} from '../connectors/connectors.ts'

export const TENANT_ID = '11111111-2222-4333-8444-555555555555'
export const SECRET = 'application-secret-canary-81f4'
export const PASSWORD = 'app-password-canary-52aa'
export const APPLICATION_ID = 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee'
/** Base64 of `PFX good`, of one that ends soon and of one that is protected by `pfx-password`. */
export const CERTIFICATE = Buffer.from('PFX good!').toString('base64')
export const SOON_ENDING = Buffer.from('PFX soon!').toString('base64')
export const PROTECTED = Buffer.from('PFX lock!').toString('base64')

const granted = (workload: PermissionFinding['workload'], ...anyOf: string[]): PermissionFinding => ({
  workload,
  neededFor: 'backup',
  anyOf,
  isGranted: true,
})

export interface ScriptedTenant {
  tenantId: string
  secret: string
  permissions: PermissionFinding[]
  account: AccountVerification
  users: DirectoryUser[]
  groups: { readonly group: DirectoryGroup; readonly members: readonly string[] }[]
  /** Thrown by whatever is asked of the tenant. */
  fails?: HoldfastError
}

export const scriptedUser = (name: string, changes: Partial<DirectoryUser> = {}): DirectoryUser => ({
  id: `user-${name}`,
  displayName: name,
  userPrincipalName: `${name}@contoso.example`,
  isEnabled: true,
  isGuest: false,
  isLicensed: true,
  onPremisesSync: false,
  graph: {},
  ...changes,
})

export const scriptedTenant = (changes: Partial<ScriptedTenant> = {}): ScriptedTenant => ({
  tenantId: TENANT_ID,
  secret: SECRET,
  permissions: [
    granted('directory', 'Directory.Read.All'),
    granted('mail', 'Mail.Read', 'Mail.ReadWrite'),
    granted('onedrive', 'Files.Read.All', 'Sites.Read.All'),
  ],
  account: { outcome: 'accepted' },
  users: [],
  groups: [],
  ...changes,
})

async function* each<Item>(items: readonly Item[]): AsyncIterable<Item> {
  for (const item of items) yield await Promise.resolve(item)
}

const found = <Item>(item: Item | undefined): Item => {
  if (item === undefined) throw notFound('not in the directory')
  return item
}

const connect = (script: ScriptedTenant, connection: TenantConnection, calls: string[]): Tenant => {
  const check = (): void => {
    if (script.fails !== undefined) throw script.fails
    const { secret, certificate } = connection.application
    if (certificate === undefined && secret?.reveal() !== script.secret)
      throw new HoldfastError('invalid', 'the application secret is not valid', { reason: 'AADSTS7000215' })
  }
  const user = (id: string): DirectoryUser =>
    found(script.users.find((one) => one.id === id || one.userPrincipalName === id))
  return {
    verify: async (workloads) => {
      calls.push(`verify ${connection.tenant} ${workloads.join('+')}`)
      check()
      return Promise.resolve({
        organization: {
          tenantId: script.tenantId,
          displayName: 'Contoso',
          initialDomain: 'contoso.onmicrosoft.com',
          defaultDomain: 'contoso.example',
          graph: {},
        },
        permissions: script.permissions.filter(({ workload }) => workloads.includes(workload)),
      })
    },
    users: () => {
      calls.push('users')
      check()
      return each(script.users)
    },
    user: async (id) => Promise.resolve(user(id)),
    groups: () => each(script.groups.map(({ group }) => group)),
    group: async (id) => Promise.resolve(found(script.groups.find(({ group }) => group.id === id)).group),
    groupMembers: (id) =>
      each(found(script.groups.find(({ group }) => group.id === id)).members.map((member) => user(member))),
    mailbox: () => {
      throw notBuilt('mailboxes of a scripted tenant')
    },
    drive: () => {
      throw notBuilt('drives of a scripted tenant')
    },
    traffic: () => ({
      requests: 0,
      throttled: 0,
      retried: 0,
      waitedMs: 0,
      receivedBytes: 0,
      sentBytes: 0,
    }),
    [Symbol.asyncDispose]: async () => {
      calls.push('dispose')
      return Promise.resolve()
    },
  }
}

const inspect = (pfx: string, password: Secret | undefined) => {
  if (![CERTIFICATE, SOON_ENDING, PROTECTED].includes(pfx)) throw invalid('this is not a PFX file')
  if (pfx === PROTECTED && password?.reveal() !== 'pfx-password')
    throw invalid('the password of the certificate is not right', 'applicationCertificatePassword')
  return {
    thumbprint: `${'ab'.repeat(19)}${pfx === CERTIFICATE ? '01' : '02'}`,
    subject: 'CN=test',
    notBefore: new Date('2025-01-01'),
    notAfter: new Date(pfx === SOON_ENDING ? '2026-03-10' : '2030-01-01'),
    keyType: 'RSA' as const,
  }
}

/** Connectors that answer from a script, and the calls that were made. */
export const scriptedConnectors = (script: ScriptedTenant): Connectors & { readonly calls: string[] } => {
  const calls: string[] = []
  return {
    calls,
    connect: (connection) => connect(script, connection, calls),
    verifyAccount: async ({ account }) => {
      calls.push(`account ${account}`)
      return Promise.resolve(script.account)
    },
    inspectCertificate: async (pfx, password) => Promise.resolve(inspect(pfx.reveal(), password)),
  }
}
