import type { JsonObject } from '#base'
import type { Handler, Route, TenantRequest } from '../core/contract.ts'
import { directoryObject, directoryRoute, type DirectoryParts } from './directory-parts.ts'
import { groupListing } from './group-routes.ts'
import { listed, listingOf, single, type Listing } from './listing.ts'
import { badRequest } from './user-edit-routes.ts'
import { userListing } from './user-routes.ts'
import { notInDirectory, type UserRow } from './user-rows.ts'

const RECYCLE_MS = 30 * 24 * 3600 * 1000

/** What is older than 30 days has gone for good. */
const emptyOld = (parts: DirectoryParts): void => {
  const before = new Date(parts.state.clock.nowMs() - RECYCLE_MS).toISOString()
  for (const row of deletedUsers(parts)) {
    if (row.deleted_at! < before) parts.users.setDeleted(row.id, row.deleted_at!, { purged: true })
  }
  for (const row of parts.groups.after(-1, true)) {
    if (row.deleted_at! < before) parts.groups.setDeleted(row.id, row.deleted_at!, { purged: true })
  }
}

const deletedUsers = (parts: DirectoryParts): UserRow[] =>
  parts.state.db
    .prepare<[], UserRow>('SELECT * FROM users WHERE deleted_at IS NOT NULL AND purged = 0 ORDER BY idx')
    .all()

const listOf =
  (parts: DirectoryParts, listing: Listing, documents: () => JsonObject[]): Handler =>
  (request) => {
    emptyOld(parts)
    const all = documents()
    const after: Listing['after'] = (place) =>
      all.slice(place + 1).map((document, at) => ({ place: place + 1 + at, document }))
    return listed(request, { ...listing, known: new Set([...listing.known, 'deletedDateTime']), after })
  }

type Deleted = {
  readonly kind: 'user' | 'group'
  readonly id: string
  readonly document: JsonObject
  readonly at: string
}

const deletedObject = (parts: DirectoryParts, request: TenantRequest): Deleted => {
  emptyOld(parts)
  const id = request.params['object']!
  const user = parts.users.row(id)
  if (user !== undefined && user.deleted_at !== null && user.purged === 0) {
    return { kind: 'user', id: user.id, document: parts.users.document(user), at: user.deleted_at }
  }
  const group = parts.groups.row(id)
  if (group !== undefined && group.deleted_at !== null && group.purged === 0) {
    return { kind: 'group', id: group.id, document: parts.groups.document(group), at: group.deleted_at }
  }
  throw notInDirectory(id)
}

const restore =
  (parts: DirectoryParts, users: Listing, groups: Listing): Handler =>
  (request) => {
    const { kind, id, document } = deletedObject(parts, request)
    if (kind === 'group') {
      parts.groups.setDeleted(id, undefined)
      return single(request, groups, directoryObject(parts, id)!)
    }
    if (parts.users.find(String(document['userPrincipalName'])) !== undefined) {
      throw badRequest('The userPrincipalName of the deleted user is in use by another object.')
    }
    parts.users.setDeleted(id, undefined)
    return single(request, users, directoryObject(parts, id)!)
  }

const purge =
  (parts: DirectoryParts): Handler =>
  (request) => {
    const { kind, id, at } = deletedObject(parts, request)
    const rows = kind === 'user' ? parts.users : parts.groups
    rows.setDeleted(id, at, { purged: true })
    return { status: 204 }
  }

const getByIds =
  (parts: DirectoryParts): Handler =>
  async (request) => {
    const { ids, types } = await request.json()
    if (!Array.isArray(ids)) throw badRequest("A value is required for parameter 'ids'.")
    const wanted = Array.isArray(types)
      ? new Set(types.map((type) => `#microsoft.graph.${String(type)}`))
      : undefined
    const objects = ids
      .map((id) => directoryObject(parts, String(id)))
      .filter((object) => object !== undefined)
      .filter((object) => wanted === undefined || wanted.has(String(object['@odata.type'])))
    return listed(request, listingOf(objects, { set: 'directoryObjects', type: 'directoryObject' }))
  }

/** Deleted users and groups for 30 days, and objects by id. */
export const deletedRoutes = (parts: DirectoryParts): readonly Route[] => {
  const users = userListing(parts)
  const groups = groupListing(parts)
  const read = [
    'User.Read.All',
    'User.ReadWrite.All',
    'Group.Read.All',
    'Directory.Read.All',
    'Directory.ReadWrite.All',
  ]
  const write = [
    'User.ReadWrite.All',
    'Group.ReadWrite.All',
    'User.DeleteRestore.All',
    'Directory.ReadWrite.All',
  ]
  const object: Handler = (request) => {
    const found = directoryObject(parts, request.params['object']!)
    if (found === undefined) throw notInDirectory(request.params['object']!)
    return single(request, listingOf([found], { set: 'directoryObjects', type: 'directoryObject' }), found)
  }
  const deleted: Handler = (request) => {
    const { kind, document } = deletedObject(parts, request)
    return single(request, kind === 'user' ? users : groups, document)
  }
  const deletedDocuments = () => deletedUsers(parts).map((row) => parts.users.document(row))
  const deletedGroups = () => parts.groups.after(-1, true).map((row) => parts.groups.document(row))
  return [
    directoryRoute(
      'GET',
      '/directory/deletedItems/microsoft.graph.user',
      listOf(parts, users, deletedDocuments),
      { permissions: read },
    ),
    directoryRoute(
      'GET',
      '/directory/deletedItems/microsoft.graph.group',
      listOf(parts, groups, deletedGroups),
      { permissions: read },
    ),
    directoryRoute('GET', '/directory/deletedItems/:object', deleted, { permissions: read }),
    directoryRoute('DELETE', '/directory/deletedItems/:object', purge(parts), { permissions: write }),
    directoryRoute('POST', '/directory/deletedItems/:object/restore', restore(parts, users, groups), {
      permissions: write,
    }),
    directoryRoute('GET', '/directoryObjects/:object', object, { permissions: read }),
    directoryRoute('POST', '/directoryObjects/getByIds', getByIds(parts), { permissions: read }),
  ]
}
