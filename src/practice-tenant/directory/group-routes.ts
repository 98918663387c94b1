import type { JsonObject } from '#base'
import { GraphError, type Handler, type Route, type TenantRequest } from '../core/contract.ts'
import { deltaPage, type Changed, type DeltaSource } from './delta.ts'
import { directoryObject, directoryRoute, groupRow, type DirectoryParts } from './directory-parts.ts'
import { groupDocument } from './group-document.ts'
import type { GroupRow, Relation } from './group-rows.ts'
import { counted, created, listed, picked, selected, single, type Listing } from './listing.ts'
import { badRequest } from './user-edit-routes.ts'
import { notInDirectory } from './user-rows.ts'

const RELATIONS = ['members', 'owners'] as const
const relationOf = (name: string): Relation => (name === 'owners' ? 'owner' : 'member')

const groupProperties = (): ReadonlySet<string> => {
  const wish = {
    displayName: '',
    mailNickname: '',
    mailEnabled: false,
    securityEnabled: true,
    groupTypes: [],
  }
  return new Set(Object.keys(groupDocument('', wish, { domain: '' })))
}

const MOST_EXPANDED = 20

const related = (parts: DirectoryParts, group: string, relation: Relation): JsonObject[] =>
  parts.groups
    .links(group, relation)
    .map(({ object_id }) => directoryObject(parts, object_id))
    .filter((object) => object !== undefined)

export const groupListing = (parts: DirectoryParts): Listing => ({
  set: 'groups',
  type: 'group',
  known: groupProperties(),
  after: (place) =>
    parts.groups.after(place, false).map((row) => ({ place: row.idx, document: parts.groups.document(row) })),
  expand: (document, names) => {
    const unknown = names.find((name) => !RELATIONS.some((known) => known === name))
    if (unknown !== undefined)
      throw new GraphError(501, 'NotImplemented', `$expand of ${unknown} is not built.`)
    const shown = names.map((name) => [
      name,
      related(parts, String(document['id']), relationOf(name)).slice(0, MOST_EXPANDED),
    ])
    return { ...document, ...Object.fromEntries(shown) } as JsonObject
  },
})

/** Relationships that `$select` of a delta names, apart from properties. */
const deltaSource = (parts: DirectoryParts, listing: Listing, select: string | undefined): DeltaSource => {
  const names = (select ?? '').split(',').map((name) => name.trim()).filter(Boolean) // prettier-ignore
  const links = RELATIONS.filter((name) => names.includes(name))
  const own = names.filter((name) => !links.some((link) => link === name))
  const properties = selected(own.join(','), listing)
  const shown = (document: JsonObject): JsonObject =>
    picked(document, select === undefined ? undefined : [...new Set([...(properties ?? []), 'id'])])
  const linked = (row: GroupRow, since: number | undefined): JsonObject =>
    Object.fromEntries(
      links.map((name) => [`${name}@delta`, linkChanges(parts, row.id, relationOf(name), since)]),
    )
  const change = (row: GroupRow, since: number): Changed =>
    row.deleted_at === null
      ? { place: row.changed, value: { ...shown(parts.groups.document(row)), ...linked(row, since) } }
      : {
          place: row.changed,
          value: { id: row.id, '@removed': { reason: row.purged === 1 ? 'deleted' : 'changed' } },
        }
  return {
    set: 'groups',
    now: () => parts.users.now(),
    *all(after) {
      for (const row of parts.groups.after(after, false)) {
        yield { place: row.idx, value: { ...shown(parts.groups.document(row)), ...linked(row, undefined) } }
      }
    },
    *changes(after) {
      for (const row of parts.groups.changedAfter(after)) yield change(row, after)
    },
  }
}

const linkChanges = (
  parts: DirectoryParts,
  group: string,
  relation: Relation,
  since: number | undefined,
): JsonObject[] => {
  const rows =
    since === undefined
      ? parts.groups.links(group, relation)
      : parts.groups.linkChanges(group, relation, since)
  return rows.map(({ object_id: id, kind, removed }) => ({
    '@odata.type': `#microsoft.graph.${kind}`,
    id,
    ...(removed === null ? {} : { '@removed': { reason: 'deleted' } }),
  }))
}

type Cast = 'user' | 'group' | undefined

const objectListing = (objects: readonly JsonObject[], cast: Cast): Listing => {
  const kept = objects.filter(
    (object) => cast === undefined || object['@odata.type'] === `#microsoft.graph.${cast}`,
  )
  return {
    set: cast === undefined ? 'directoryObjects' : `${cast}s`,
    type: cast ?? 'directoryObject',
    known: new Set([
      ...objects.flatMap((object) => Object.keys(object)),
      'id',
      'displayName',
      'mail',
      'userPrincipalName',
    ]),
    after: (place) => kept.slice(place + 1).map((document, at) => ({ place: place + 1 + at, document })),
  }
}

const linkedRoutes = (
  parts: DirectoryParts,
  name: 'members' | 'owners' | 'transitiveMembers',
  units: number,
): Route[] => {
  const objects = (request: TenantRequest): JsonObject[] => {
    const { id } = groupRow(parts, request.params['group']!)
    if (name !== 'transitiveMembers') return related(parts, id, relationOf(name))
    return parts.groups
      .transitiveMembers(id)
      .map((member) => directoryObject(parts, member.id))
      .filter((object) => object !== undefined)
  }
  return [undefined, 'user' as const, 'group' as const].flatMap((cast) => {
    const path = `/groups/:group/${name}${cast === undefined ? '' : `/microsoft.graph.${cast}`}`
    return [
      directoryRoute('GET', path, (request) => listed(request, objectListing(objects(request), cast)), {
        units,
      }),
      directoryRoute('GET', `${path}/$count`, (request) =>
        counted(request, objectListing(objects(request), cast)),
      ),
    ]
  })
}

const referenced = (parts: DirectoryParts, body: JsonObject): { id: string; kind: 'user' | 'group' } => {
  const address = body['@odata.id']
  const id = typeof address === 'string' ? (/\/([^/]+)$/.exec(address)?.[1] ?? '').toLowerCase() : ''
  const object = directoryObject(parts, id)
  if (object === undefined) throw notInDirectory(id)
  return { id, kind: object['@odata.type'] === '#microsoft.graph.user' ? 'user' : 'group' }
}

const linkRoutes = (parts: DirectoryParts, name: 'members' | 'owners'): Route[] => {
  const add: Handler = async (request) => {
    const { id } = groupRow(parts, request.params['group']!)
    if (!parts.groups.link(id, relationOf(name), referenced(parts, await request.json()))) {
      throw badRequest(
        `One or more added object references already exist for the following modified properties: '${name}'.`,
      )
    }
    return { status: 204 }
  }
  const remove: Handler = (request) => {
    const { id } = groupRow(parts, request.params['group']!)
    if (!parts.groups.unlink(id, relationOf(name), request.params['object']!.toLowerCase())) {
      throw notInDirectory(request.params['object']!)
    }
    return { status: 204 }
  }
  const permissions = ['Group.ReadWrite.All', 'GroupMember.ReadWrite.All', 'Directory.ReadWrite.All']
  return [
    directoryRoute('POST', `/groups/:group/${name}/$ref`, add, { permissions }),
    directoryRoute('DELETE', `/groups/:group/${name}/:object/$ref`, remove, { permissions }),
  ]
}

const createGroup =
  (parts: DirectoryParts, listing: Listing): Handler =>
  async (request) => {
    const body = await request.json()
    const { displayName, mailNickname, mailEnabled, securityEnabled, groupTypes } = body
    if (
      typeof displayName !== 'string' ||
      displayName === '' ||
      typeof mailNickname !== 'string' ||
      mailNickname === ''
    ) {
      throw badRequest(
        "A value is required for properties 'displayName' and 'mailNickname' of resource 'Group'.",
      )
    }
    if (typeof mailEnabled !== 'boolean' || typeof securityEnabled !== 'boolean') {
      throw badRequest(
        "A value is required for properties 'mailEnabled' and 'securityEnabled' of resource 'Group'.",
      )
    }
    const wish = {
      displayName,
      mailNickname,
      mailEnabled,
      securityEnabled,
      groupTypes: Array.isArray(groupTypes) ? groupTypes.map(String) : [],
      ...(typeof body['description'] === 'string' ? { description: body['description'] } : {}),
      ...(typeof body['visibility'] === 'string' ? { visibility: body['visibility'] } : {}),
    }
    if (mailEnabled && !wish.groupTypes.includes('Unified')) {
      throw badRequest('Mail-enabled groups without the type Unified cannot be made through this API.')
    }
    const createdAt = `${parts.state.clock.now().toISOString().slice(0, 19)}Z`
    const document = groupDocument(parts.state.random.uuid(), wish, {
      domain: parts.domain,
      created: createdAt,
    })
    parts.groups.add(String(document['id']), document)
    return created(request, listing, document)
  }

const EDITABLE = new Set([
  'displayName',
  'description',
  'mailNickname',
  'visibility',
  'preferredLanguage',
  'theme',
])

const patchGroup =
  (parts: DirectoryParts): Handler =>
  async (request) => {
    const row = groupRow(parts, request.params['group']!)
    const body = await request.json()
    const readOnly = Object.keys(body).find((name) => !name.includes('@') && !EDITABLE.has(name))
    if (readOnly !== undefined) throw badRequest(`Property '${readOnly}' cannot be set.`)
    const wrong = Object.entries(body).find(([, value]) => value !== null && typeof value !== 'string')
    if (wrong !== undefined)
      throw badRequest(`Invalid value specified for property '${wrong[0]}' of resource 'Group'.`)
    parts.groups.update(row.id, { ...parts.groups.document(row), ...body })
    return { status: 204 }
  }

/** `/groups`, their members and owners. */
export const groupRoutes = (parts: DirectoryParts): readonly Route[] => {
  const listing = groupListing(parts)
  const one: Handler = (request) =>
    single(request, listing, parts.groups.document(groupRow(parts, request.params['group']!)))
  const remove: Handler = (request) => {
    parts.groups.setDeleted(
      groupRow(parts, request.params['group']!).id,
      parts.state.clock.now().toISOString(),
    )
    return { status: 204 }
  }
  const delta: Handler = (request) =>
    deltaPage(request, parts.state.clock, (select) => deltaSource(parts, listing, select))
  return [
    directoryRoute('GET', '/groups', (request) => listed(request, listing), { units: 2 }),
    directoryRoute('GET', '/groups/$count', (request) => counted(request, listing)),
    directoryRoute('GET', '/groups/delta', delta, { units: 2 }),
    directoryRoute('GET', '/groups/:group', one),
    directoryRoute('POST', '/groups', createGroup(parts, listing)),
    directoryRoute('PATCH', '/groups/:group', patchGroup(parts)),
    directoryRoute('DELETE', '/groups/:group', remove),
    ...linkedRoutes(parts, 'members', 3),
    ...linkedRoutes(parts, 'owners', 2),
    ...linkedRoutes(parts, 'transitiveMembers', 5),
    ...linkRoutes(parts, 'members'),
    ...linkRoutes(parts, 'owners'),
  ]
}
