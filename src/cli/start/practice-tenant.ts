import { invalid } from '#base'
import { startPracticeTenant, type PracticeTenant } from '#practice-tenant'
import { outputFor } from '../output.ts'
import { told } from './serve.ts'

export interface PracticeTenantCommand {
  readonly users: string
  readonly mails: string
  readonly files: string
  readonly seed: string
  readonly name: string
  readonly data?: string
  readonly port?: string
  readonly throttling: boolean
  readonly legacyEws?: boolean
  readonly sentinel: readonly string[]
  readonly json?: boolean
}

const whole = (text: string, name: string): number => {
  if (!/^\d+$/.test(text)) throw invalid(`--${name} must be a whole number`, name)
  return Number(text)
}

/** What a program needs to reach the tenant. Its secrets are no secrets: the tenant is made up. */
export const addressesOf = (tenant: PracticeTenant): Record<string, unknown> => ({
  tenantId: tenant.tenantId,
  domain: tenant.domain,
  login: tenant.origin('login'),
  graph: tenant.origin('graph'),
  outlook: tenant.origin('outlook'),
  sharepoint: tenant.origin('sharepoint'),
  mysite: tenant.origin('mysite'),
  proxyUrl: tenant.proxyUrl,
  caFile: tenant.caFile,
  applicationId: tenant.application.id,
  applicationSecret: tenant.application.secret,
  editorApplicationId: tenant.editor.id,
  editorApplicationSecret: tenant.editor.secret,
  exchangeAccount: tenant.admin.account,
  exchangeAppPassword: tenant.admin.appPassword,
  sharePointAccount: tenant.sharepointAdmin.account,
  sharePointAppPassword: tenant.sharepointAdmin.appPassword,
  practiceKey: tenant.controls.key,
})

const show = (addresses: Record<string, unknown>): string =>
  [
    'The practice tenant is running. Point any Microsoft 365 program at it by two settings:',
    `  HTTPS_PROXY=${String(addresses.proxyUrl)}`,
    `  NODE_EXTRA_CA_CERTS=${String(addresses.caFile)}   (or SSL_CERT_FILE, or what the program calls it)`,
    '',
    ...Object.entries(addresses).map(([name, value]) => `${name.padEnd(24)} ${String(value)}`),
  ].join('\n')

/** Runs the practice tenant until it is told to stop. */
export const practiceTenant = async (given: PracticeTenantCommand): Promise<void> => {
  const output = outputFor(given.json === true)
  await using tenant = await startPracticeTenant({
    seed: {
      users: whole(given.users, 'users'),
      mails: whole(given.mails, 'mails'),
      files: whole(given.files, 'files'),
      seed: whole(given.seed, 'seed'),
      name: given.name,
    },
    throttling: given.throttling,
    legacyEws: given.legacyEws === true,
    sentinels: given.sentinel,
    ...(given.data === undefined ? {} : { data: given.data }),
    ...(given.port === undefined ? {} : { port: whole(given.port, 'port') }),
  })
  const addresses = addressesOf(tenant)
  output.result(addresses, () => show(addresses))
  await told()
}
