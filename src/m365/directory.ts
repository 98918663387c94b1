import { HoldfastError, type JsonObject } from '#base'
import type { DirectoryGroup, DirectoryOrganization, DirectoryUser } from '#items'
import type { GraphClient } from './http/graph-client.ts'
import type { RetryLimits } from './http/retry-plan.ts'
import type { QuotaPool } from './http/quota-pool.ts'
import { flagOf, objectsOf, resourceOf, segment, textOf, textsOf } from './graph-json.ts'

const USER_PROPERTIES = [
  'id',
  'displayName',
  'userPrincipalName',
  'mail',
  'accountEnabled',
  'userType',
  'proxyAddresses',
  'assignedLicenses',
  'onPremisesSyncEnabled',
  'usageLocation',
  'officeLocation',
  'jobTitle',
  'createdDateTime',
].join(',')
const GROUP_PROPERTIES = [
  'id',
  'displayName',
  'description',
  'mail',
  'mailEnabled',
  'securityEnabled',
  'groupTypes',
  'visibility',
  'createdDateTime',
].join(',')
const PAGE = 999
const WHILE_SOMEBODY_WAITS: RetryLimits = { throttledTries: 3, transientTries: 3, deadlineMs: 30_000 }
// In resource units of the directory; $select takes one off.
const COST = { one: 1, users: 1, groups: 1, members: 4 }

/** Users, groups and the organization itself. */
export class Directory {
  readonly #graph: GraphClient
  readonly #pool: QuotaPool

  constructor(graph: GraphClient, pool: QuotaPool) {
    this.#graph = graph
    this.#pool = pool
  }

  async organization(signal?: AbortSignal): Promise<DirectoryOrganization> {
    const { items } = await this.#graph.page({
      path: '/organization',
      pool: this.#pool,
      signal,
      retries: WHILE_SOMEBODY_WAITS,
    })
    const [organization] = items
    if (organization === undefined)
      throw new HoldfastError('unavailable', 'Microsoft 365 names no organization')
    return toOrganization(organization)
  }

  async *users(signal?: AbortSignal): AsyncGenerator<DirectoryUser> {
    const path = `/users?$select=${USER_PROPERTIES}&$top=${PAGE}`
    for await (const page of this.#graph.pages({ path, pool: this.#pool, cost: COST.users, signal })) {
      yield* page.map(toUser)
    }
  }

  async user(idOrPrincipalName: string, signal?: AbortSignal): Promise<DirectoryUser> {
    const path = `/users/${segment(idOrPrincipalName)}?$select=${USER_PROPERTIES}`
    return toUser(await this.#graph.json({ path, pool: this.#pool, cost: COST.one, signal }))
  }

  async *groups(signal?: AbortSignal): AsyncGenerator<DirectoryGroup> {
    const path = `/groups?$select=${GROUP_PROPERTIES}&$top=${PAGE}`
    for await (const page of this.#graph.pages({ path, pool: this.#pool, cost: COST.groups, signal })) {
      yield* page.map(toGroup)
    }
  }

  async group(id: string, signal?: AbortSignal): Promise<DirectoryGroup> {
    const path = `/groups/${segment(id)}?$select=${GROUP_PROPERTIES}`
    return toGroup(await this.#graph.json({ path, pool: this.#pool, cost: COST.one, signal }))
  }

  /** Users only, through nested groups. A user who is in by several ways comes once. */
  async *groupMembers(groupId: string, signal?: AbortSignal): AsyncGenerator<DirectoryUser> {
    const path = `/groups/${segment(groupId)}/transitiveMembers/microsoft.graph.user?$select=${USER_PROPERTIES}&$top=${PAGE}`
    const seen = new Set<string>()
    for await (const page of this.#graph.pages({ path, pool: this.#pool, cost: COST.members, signal })) {
      for (const user of page.map(toUser)) {
        if (seen.has(user.id)) continue
        seen.add(user.id)
        yield user
      }
    }
  }
}

function toUser(json: JsonObject): DirectoryUser {
  const graph = resourceOf(json)
  const mail = textOf(graph, 'mail')
  const location = textOf(graph, 'usageLocation')
  return {
    id: textOf(graph, 'id') ?? '',
    displayName: textOf(graph, 'displayName') ?? '',
    userPrincipalName: textOf(graph, 'userPrincipalName') ?? '',
    ...(mail === undefined ? {} : { mail }),
    isEnabled: flagOf(graph, 'accountEnabled'),
    isGuest: textOf(graph, 'userType') === 'Guest',
    isLicensed: objectsOf(graph, 'assignedLicenses').length > 0,
    onPremisesSync: flagOf(graph, 'onPremisesSyncEnabled'),
    ...(location === undefined ? {} : { location }),
    graph,
  }
}

function toGroup(json: JsonObject): DirectoryGroup {
  const graph = resourceOf(json)
  const mail = textOf(graph, 'mail')
  const types = textsOf(graph, 'groupTypes')
  return {
    id: textOf(graph, 'id') ?? '',
    displayName: textOf(graph, 'displayName') ?? '',
    ...(mail === undefined ? {} : { mail }),
    kind: kindOf(types.includes('Unified'), flagOf(graph, 'mailEnabled'), flagOf(graph, 'securityEnabled')),
    isDynamic: types.includes('DynamicMembership'),
    graph,
  }
}

function kindOf(isUnified: boolean, isMail: boolean, isSecurity: boolean): DirectoryGroup['kind'] {
  if (isUnified) return 'office365'
  if (isMail) return isSecurity ? 'mailEnabledSecurity' : 'distribution'
  return 'security'
}

function toOrganization(json: JsonObject): DirectoryOrganization {
  const graph = resourceOf(json)
  const domains = objectsOf(graph, 'verifiedDomains')
  const nameOf = (mark: string): string | undefined =>
    textOf(
      domains.find((domain) => flagOf(domain, mark)),
      'name',
    )
  const initialDomain = nameOf('isInitial') ?? nameOf('isDefault') ?? ''
  return {
    tenantId: textOf(graph, 'id') ?? '',
    displayName: textOf(graph, 'displayName') ?? '',
    initialDomain,
    defaultDomain: nameOf('isDefault') ?? initialDomain,
    graph,
  }
}
