import { createHash } from 'node:crypto'
import { conflict, invalid, notFound, type Clock, type Random } from '#base'
import {
  isDuplicate,
  copyJobRows,
  jobRows,
  organizationRows,
  sessionRows,
  taskRows,
  tokenRows,
  type Database,
  type OrganizationRow,
  type Page,
  type PageRequest,
  type Queries,
} from '#database'
import type { DirectoryGroup, DirectoryUser } from '#items'
import { accountKeyOf } from '../access/account-key.ts'
import type { Audit } from '../access/audit.ts'
import { requireAdministrator, requireOrganization, scopeOf, type Principal } from '../access/principal.ts'
import type { Connectors, Region } from '../connectors/connectors.ts'
import type { FileVersions } from '../jobs/backup-run.ts'
import { COPY, RUN } from '../jobs/run-requests.ts'
import type { Secrets } from '../secrets/secrets.ts'
import { GOOD_STATUSES } from '../sessions/job-session.ts'
import type { AcceptedSettings, SettingsName } from './connection-input.ts'
import { Listings, type ListingPage, type ListingRequest } from './listings.ts'
import { mergeSettings } from './merge-settings.ts'
import { acceptOrganization, ORGANIZATION_TYPES, type AcceptedOrganization } from './organization-input.ts'
import { keepSecrets, readSecrets } from './organization-secrets.ts'
import type {
  ConnectionSettings,
  Organization,
  OrganizationInput,
  OrganizationType,
  OrganizationVerification,
  UsedRepository,
} from './organization.ts'
import { readWord } from './read-input.ts'
import type { Tenants } from './tenants.ts'
import { TenantVerifier, type VerifiedOrganization } from './verify-tenant.ts'

export interface OrganizationsParts {
  readonly database: Database
  readonly secrets: Secrets
  readonly connectors: Connectors
  readonly tenants: Tenants
  /** The repositories that hold data of an organization. */
  readonly repositories: { usedBy(organizationId: string): Promise<readonly UsedRepository[]> }
  readonly audit: Audit
  readonly clock: Clock
  readonly random: Random
}

const PART_NAMES: readonly SettingsName[] = ['exchangeOnlineSettings', 'sharePointOnlineSettings']

/**
 * The same tenant has the same id for ever: one that is removed and added again finds its restore points. A name-based
 * UUID (RFC 9562, version 8).
 */
const idOf = (tenantId: string): string => {
  const bytes = createHash('sha256').update(`holdfast organization ${tenantId.toLowerCase()}`).digest()
  bytes[6] = (bytes[6]! & 0x0f) | 0x80
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    '-',
  )
}

const unknown = 'the organization is not known'

/** Ids of users and groups may come as two GUIDs run together: the first one is the directory's. */
const directoryIdOf = (id: string): string => (/^[0-9a-f-]{72}$/i.test(id) ? id.slice(0, 36) : id)

const settingsOf = (
  settings: AcceptedSettings,
  verified: VerifiedOrganization,
  part: SettingsName,
): ConnectionSettings => {
  const thumbprint = verified.thumbprints[part]
  return {
    useApplicationOnlyAuth: settings.useApplicationOnlyAuth,
    officeOrganizationName: settings.officeOrganizationName ?? verified.directory.initialDomain,
    sharePointSaveAllWebParts: settings.sharePointSaveAllWebParts,
    ...(settings.account === undefined ? {} : { account: settings.account }),
    grantAdminAccess: settings.grantAdminAccess,
    useMfa: settings.useMfa,
    applicationId: settings.applicationId,
    ...(thumbprint === undefined ? {} : { applicationCertificateThumbprint: thumbprint }),
  }
}

const verificationOf = (row: OrganizationRow): OrganizationVerification => {
  const stored = row.verification as OrganizationVerification & { readonly verifiedAt: string }
  return { ...stored, verifiedAt: new Date(stored.verifiedAt) }
}

const matches = (search: string | undefined, ...texts: readonly (string | undefined)[]): boolean =>
  search === undefined || texts.some((text) => text?.toLowerCase().includes(search.toLowerCase()))

/** Organizations: added, changed and removed after their credentials were tried at the tenant. */
export class Organizations {
  readonly #parts: OrganizationsParts
  readonly #verifier: TenantVerifier
  readonly #listings: Listings

  constructor(parts: OrganizationsParts) {
    this.#parts = parts
    this.#verifier = new TenantVerifier(parts)
    this.#listings = new Listings(parts)
  }

  /**
   * Errors: `invalid` naming the property, `conflict` for a tenant that is there already, `unavailable` when Microsoft
   * does not answer, `not-built` for on-premises and hybrid ones. Nothing is kept after an error.
   */
  async add(principal: Principal, input: OrganizationInput): Promise<Organization> {
    requireAdministrator(principal)
    return this.#parts.audit.around(principal, 'organizations.add', labelOf(input), async () => {
      const accepted = acceptOrganization(input)
      const verified = await this.#verifier.verify(accepted)
      const now = this.#parts.clock.now()
      const row = {
        ...this.#rowOf(accepted, verified),
        id: idOf(verified.directory.tenantId),
        createdAt: now,
      }
      await this.#insert(row, accepted)
      return this.#present(row)
    })
  }

  /** Merges: what is left out stays, secrets too. Credentials are tried again. `invalid` for a change of type. */
  async update(principal: Principal, id: string, input: OrganizationInput): Promise<Organization> {
    requireAdministrator(principal)
    return this.#parts.audit.around(principal, 'organizations.update', id, async () => {
      const row = await this.#find(principal, id)
      const accepted = acceptOrganization(await this.#merge(row, input))
      const verified = await this.#verifier.verify(accepted)
      if (verified.directory.tenantId !== row.tenantId)
        throw invalid(`these credentials belong to another tenant than ${row.name}`, firstPartOf(accepted))
      const changed = { ...this.#rowOf(accepted, verified), id, createdAt: row.createdAt }
      await this.#replace(changed, accepted)
      await this.#parts.tenants.forget(id)
      return this.#present(changed)
    })
  }

  /** `conflict` while one of its jobs is enabled or runs. Its disabled jobs go with it; backed-up data stays. */
  async remove(principal: Principal, id: string): Promise<void> {
    requireAdministrator(principal)
    await this.#parts.audit.around(principal, 'organizations.remove', id, async () => {
      const row = await this.#find(principal, id)
      await this.#parts.database.transaction(async (queries) => {
        await this.#removeJobs(queries, row)
        await this.#parts.secrets.removeOf(queries, 'organizations', id)
        await tokenRows.removeOfPrincipal(queries, 'organization', id)
        await organizationRows.remove(queries, id)
      })
      await this.#parts.tenants.forget(id)
    })
  }

  async get(principal: Principal, id: string): Promise<Organization> {
    return this.#present(await this.#find(principal, id))
  }

  /** By name. A tenant sees its own alone. */
  async list(principal: Principal, page: PageRequest = {}): Promise<Page<Organization>> {
    const id = scopeOf(principal)
    const filter = id === undefined ? page : { ...page, id }
    const { items, totalCount } = await organizationRows.list(this.#parts.database.queries, filter)
    return { items: await Promise.all(items.map((row) => this.#present(row))), totalCount }
  }

  /** Which versions of files its backups keep. */
  async versionBackupMode(principal: Principal, id: string): Promise<FileVersions> {
    return (await this.#find(principal, id)).versionBackupMode === 'All' ? 'All' : 'Latest'
  }

  /** Holds from the next run on, for files that are new or change then, and for all files of a full run. */
  async setVersionBackupMode(principal: Principal, id: string, mode: FileVersions): Promise<void> {
    requireAdministrator(principal)
    await this.#parts.audit.around(principal, 'organizations.setVersionBackupMode', id, async () => {
      await this.#find(principal, id)
      await organizationRows.update(this.#parts.database.queries, id, { versionBackupMode: mode })
    })
  }

  /** The repositories that hold data of the organization. */
  async usedRepositories(principal: Principal, id: string): Promise<readonly UsedRepository[]> {
    await this.#find(principal, id)
    return this.#parts.repositories.usedBy(id)
  }

  /** Live from the tenant, in its order. */
  async users(
    principal: Principal,
    id: string,
    request: ListingRequest = {},
  ): Promise<ListingPage<DirectoryUser>> {
    const { directory } = await this.#tenants(principal, id)
    return this.#listings.page(listingOf('users', id, request), request, () =>
      filtered(directory.users(), (user) =>
        matches(request.search, user.displayName, user.userPrincipalName, user.mail),
      ),
    )
  }

  async user(principal: Principal, id: string, userId: string): Promise<DirectoryUser> {
    const { directory } = await this.#tenants(principal, id)
    return directory.user(directoryIdOf(userId))
  }

  async groups(
    principal: Principal,
    id: string,
    request: ListingRequest = {},
  ): Promise<ListingPage<DirectoryGroup>> {
    const { directory } = await this.#tenants(principal, id)
    return this.#listings.page(listingOf('groups', id, request), request, () =>
      filtered(directory.groups(), (group) => matches(request.search, group.displayName, group.mail)),
    )
  }

  async group(principal: Principal, id: string, groupId: string): Promise<DirectoryGroup> {
    const { directory } = await this.#tenants(principal, id)
    return directory.group(directoryIdOf(groupId))
  }

  /** Users only, nested groups resolved. */
  async groupMembers(
    principal: Principal,
    id: string,
    groupId: string,
    request: ListingRequest = {},
  ): Promise<ListingPage<DirectoryUser>> {
    const { directory } = await this.#tenants(principal, id)
    const group = directoryIdOf(groupId)
    return this.#listings.page(listingOf(`members of ${group}`, id, request), request, () =>
      filtered(directory.groupMembers(group), (user) =>
        matches(request.search, user.displayName, user.userPrincipalName, user.mail),
      ),
    )
  }

  async #find(principal: Principal, id: string): Promise<OrganizationRow> {
    requireOrganization(principal, id, unknown)
    const row = await organizationRows.find(this.#parts.database.queries, id)
    if (row === undefined) throw notFound(unknown)
    return row
  }

  async #tenants(principal: Principal, id: string) {
    await this.#find(principal, id)
    return this.#parts.tenants.of(id)
  }

  async #present(row: OrganizationRow): Promise<Organization> {
    const times = await sessionRows.endTimes(this.#parts.database.queries, row.id, GOOD_STATUSES)
    const exchange = row.exchangeOnlineSettings as ConnectionSettings | undefined
    const sharePoint = row.sharePointOnlineSettings as ConnectionSettings | undefined
    return {
      id: row.id,
      type: row.type as OrganizationType,
      region: row.region as Region,
      name: row.name,
      officeName: row.officeName,
      ...(row.description === undefined ? {} : { description: row.description }),
      tenantId: row.tenantId,
      isExchangeOnline: row.isExchangeOnline,
      isSharePointOnline: row.isSharePointOnline,
      ...(exchange === undefined ? {} : { exchangeOnlineSettings: exchange }),
      ...(sharePoint === undefined ? {} : { sharePointOnlineSettings: sharePoint }),
      isBackedUp: times !== undefined,
      ...(times === undefined ? {} : { firstBackupTime: times.first, lastBackupTime: times.last }),
      verification: verificationOf(row),
    }
  }

  #rowOf(
    accepted: AcceptedOrganization,
    verified: VerifiedOrganization,
  ): Omit<OrganizationRow, 'id' | 'createdAt'> {
    const settings = PART_NAMES.flatMap((part) => {
      const given = accepted.parts[part]
      return given === undefined ? [] : [[part, settingsOf(given, verified, part)] as const]
    })
    return {
      type: 'Office365',
      region: accepted.region,
      name: verified.directory.defaultDomain,
      officeName: verified.directory.initialDomain,
      ...(accepted.description === undefined ? {} : { description: accepted.description }),
      tenantId: verified.directory.tenantId,
      isExchangeOnline: accepted.parts.exchangeOnlineSettings !== undefined,
      isSharePointOnline: accepted.parts.sharePointOnlineSettings !== undefined,
      ...(Object.fromEntries(settings) as Partial<Record<SettingsName, ConnectionSettings>>),
      verification: verified.verification,
      updatedAt: this.#parts.clock.now(),
    }
  }

  async #insert(row: OrganizationRow, accepted: AcceptedOrganization): Promise<void> {
    try {
      await this.#parts.database.transaction(async (queries) => {
        await organizationRows.insert(queries, row)
        await this.#keepCredentials(queries, row.id, accepted)
      })
    } catch (error) {
      if (isDuplicate(error)) throw conflict(`the organization ${row.name} is already added`)
      throw error
    }
  }

  async #replace(row: OrganizationRow, accepted: AcceptedOrganization): Promise<void> {
    await this.#parts.database.transaction(async (queries) => {
      const cleared = {
        description: undefined,
        exchangeOnlineSettings: undefined,
        sharePointOnlineSettings: undefined,
      }
      if (!(await organizationRows.update(queries, row.id, { ...cleared, ...row }))) throw notFound(unknown)
      await this.#keepCredentials(queries, row.id, accepted)
      await tokenRows.removeOfPrincipal(queries, 'organization', row.id)
    })
  }

  async #keepCredentials(
    queries: Queries,
    organizationId: string,
    accepted: AcceptedOrganization,
  ): Promise<void> {
    const { secrets } = this.#parts
    for (const part of PART_NAMES)
      await keepSecrets(secrets, queries, organizationId, part, accepted.parts[part])
    const accounts = PART_NAMES.flatMap((part) => {
      const { account, password } = accepted.parts[part] ?? {}
      if (account === undefined || password === undefined) return []
      return [{ organizationId, part, accountKey: accountKeyOf(account) }]
    })
    await organizationRows.replaceAccounts(queries, organizationId, accounts)
  }

  /** The input as if the whole organization had been sent. */
  async #merge(row: OrganizationRow, input: OrganizationInput): Promise<OrganizationInput> {
    if ((readWord(input.type, 'type', ORGANIZATION_TYPES) ?? row.type) !== row.type)
      throw invalid(`the type of an organization cannot be changed: it is ${row.type}`, 'type')
    const merged = async (part: SettingsName) => {
      const stored = row[part] as ConnectionSettings | undefined
      const kept = await readSecrets(this.#parts.secrets, this.#parts.database.queries, row.id, part)
      if (stored === undefined) return input[part]
      return mergeSettings(input[part] ?? {}, stored, kept)
    }
    return {
      ...input,
      type: row.type,
      region: input.region ?? row.region,
      description: input.description ?? row.description,
      isExchangeOnline: input.isExchangeOnline ?? row.isExchangeOnline,
      isSharePointOnline: input.isSharePointOnline ?? row.isSharePointOnline,
      exchangeOnlineSettings: await merged('exchangeOnlineSettings'),
      sharePointOnlineSettings: await merged('sharePointOnlineSettings'),
    }
  }

  async #removeJobs(queries: Queries, row: OrganizationRow): Promise<void> {
    const jobs = await jobRows.list(queries, { organizationId: row.id })
    if (jobs.items.some((job) => job.isEnabled))
      throw conflict(`${row.name} has jobs that are enabled: disable them first`)
    for (const job of jobs.items)
      if ((await taskRows.findByKey(queries, RUN, job.id)) !== undefined)
        throw conflict(`the job ${job.name} of ${row.name} is running: stop it first`)
    const copies = await copyJobRows.list(queries, { organizationId: row.id })
    for (const copy of copies.items)
      if ((await taskRows.findByKey(queries, COPY, copy.id)) !== undefined)
        throw conflict(`${copy.name} of ${row.name} is running: stop it first`)
    for (const copy of copies.items) await copyJobRows.remove(queries, copy.id)
    for (const job of jobs.items) await jobRows.remove(queries, job.id)
  }
}

const firstPartOf = (accepted: AcceptedOrganization): string =>
  accepted.parts.exchangeOnlineSettings === undefined ? 'sharePointOnlineSettings' : 'exchangeOnlineSettings'

/** Names an organization that is not there yet, for the audit. */
const labelOf = (input: OrganizationInput): string => {
  const settings = input.exchangeOnlineSettings ?? input.sharePointOnlineSettings
  const label = settings?.officeOrganizationName ?? settings?.account
  return typeof label === 'string' && label !== '' ? label : 'organization'
}

const listingOf = (what: string, organizationId: string, request: ListingRequest): string =>
  JSON.stringify([what, organizationId, request.search ?? ''])

async function* filtered<Item>(
  items: AsyncIterable<Item>,
  isWanted: (item: Item) => boolean,
): AsyncIterable<Item> {
  for await (const item of items) if (isWanted(item)) yield item
}
