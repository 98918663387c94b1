import { GraphError, type Route, type TenantAnswer, type TenantRequest } from '../core/contract.ts'
import { askedToken, writeToken, type DeltaToken } from './delta.ts'
import type { DriveParts } from './drives.ts'
import type { Drive } from './drive-store.ts'
import { eTagOf, isoTime, ItemView, userIdentity } from './item-view.ts'
import { accessOf, DRIVE_BASES, itemRoutes, matchesTag } from './locator.ts'
import { PermissionList } from './permission-list.ts'
import {
  checkOptions,
  contextOf,
  expansionsOf,
  nameOrderOf,
  pageAddress,
  selector,
  topOf,
} from './query-options.ts'
import type { ItemRow } from './schema.ts'
import { versionsOf } from './versions.ts'

type Json = Record<string, unknown>

const EXPANSIONS = ['children', 'permissions', 'versions'] as const
const EXPANDED_CHILDREN = 200

/** Drives, items, children and delta: everything that lists. */
export class Listings {
  readonly #parts: DriveParts

  constructor(parts: DriveParts) {
    this.#parts = parts
  }

  routes(): Route[] {
    const { state } = this.#parts
    const single = {
      to: 'read',
      cost: (request: TenantRequest) => (expandsPermissions(request) ? 5 : 1),
    } as const
    const list = {
      to: 'read',
      cost: (request: TenantRequest) => (expandsPermissions(request) ? 5 : 2),
    } as const
    const delta = {
      to: 'read',
      cost: (request: TenantRequest) => (askedToken(request) === undefined ? 2 : 1),
    } as const
    const drive = DRIVE_BASES.map((path): Route => ({
      ...accessOf(state, single),
      method: 'GET',
      path,
      handler: (request) => this.#drive(request),
    }))
    return [
      ...drive,
      {
        ...accessOf(state, list),
        method: 'GET',
        path: '/users/:user/drives',
        handler: (request) => this.#drives(request),
      },
      ...itemRoutes(state, single, 'GET', '', (request) => this.#item(request)),
      ...itemRoutes(state, list, 'GET', '/children', (request) => this.#children(request)),
      ...itemRoutes(state, delta, 'GET', '/delta', (request) => this.#delta(request)),
    ]
  }

  #driveView(request: TenantRequest, drive: Drive): Json {
    const { store } = this.#parts
    const view = new ItemView(this.#parts, request, drive)
    const root = store.root(drive)
    const used = root.size
    const deleted = store.recycledBytes(drive)
    const remaining = Math.max(0, drive.quota - used - deleted)
    const state = remaining === 0 ? 'exceeded' : remaining < drive.quota / 100 ? 'critical' : 'normal'
    return {
      id: drive.id,
      name: 'OneDrive',
      description: '',
      driveType: 'business',
      webUrl: `${view.siteUrl()}/Documents`,
      createdDateTime: isoTime(drive.created_ms),
      lastModifiedDateTime: isoTime(root.modified_ms),
      createdBy: { user: { displayName: 'System Account' } },
      owner: { user: userIdentity(drive.owner) },
      quota: { deleted, remaining, state, total: drive.quota, used },
    }
  }

  #drive(request: TenantRequest): TenantAnswer {
    checkOptions(request, ['$select'])
    const drive = this.#parts.locator.drive(request)
    const view = selector(request)(this.#driveView(request, drive))
    return { status: 200, json: { ...contextOf(request, 'drives/$entity'), ...view } }
  }

  #drives(request: TenantRequest): TenantAnswer {
    checkOptions(request, ['$select', '$top'])
    const value = [selector(request)(this.#driveView(request, this.#parts.locator.drive(request)))]
    return { status: 200, json: { ...contextOf(request, 'drives'), value } }
  }

  #item(request: TenantRequest): TenantAnswer {
    checkOptions(request, ['$select', '$expand'])
    const { locator } = this.#parts
    const drive = locator.drive(request)
    const item = locator.item(request, drive)
    if (matchesTag(request.headers['if-none-match'], item))
      return { status: 304, headers: { etag: eTagOf(item) } }
    const view = new ItemView(this.#parts, request, drive)
    const json = { ...selector(request)(view.item(item)), ...this.#expanded(request, drive, item, view) }
    return { status: 200, json: { ...contextOf(request, 'driveItems/$entity'), ...json } }
  }

  #expanded(request: TenantRequest, drive: Drive, item: ItemRow, view: ItemView): Json {
    const wanted = expansionsOf(request, EXPANSIONS)
    const { store } = this.#parts
    return {
      ...(wanted.includes('children')
        ? { children: store.children(item, EXPANDED_CHILDREN).map((child) => view.item(child)) }
        : {}),
      ...(wanted.includes('permissions')
        ? { permissions: new PermissionList(this.#parts, drive, view).of(item) }
        : {}),
      ...(wanted.includes('versions') && item.kind === 'file'
        ? { versions: versionsOf(store, item).map((version) => view.version(version)) }
        : {}),
    }
  }

  #children(request: TenantRequest): TenantAnswer {
    checkOptions(request, ['$select', '$expand', '$top', '$orderby', '$skiptoken'])
    const { locator, store } = this.#parts
    const drive = locator.drive(request)
    const folder = locator.item(request, drive)
    const top = topOf(request)
    const skip = request.query.get('$skiptoken')
    const after = skip === undefined ? undefined : Buffer.from(skip, 'base64url').toString()
    const rows = store.children(folder, top + 1, nameOrderOf(request), after)
    const view = new ItemView(this.#parts, request, drive)
    const select = selector(request)
    const value = rows
      .slice(0, top)
      .map((item) => ({ ...select(view.item(item)), ...this.#expanded(request, drive, item, view) }))
    const last = rows.length > top ? rows[top - 1] : undefined
    const next =
      last === undefined
        ? {}
        : {
            '@odata.nextLink': pageAddress(request, `/v1.0/drives/${drive.id}/items/${folder.id}/children`, {
              $skiptoken: Buffer.from(last.name.toLowerCase()).toString('base64url'),
            }),
          }
    return { status: 200, json: { ...contextOf(request, 'Collection(driveItem)'), ...next, value } }
  }

  #delta(request: TenantRequest): TenantAnswer {
    checkOptions(request, ['$select', '$top', '$expand', '$deltatoken'])
    expansionsOf(request, [])
    const { locator, state, deltas } = this.#parts
    const drive = locator.drive(request)
    const folder = locator.item(request, drive)
    const address = (token: DeltaToken): string => deltaAddress(request, drive, folder, token)
    const token = this.#beginDelta(request, drive, folder)
    if (token.isDone) return deltaAnswer(request, [], token, address)
    const page = deltas.page({ drive, folder }, token, {
      top: topOf(request),
      withParents: request.headers['deltaexcludeparent'] === undefined,
      withSharing: request.prefer.has('deltashowsharingchanges'),
      repeats: state.isSentinel(drive.owner, 'repeat-delta'),
    })
    const value = this.#changes(request, drive, page.items, token)
    return deltaAnswer(request, value, page.token, address)
  }

  /** `expired-delta@…` finds its first finished round expired, once. */
  #beginDelta(request: TenantRequest, drive: Drive, folder: ItemRow): DeltaToken {
    const { state, store, deltas } = this.#parts
    const asked = askedToken(request)
    const resync = (): GraphError => {
      const anew = deltas.begin(store.drive(drive.id), undefined, resync)
      return new GraphError(
        410,
        'resyncRequired',
        'Resync required. Replace any local items with the server version.',
        {
          innerCode: 'resyncChangesApplyDifferences',
          headers: { location: deltaAddress(request, drive, folder, anew) },
        },
      )
    }
    const token = deltas.begin(drive, asked, resync)
    const isLater = asked !== undefined && token.from > 0 && !token.isDone
    if (isLater && drive.epoch === 0 && state.isSentinel(drive.owner, 'expired-delta')) {
      deltas.expireTokens(drive)
      throw resync()
    }
    return token
  }

  #changes(request: TenantRequest, drive: Drive, items: readonly ItemRow[], token: DeltaToken): Json[] {
    const view = new ItemView(this.#parts, request, drive)
    const select = selector(request)
    const sharing = request.prefer.has('hierarchicalsharing') ? 'hierarchical' : 'inherited'
    const tellsSharing = request.prefer.has('deltashowsharingchanges')
    return items.map((item) => {
      const shared =
        tellsSharing && item.shared > token.from ? { '@microsoft.graph.sharedChanged': 'True' } : {}
      return { ...select(view.change(item, sharing)), ...shared }
    })
  }
}

const expandsPermissions = (request: TenantRequest): boolean =>
  request.query.get('$expand')?.includes('permissions') === true

const deltaAddress = (request: TenantRequest, drive: Drive, folder: ItemRow, token: DeltaToken): string => {
  const place = folder.kind === 'root' ? 'root' : `items/${folder.id}`
  return pageAddress(request, `/v1.0/drives/${drive.id}/${place}/delta`, { token: writeToken(token) })
}

const APPLIED = [
  'hierarchicalsharing',
  'deltashowremovedasdeleted',
  'deltatraversepermissiongaps',
  'deltashowsharingchanges',
]

const deltaAnswer = (
  request: TenantRequest,
  value: readonly Json[],
  token: DeltaToken,
  address: (token: DeltaToken) => string,
): TenantAnswer => {
  const link = token.isDone ? '@odata.deltaLink' : '@odata.nextLink'
  const applied = APPLIED.filter((name) => request.prefer.has(name)).join(', ')
  return {
    status: 200,
    ...(applied === '' ? {} : { headers: { 'preference-applied': applied } }),
    json: { ...contextOf(request, 'Collection(driveItem)'), [link]: address(token), value },
  }
}
