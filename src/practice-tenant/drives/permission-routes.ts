import type { Json, JsonObject } from '#base'
import {
  GraphError,
  type PracticeUser,
  type Route,
  type TenantAnswer,
  type TenantRequest,
} from '../core/contract.ts'
import type { DriveParts } from './drives.ts'
import type { Drive } from './drive-store.ts'
import { ItemView } from './item-view.ts'
import { itemRoutes } from './locator.ts'
import { PermissionList } from './permission-list.ts'
import { contextOf } from './query-options.ts'
import type { ItemRow, PermissionRow } from './schema.ts'

const ROLES = ['read', 'write', 'owner']
const LINK_TYPES = ['view', 'edit', 'embed']
const LINK_SCOPES = ['anonymous', 'organization', 'users']

const invalid = (message: string): GraphError => new GraphError(400, 'invalidRequest', message)

interface Asked {
  readonly drive: Drive
  readonly item: ItemRow
  readonly list: PermissionList
}

/** Who may see an item: listing, inviting, links, taking back. */
export class Permissions {
  readonly #parts: DriveParts
  constructor(parts: DriveParts) {
    this.#parts = parts
  }

  routes(): Route[] {
    const { state } = this.#parts
    const read = { to: 'read', cost: 5 } as const
    const write = { to: 'write', cost: 5 } as const
    return [
      ...itemRoutes(state, read, 'GET', '/permissions', (request) => this.#list(request)),
      ...itemRoutes(state, read, 'GET', '/permissions/:permission', (request) => this.#get(request)),
      ...itemRoutes(state, write, 'PATCH', '/permissions/:permission', (request) => this.#update(request)),
      ...itemRoutes(state, write, 'DELETE', '/permissions/:permission', (request) => this.#remove(request)),
      ...itemRoutes(state, write, 'POST', '/invite', (request) => this.#invite(request)),
      ...itemRoutes(state, write, 'POST', '/createLink', (request) => this.#createLink(request)),
    ]
  }

  #ask(request: TenantRequest): Asked {
    const drive = this.#parts.locator.drive(request)
    const item = this.#parts.locator.item(request, drive)
    return {
      drive,
      item,
      list: new PermissionList(this.#parts, drive, new ItemView(this.#parts, request, drive)),
    }
  }

  #list(request: TenantRequest): TenantAnswer {
    const { item, list } = this.#ask(request)
    return { status: 200, json: { ...contextOf(request, 'Collection(permission)'), value: list.of(item) } }
  }

  #get(request: TenantRequest): TenantAnswer {
    const { item, list } = this.#ask(request)
    const { row, from } = this.#entry(request, item, list)
    const json = list.view(row, from.key === item.key ? undefined : from)
    return { status: 200, json: { ...contextOf(request, 'permissions/$entity'), ...json } }
  }

  async #update(request: TenantRequest): Promise<TenantAnswer> {
    const roles = rolesOf(await request.json())
    const { drive, item, list } = this.#ask(request)
    const row = this.#ownEntry(request, item, list)
    this.#parts.store.run(
      'UPDATE drive_permissions SET roles = ? WHERE key = ?',
      JSON.stringify(roles),
      row.key,
    )
    this.#parts.edits.sharingChanged(drive, item)
    return { status: 200, json: list.view({ ...row, roles: JSON.stringify(roles) }) }
  }

  #remove(request: TenantRequest): TenantAnswer {
    const { drive, item, list } = this.#ask(request)
    const row = this.#ownEntry(request, item, list)
    this.#parts.store.run('DELETE FROM drive_permissions WHERE key = ?', row.key)
    this.#parts.edits.sharingChanged(drive, item)
    return { status: 204 }
  }

  async #invite(request: TenantRequest): Promise<TenantAnswer> {
    const body = await request.json()
    const { drive, item, list } = this.#ask(request)
    this.#checkSharing(drive)
    const roles = rolesOf(body)
    const people = this.#recipients(body)
    const value = this.#parts.store.db.transaction(() => {
      this.#breakInheritance(item, body)
      const rows = people.map((user) => this.#grant(drive, item, user, roles, expiryOf(body)))
      this.#parts.edits.sharingChanged(drive, item)
      return rows.map((row) => list.view(row))
    })()
    return { status: 200, json: { ...contextOf(request, 'Collection(permission)'), value } }
  }

  async #createLink(request: TenantRequest): Promise<TenantAnswer> {
    const body = await request.json()
    const { drive, item, list } = this.#ask(request)
    this.#checkSharing(drive)
    const type = body['type'] ?? 'view'
    const scope = body['scope'] ?? 'organization'
    if (!LINK_TYPES.includes(String(type))) throw invalid('The type of the link is not supported.')
    if (!LINK_SCOPES.includes(String(scope))) throw invalid('The scope of the link is not supported.')
    const { store, edits } = this.#parts
    const known = store.one<PermissionRow>(
      `SELECT * FROM drive_permissions WHERE item = ? AND kind = 'link' AND link_type = ? AND link_scope = ?`,
      ...[item.key, type, scope],
    )
    if (known !== undefined) return { status: 200, json: list.view(known) }
    const row = store.db.transaction(() => {
      this.#breakInheritance(item, body)
      const made = this.#insert(drive, item, {
        kind: 'link',
        roles: type === 'edit' ? '["write"]' : '["read"]',
        link_type: String(type),
        link_scope: String(scope),
        has_password: typeof body['password'] === 'string' ? 1 : 0,
        expires: expiryOf(body),
      })
      edits.sharingChanged(drive, item)
      return made
    })()
    return { status: 201, json: { ...contextOf(request, 'permissions/$entity'), ...list.view(row) } }
  }

  #entry(request: TenantRequest, item: ItemRow, list: PermissionList): { row: PermissionRow; from: ItemRow } {
    const found = list.entries(item).find(({ row }) => row.id === request.params['permission'])
    if (found === undefined) throw new GraphError(404, 'itemNotFound', 'The permission could not be found.')
    return found
  }

  #ownEntry(request: TenantRequest, item: ItemRow, list: PermissionList): PermissionRow {
    const { row, from } = this.#entry(request, item, list)
    if (row.kind === 'owner')
      throw new GraphError(403, 'accessDenied', "The owner's permission cannot be changed.")
    if (from.key !== item.key) throw invalid('An inherited permission must be changed where it was given.')
    return row
  }

  /** Sharing is switched off for `no-sharing@…`. */
  #checkSharing(drive: Drive): void {
    if (!this.#parts.state.isSentinel(drive.owner, 'no-sharing')) return
    throw new GraphError(403, 'accessDenied', 'Sharing has been disabled on this site.', {
      innerCode: 'sharingDisabled',
    })
  }

  #recipients(body: JsonObject): PracticeUser[] {
    const { recipients } = body
    if (!Array.isArray(recipients) || recipients.length === 0) throw invalid('Recipients are missing.')
    const people = recipients.flatMap((recipient: Json) => this.#person(recipient) ?? [])
    if (people.length < recipients.length) {
      throw new GraphError(400, 'invalidRequest', 'One or more users could not be resolved.', {
        innerCode: 'noResolvedUsers',
      })
    }
    return people
  }

  #person(recipient: Json): PracticeUser | undefined {
    if (typeof recipient !== 'object' || recipient === null) return undefined
    const { objectId, email, alias } = recipient as JsonObject
    const name = objectId ?? email ?? alias
    if (typeof name !== 'string') return undefined
    try {
      return this.#parts.state.user(name)
    } catch (error) {
      if (error instanceof GraphError && error.status === 404) return undefined
      throw error
    }
  }

  #breakInheritance(item: ItemRow, body: JsonObject): void {
    if (body['retainInheritedPermissions'] !== false) return
    this.#parts.store.run('UPDATE drive_items SET is_unique = 1 WHERE key = ?', item.key)
  }

  /** A person has one entry of their own on an item: a second invitation changes it. */
  #grant(drive: Drive, item: ItemRow, user: PracticeUser, roles: readonly string[], expires: string | null) {
    const { store } = this.#parts
    const known = store.one<PermissionRow>(
      `SELECT * FROM drive_permissions WHERE item = ? AND kind = 'user' AND grantee = ?`,
      ...[item.key, user.id],
    )
    const text = JSON.stringify(roles)
    if (known === undefined)
      return this.#insert(drive, item, { kind: 'user', roles: text, grantee: user.id, expires })
    store.run('UPDATE drive_permissions SET roles = ?, expires = ? WHERE key = ?', text, expires, known.key)
    return { ...known, roles: text, expires }
  }

  #insert(
    drive: Drive,
    item: ItemRow,
    entry: Pick<PermissionRow, 'kind' | 'roles'> & Partial<PermissionRow>,
  ) {
    const { store, state } = this.#parts
    const id = Buffer.from(state.random.bytes(18)).toString('base64url')
    const share =
      entry.kind === 'link' ? `u!${Buffer.from(state.random.bytes(24)).toString('base64url')}` : null
    store.run(
      `INSERT INTO drive_permissions
        (item, drive, id, roles, kind, grantee, link_type, link_scope, has_password, expires, share_id)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[item.key, drive.key, id, entry.roles, entry.kind, entry.grantee ?? null, entry.link_type ?? null],
      ...[entry.link_scope ?? null, entry.has_password ?? 0, entry.expires ?? null, share],
    )
    return store.one<PermissionRow>(
      'SELECT * FROM drive_permissions WHERE item = ? AND id = ?',
      item.key,
      id,
    )!
  }
}

const rolesOf = (body: JsonObject): string[] => {
  const { roles } = body
  if (!Array.isArray(roles) || roles.length === 0) throw invalid('Roles are missing.')
  const unknown = roles.find((role: Json) => typeof role !== 'string' || !ROLES.includes(role))
  if (unknown !== undefined) throw invalid('A role is not supported.')
  return roles as string[]
}

const expiryOf = (body: JsonObject): string | null => {
  const { expirationDateTime } = body
  if (expirationDateTime === undefined || expirationDateTime === null) return null
  if (typeof expirationDateTime !== 'string' || Number.isNaN(Date.parse(expirationDateTime))) {
    throw invalid('expirationDateTime is not a valid time.')
  }
  return expirationDateTime
}
