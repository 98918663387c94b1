import { GraphError, type PracticeUser, type TenantRequest, type TenantState } from '../core/contract.ts'
import { personalFolder, type Addresses } from './addresses.ts'
import { guidOf, siteIdOf } from './drive-ids.ts'
import type { Drive, DriveStore } from './drive-store.ts'
import { mimeTypeOf } from './mime-types.ts'
import type { ItemRow, VersionRow } from './schema.ts'

type Json = Record<string, unknown>

/** What the answers about one drive to one request have in common. */
export interface ItemViewParts {
  readonly state: TenantState
  readonly store: DriveStore
  readonly addresses: Addresses
}

/** SharePoint keeps whole seconds. */
export const isoTime = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`

/** `shared` everywhere below what is shared, or (hierarchical) only where sharing changes. */
export type SharingStyle = 'inherited' | 'hierarchical'

export const eTagOf = (item: ItemRow): string => `"{${guidOf(item.id)}},${item.e_tag}"`
export const cTagOf = (item: ItemRow): string =>
  `"c:{${guidOf(item.id)}},${item.kind === 'file' ? item.c_tag : 0}"`

/** Rows of one drive as Graph shows them. Made for one request: it remembers what it has looked up. */
export class ItemView {
  readonly #parts: ItemViewParts
  readonly #request: TenantRequest
  readonly #drive: Drive
  readonly #paths = new Map<number, string>()
  readonly #rows = new Map<number, ItemRow>()
  readonly #identities = new Map<string, Json>()
  #sharedItems: Set<number> | undefined

  constructor(parts: ItemViewParts, request: TenantRequest, drive: Drive) {
    this.#parts = parts
    this.#request = request
    this.#drive = drive
  }

  /** A live item, its parent with its path. */
  item(item: ItemRow): Json {
    return {
      ...this.#downloadUrl(item),
      ...this.#always(item, 'inherited'),
      cTag: cTagOf(item),
      webUrl: this.webUrl(item),
      parentReference: this.#parentReference(item, true),
    }
  }

  /** An item as delta shows it: no path above, no cTag. */
  change(item: ItemRow, sharing: SharingStyle): Json {
    if (item.state !== 'live') return this.#deleted(item)
    return {
      ...this.#downloadUrl(item),
      ...this.#always(item, sharing),
      webUrl: this.webUrl(item),
      parentReference: this.#parentReference(item, false),
    }
  }

  version(version: Omit<VersionRow, 'item' | 'content'>): Json {
    return {
      id: `${version.number}.0`,
      lastModifiedDateTime: isoTime(version.modified_ms),
      size: version.size,
      lastModifiedBy: this.identity(version.modified_by),
    }
  }

  /** `{user: …}` or `{application: …}`. */
  identity(by: string): Json {
    const known = this.#identities.get(by)
    if (known !== undefined) return known
    const made = this.#identity(by)
    this.#identities.set(by, made)
    return made
  }

  webUrl(item: ItemRow): string {
    const path = this.#path(item).split('/').map(encodeURIComponent).join('/')
    return `${this.siteUrl()}/Documents${path}`
  }

  siteUrl(): string {
    const { seed } = this.#parts.state
    return `https://${seed.name}-my.sharepoint.com/personal/${personalFolder(this.#drive.owner)}`
  }

  /** Where an item lies, as `inheritedFrom` and `parentReference` say it. */
  reference(item: ItemRow): Json {
    return {
      driveType: 'business',
      driveId: this.#drive.id,
      id: item.id,
      ...(item.kind === 'root' ? {} : { name: item.name }),
      path: `/drives/${this.#drive.id}/root:${this.#path(item)}`,
    }
  }

  #identity(by: string): Json {
    const [kind, id] = by.split(':') as [string, string]
    if (kind === 'application') {
      return { application: { id, displayName: 'Application' }, user: { displayName: 'SharePoint App' } }
    }
    return { user: userIdentity(this.#user(id) ?? { id, displayName: 'Former user', userPrincipalName: '' }) }
  }

  #user(id: string): PracticeUser | undefined {
    try {
      return this.#parts.state.user(id)
    } catch (error) {
      // A deleted account: what it has made stays.
      if (error instanceof GraphError) return undefined
      throw error
    }
  }

  #always(item: ItemRow, sharing: SharingStyle): Json {
    const facets = JSON.parse(item.facets ?? '{}') as Json
    return {
      createdDateTime: isoTime(item.created_ms),
      eTag: eTagOf(item),
      id: item.id,
      lastModifiedDateTime: isoTime(item.modified_ms),
      name: item.name,
      size: item.size,
      createdBy: this.identity(item.created_by),
      lastModifiedBy: this.identity(item.modified_by),
      fileSystemInfo: {
        createdDateTime: isoTime(item.file_created_ms),
        lastModifiedDateTime: isoTime(item.file_modified_ms),
      },
      ...this.#kindFacets(item),
      ...facets,
      ...this.#sharedFacet(item, sharing),
    }
  }

  #kindFacets(item: ItemRow): Json {
    switch (item.kind) {
      case 'root':
        return { root: {}, folder: { childCount: this.#parts.store.childCount(item) } }
      case 'folder':
        return { folder: { childCount: this.#parts.store.childCount(item) } }
      case 'package':
        return { folder: { childCount: this.#parts.store.childCount(item) } }
      case 'shortcut':
        return {}
      case 'file':
        return { file: this.#fileFacet(item) }
    }
  }

  /** Sections of notebooks have no hash, as at Microsoft. */
  #fileFacet(item: ItemRow): Json {
    const mimeType = mimeTypeOf(item.name)
    if (item.content === null || /\.one(toc2)?$/i.test(item.name)) return { mimeType }
    return { mimeType, hashes: { quickXorHash: this.#parts.store.contents.open(item.content).hash() } }
  }

  #downloadUrl(item: ItemRow): Json {
    if (item.kind !== 'file' || item.facets?.includes('"malware"') === true) return {}
    const address = this.#parts.addresses.download(this.#request.origin('mysite'), this.#drive.owner, item)
    return { '@microsoft.graph.downloadUrl': address }
  }

  #parentReference(item: ItemRow, withPath: boolean): Json {
    const { seed } = this.#parts.state
    const siteId = siteIdOf(this.#drive.id, `${seed.name}-my.sharepoint.com`)
    const place = { driveType: 'business', driveId: this.#drive.id }
    if (item.parent === null) return { ...place, siteId }
    const parent = this.#row(item.parent)
    const path = withPath ? { path: `/drives/${this.#drive.id}/root:${this.#path(parent)}` } : {}
    return {
      ...place,
      id: parent.id,
      ...(withPath && parent.kind !== 'root' ? { name: parent.name } : {}),
      ...path,
      siteId,
    }
  }

  #deleted(item: ItemRow): Json {
    const facet = item.kind === 'file' ? { file: {} } : { folder: {} }
    const parent = item.parent === null ? {} : { id: this.#row(item.parent).id }
    return {
      id: item.id,
      ...facet,
      deleted: { state: 'deleted' },
      parentReference: { driveType: 'business', driveId: this.#drive.id, ...parent },
    }
  }

  #sharedFacet(item: ItemRow, sharing: SharingStyle): Json {
    const scope = sharing === 'hierarchical' ? this.#ownScope(item.key) : this.#scope(item)
    return scope === undefined ? {} : { shared: { scope } }
  }

  #scope(item: ItemRow): string | undefined {
    if (this.#shared().size === 0) return undefined
    const own = this.#ownScope(item.key)
    if (own !== undefined || item.parent === null || item.is_unique === 1) return own
    return this.#scope(this.#row(item.parent))
  }

  #ownScope(key: number): string | undefined {
    if (!this.#shared().has(key)) return undefined
    const links = this.#parts.store.all<{ link_scope: string }>(
      `SELECT link_scope FROM drive_permissions WHERE item = ? AND kind = 'link'`,
      key,
    )
    const scopes = new Set(links.map(({ link_scope }) => link_scope))
    return ['anonymous', 'organization'].find((scope) => scopes.has(scope)) ?? 'users'
  }

  #shared(): Set<number> {
    if (this.#sharedItems !== undefined) return this.#sharedItems
    const rows = this.#parts.store.all<{ item: number }>(
      `SELECT DISTINCT item FROM drive_permissions WHERE drive = ? AND kind <> 'owner'`,
      this.#drive.key,
    )
    return (this.#sharedItems = new Set(rows.map(({ item }) => item)))
  }

  #path(item: ItemRow): string {
    if (item.parent === null) return ''
    const known = this.#paths.get(item.key)
    if (known !== undefined) return known
    const path = `${this.#path(this.#row(item.parent))}/${item.name}`
    if (item.kind !== 'file') this.#paths.set(item.key, path)
    return path
  }

  #row(key: number): ItemRow {
    const known = this.#rows.get(key)
    if (known !== undefined) return known
    const row = this.#parts.store.byKey(key)
    this.#rows.set(key, row)
    return row
  }
}

/** A person as drives show one. */
export const userIdentity = (user: Pick<PracticeUser, 'id' | 'displayName' | 'userPrincipalName'>): Json => ({
  email: user.userPrincipalName,
  id: user.id,
  displayName: user.displayName,
})
