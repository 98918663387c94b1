import type { JsonObject } from '#base'
import { GraphError, type Handler, type PracticeUser, type Route } from '../core/contract.ts'
import { extraPerson } from '../seed/people.ts'
import { directoryRoute, userRow, type DirectoryParts } from './directory-parts.ts'
import { created, picked, type Listing } from './listing.ts'
import { ASSIGNED_PLANS, ENTERPRISE_SKU, userDocument } from './user-document.ts'
import { notInDirectory, type UserRow } from './user-rows.ts'

export const badRequest = (message: string): GraphError => new GraphError(400, 'Request_BadRequest', message)

// Answered, never set by hand.
const READ_ONLY = new Set([
  'id', 'assignedLicenses', 'assignedPlans', 'createdDateTime', 'creationType', 'deletedDateTime', 'proxyAddresses',
  'imAddresses', 'securityIdentifier', 'userType', 'externalUserState', 'onPremisesSyncEnabled', 'ageGroup',
]) // prettier-ignore

const requireText = (body: JsonObject, name: string): string => {
  const value = body[name]
  if (typeof value === 'string' && value !== '') return value
  throw badRequest(`A value is required for property '${name}' of resource 'User'.`)
}

const checkFreeName = (parts: DirectoryParts, upn: string, own?: string): void => {
  if (!upn.toLowerCase().endsWith(`@${parts.domain}`)) {
    throw badRequest(
      'The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain names in your organization.',
    )
  }
  const other = parts.users.find(upn)
  if (other !== undefined && other.id !== own) {
    throw badRequest('Another object with the same value for property userPrincipalName already exists.')
  }
}

const setPassword = (parts: DirectoryParts, user: PracticeUser, profile: unknown): void => {
  const password = (profile as { password?: unknown } | undefined)?.password
  if (typeof password !== 'string') return
  const known = parts.entra.accountOf(user.id)
  parts.entra.setAccount({
    user_id: user.id,
    name: user.userPrincipalName,
    password,
    app_password: known?.app_password ?? null,
    mfa: known?.mfa ?? 0,
    state: known?.state ?? 'ok',
  })
}

const LISTS = new Set(['businessPhones', 'otherMails'])

const hasType = (name: string, value: unknown): boolean => {
  if (name === 'accountEnabled') return typeof value === 'boolean'
  if (LISTS.has(name)) return Array.isArray(value) && value.every((one) => typeof one === 'string')
  const mustBeThere = name === 'displayName' || name === 'userPrincipalName'
  return mustBeThere ? typeof value === 'string' && value !== '' : value === null || typeof value === 'string'
}

const changes = (body: JsonObject, listing: Listing): JsonObject => {
  const wanted: Record<string, JsonObject[string]> = {}
  for (const [name, value] of Object.entries(body)) {
    if (name.includes('@') || name === 'passwordProfile') continue
    if (!listing.known.has(name))
      throw badRequest(`Property '${name}' does not exist on type 'microsoft.graph.user'.`)
    if (READ_ONLY.has(name)) throw badRequest(`Property '${name}' is read-only and cannot be set.`)
    if (!hasType(name, value))
      throw badRequest(`Invalid value specified for property '${name}' of resource 'User'.`)
    wanted[name] = value
  }
  return wanted
}

const createUser =
  (parts: DirectoryParts, listing: Listing): Handler =>
  async (request) => {
    const body = await request.json()
    const userPrincipalName = requireText(body, 'userPrincipalName')
    const displayName = requireText(body, 'displayName')
    requireText(body, 'mailNickname')
    if (typeof body['accountEnabled'] !== 'boolean')
      throw badRequest("A value is required for property 'accountEnabled' of resource 'User'.")
    checkFreeName(parts, userPrincipalName)
    const wanted = changes(body, listing)
    const id = parts.state.random.uuid()
    const index = parts.users.nextIndex()
    const person = extraPerson({ id, index, userPrincipalName, displayName, isLicensed: false })
    const document = {
      ...userDocument(person, parts.state.seed),
      ...wanted,
      id,
      createdDateTime: parts.state.clock.now().toISOString().slice(0, 19) + 'Z',
    }
    const user = parts.users.add(person, document)
    setPassword(parts, user, body['passwordProfile'])
    return created(request, listing, document)
  }

const patchUser =
  (parts: DirectoryParts, listing: Listing): Handler =>
  async (request) => {
    const row = userRow(parts, request.params['user']!)
    const body = await request.json()
    const wanted = changes(body, listing)
    const upn = wanted['userPrincipalName']
    if (upn !== undefined) checkFreeName(parts, String(upn), row.id)
    const before = parts.users.document(row)
    const mail =
      upn !== undefined && before['mail'] !== null
        ? { mail: upn, proxyAddresses: renamed(before, String(upn)) }
        : {}
    parts.users.update(row, { ...before, ...mail, ...wanted })
    setPassword(parts, parts.users.get(row.id), body['passwordProfile'])
    return { status: 204 }
  }

/** The new primary address; the old one stays as an alias, as Exchange keeps it. */
const renamed = (document: JsonObject, upn: string): string[] => {
  const addresses = Array.isArray(document['proxyAddresses']) ? (document['proxyAddresses'] as string[]) : []
  return [`SMTP:${upn}`, ...addresses.map((address) => address.replace(/^SMTP:/, 'smtp:'))]
}

const deleteUser =
  (parts: DirectoryParts): Handler =>
  (request) => {
    const row = userRow(parts, request.params['user']!)
    const at = parts.state.clock.now().toISOString()
    parts.users.setDeleted(row.id, at)
    return { status: 204 }
  }

const skuIds = (value: unknown): string[] =>
  (Array.isArray(value) ? value : []).map((one) =>
    String(typeof one === 'string' ? one : (one as { skuId?: unknown }).skuId).toLowerCase(),
  )

const kindAfter = (row: UserRow, licensed: boolean) =>
  licensed
    ? { licensed, mailbox: row.mailbox === 'none' ? ('user' as const) : row.mailbox, drive: true }
    : { licensed, mailbox: row.mailbox === 'user' ? ('none' as const) : row.mailbox, drive: false }

/** A licence brings a mailbox and a drive; its loss takes them out of reach. */
const assignLicense =
  (parts: DirectoryParts, listing: Listing): Handler =>
  async (request) => {
    const row = userRow(parts, request.params['user']!)
    const body = await request.json()
    const unknown = [...skuIds(body['addLicenses']), ...skuIds(body['removeLicenses'])].find(
      (id) => id !== ENTERPRISE_SKU,
    )
    if (unknown !== undefined)
      throw badRequest(`License assignment cannot be done: the license ${unknown} is not known.`)
    const isAdded = skuIds(body['addLicenses']).length > 0
    const isRemoved = skuIds(body['removeLicenses']).length > 0
    const licensed = isAdded || (row.licensed === 1 && !isRemoved)
    const before = parts.users.document(row)
    const kind = kindAfter(row, licensed)
    const mail = kind.mailbox === 'none' ? before['mail'] : row.upn
    const after = {
      ...before,
      assignedLicenses: licensed ? [{ disabledPlans: [], skuId: ENTERPRISE_SKU }] : [],
      assignedPlans: licensed ? ASSIGNED_PLANS : [],
      mail: mail ?? null,
      proxyAddresses: typeof mail === 'string' ? [`SMTP:${mail}`] : [],
    }
    parts.users.update(row, after)
    parts.users.setKind(row.id, kind)
    return { status: 200, json: picked(after, listing.defaults) }
  }

const permanently =
  (parts: DirectoryParts): Handler =>
  (request) => {
    const row = parts.users.row(request.params['user']!)
    if (row === undefined || row.deleted_at === null || row.purged === 1)
      throw notInDirectory(request.params['user']!)
    parts.users.setDeleted(row.id, row.deleted_at, { purged: true })
    return { status: 204 }
  }

/** Changes of users through the directory's API. */
export const userEditRoutes = (parts: DirectoryParts, listing: Listing): readonly Route[] => [
  directoryRoute('POST', '/users', createUser(parts, listing)),
  directoryRoute('PATCH', '/users/:user', patchUser(parts, listing)),
  directoryRoute('DELETE', '/users/:user', deleteUser(parts)),
  directoryRoute('POST', '/users/:user/assignLicense', assignLicense(parts, listing), {
    permissions: ['LicenseAssignment.ReadWrite.All', 'User.ReadWrite.All', 'Directory.ReadWrite.All'],
  }),
  directoryRoute('POST', '/users/:user/permanentDelete', permanently(parts)),
]
