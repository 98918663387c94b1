import type { JsonObject } from '#base'
import { GraphError, type Handler, type Route } from '../core/contract.ts'
import { deltaPage, type Changed, type DeltaSource } from './delta.ts'
import { directoryRoute, userRow, type DirectoryParts } from './directory-parts.ts'
import { counted, listed, picked, selected, single, type Listing, type Placed } from './listing.ts'
import { userEditRoutes } from './user-edit-routes.ts'
import { userDocument } from './user-document.ts'
import type { UserRow } from './user-rows.ts'
import { seededPerson } from '../seed/people.ts'

export const USER_DEFAULTS = [
  'businessPhones', 'displayName', 'givenName', 'id', 'jobTitle', 'mail', 'mobilePhone', 'officeLocation',
  'preferredLanguage', 'surname', 'userPrincipalName',
] // prettier-ignore

export const userProperties = (parts: DirectoryParts): ReadonlySet<string> => {
  const { seed } = parts.state
  return new Set(Object.keys(userDocument(seededPerson(seed, 0), seed)))
}

function* documents(parts: DirectoryParts, after: number): Iterable<Placed> {
  const page = parts.state.db.prepare<[number], UserRow>(
    'SELECT * FROM users WHERE idx > ? AND deleted_at IS NULL ORDER BY idx LIMIT 200',
  )
  for (let rows = page.all(after); rows.length > 0; rows = page.all(rows.at(-1)!.idx)) {
    for (const row of rows) yield { place: row.idx, document: parts.users.document(row) }
  }
}

export const userListing = (parts: DirectoryParts): Listing => ({
  set: 'users',
  type: 'user',
  defaults: USER_DEFAULTS,
  known: userProperties(parts),
  after: (place) => documents(parts, place),
})

const deltaSource = (parts: DirectoryParts, names: readonly string[]): DeltaSource => {
  const shown = (document: JsonObject): JsonObject => picked(document, [...new Set([...names, 'id'])])
  const change = (row: UserRow): Changed =>
    row.deleted_at === null
      ? { place: row.changed, value: shown(parts.users.document(row)) }
      : {
          place: row.changed,
          value: { id: row.id, '@removed': { reason: row.purged === 1 ? 'deleted' : 'changed' } },
        }
  return {
    set: 'users',
    now: () => parts.users.now(),
    *all(after) {
      for (const { place, document } of documents(parts, after)) yield { place, value: shown(document) }
    },
    *changes(after) {
      const page = parts.state.db.prepare<[number], UserRow>(
        'SELECT * FROM users WHERE changed > ? ORDER BY changed LIMIT 200',
      )
      for (let rows = page.all(after); rows.length > 0; rows = page.all(rows.at(-1)!.changed)) {
        yield* rows.map(change)
      }
    },
  }
}

/** `$select` of delta may also name relationships; the others are the user's own properties. */
const deltaNames = (listing: Listing, select: string | undefined): readonly string[] => {
  if (select === undefined) return USER_DEFAULTS
  const names = select.split(',').filter((name) => name.trim() !== 'manager')
  return selected(names.join(','), listing) ?? USER_DEFAULTS
}

const memberships =
  (parts: DirectoryParts, isTransitive: boolean): Handler =>
  (request) => {
    const { id } = userRow(parts, request.params['user']!)
    const found = new Set(parts.groups.groupsOf(id))
    if (isTransitive)
      for (const group of found) for (const outer of parts.groups.groupsOf(group)) found.add(outer)
    const objects = [...found]
      .map((group) => parts.groups.row(group)!)
      .filter((row) => row.deleted_at === null)
      .map((row): JsonObject => ({ '@odata.type': '#microsoft.graph.group', ...parts.groups.document(row) }))
    return listed(request, {
      set: 'directoryObjects',
      type: 'group',
      known: new Set(objects.flatMap((object) => Object.keys(object)).concat('id')),
      after: (place) => objects.slice(place + 1).map((document, at) => ({ place: place + 1 + at, document })),
    })
  }

/** `/users` and what is asked of one user by the directory itself. */
export const userRoutes = (parts: DirectoryParts): readonly Route[] => {
  const listing = userListing(parts)
  const one: Handler = (request) => {
    const row = userRow(parts, request.params['user']!)
    return single(request, listing, parts.users.document(row))
  }
  const delta: Handler = (request) =>
    deltaPage(request, parts.state.clock, (select) => deltaSource(parts, deltaNames(listing, select)))
  return [
    directoryRoute('GET', '/users', (request) => listed(request, listing), { units: 2 }),
    directoryRoute('GET', '/users/$count', (request) => counted(request, listing)),
    directoryRoute('GET', '/users/delta', delta, { units: 2 }),
    directoryRoute('GET', '/users/:user', one),
    directoryRoute('GET', '/users/:user/manager', () => {
      throw new GraphError(
        404,
        'Request_ResourceNotFound',
        "Resource 'manager' does not exist or one of its queried reference-property objects are not present.",
      )
    }),
    directoryRoute('GET', '/users/:user/memberOf', memberships(parts, false), { units: 2 }),
    directoryRoute('GET', '/users/:user/transitiveMemberOf', memberships(parts, true), { units: 5 }),
    ...userEditRoutes(parts, listing),
  ]
}
