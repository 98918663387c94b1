import { GraphError, type PracticeUser } from '../core/contract.ts'
import type { Drive } from './drive-store.ts'
import { userIdentity, type ItemView, type ItemViewParts } from './item-view.ts'
import type { ItemRow, PermissionRow } from './schema.ts'

type Json = Record<string, unknown>

/** Permissions of an item: its own, and those of the folders above unless it has broken with them. */
export class PermissionList {
  readonly #parts: ItemViewParts
  readonly #drive: Drive
  readonly #view: ItemView

  constructor(parts: ItemViewParts, drive: Drive, view: ItemView) {
    this.#parts = parts
    this.#drive = drive
    this.#view = view
  }

  of(item: ItemRow): Json[] {
    return this.entries(item).map(({ row, from }) => this.view(row, from.key === item.key ? undefined : from))
  }

  /** Rows with the item that each belongs to. The owner's comes last and always. */
  entries(item: ItemRow): { row: PermissionRow; from: ItemRow }[] {
    const found: { row: PermissionRow; from: ItemRow }[] = []
    let isCut = false
    for (const from of [item, ...this.#parts.store.ancestors(item)]) {
      for (const row of this.#rows(from)) if (!isCut || row.kind === 'owner') found.push({ row, from })
      isCut ||= from.is_unique === 1
    }
    return found
  }

  view(row: PermissionRow, inheritedFrom?: ItemRow): Json {
    return {
      id: row.id,
      roles: JSON.parse(row.roles) as string[],
      ...(row.share_id === null ? {} : { shareId: row.share_id }),
      ...(row.expires === null ? {} : { expirationDateTime: row.expires }),
      ...(inheritedFrom === undefined ? {} : { inheritedFrom: this.#view.reference(inheritedFrom) }),
      ...(row.kind === 'link' ? this.#link(row) : this.#grantee(row)),
    }
  }

  #rows(item: ItemRow): PermissionRow[] {
    return this.#parts.store.all<PermissionRow>(
      'SELECT * FROM drive_permissions WHERE item = ? ORDER BY key',
      item.key,
    )
  }

  #link(row: PermissionRow): Json {
    return {
      hasPassword: row.has_password === 1,
      grantedToIdentities: [],
      grantedToIdentitiesV2: [],
      link: {
        type: row.link_type,
        scope: row.link_scope,
        webUrl: `${new URL(this.#view.siteUrl()).origin}/:x:/g/personal/${row.share_id}`,
        preventsDownload: row.prevents_download === 1,
      },
    }
  }

  #grantee(row: PermissionRow): Json {
    const user = this.#user(row.grantee!)
    const identity = userIdentity(user)
    const siteUser = {
      displayName: user.displayName,
      email: user.userPrincipalName,
      id: String(this.#drive.key * 1000 + row.key),
      loginName: `i:0#.f|membership|${user.userPrincipalName.toLowerCase()}`,
    }
    return { grantedTo: { user: identity }, grantedToV2: { user: identity, siteUser } }
  }

  #user(id: string): Pick<PracticeUser, 'id' | 'displayName' | 'userPrincipalName'> {
    try {
      return this.#parts.state.user(id)
    } catch (error) {
      // A deleted account: its permission stays until somebody removes it.
      if (error instanceof GraphError) return { id, displayName: 'Former user', userPrincipalName: id }
      throw error
    }
  }
}
