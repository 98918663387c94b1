import { createHash } from 'node:crypto'
import { forEachAtOnce } from './each.ts'
import type { Json, TenantGraph } from './tenant-graph.ts'

export interface LiveDriveItem extends Json {
  readonly id: string
  readonly name: string
  readonly size: number
  readonly folder?: { readonly childCount: number }
  readonly file?: Json
  readonly package?: Json
  readonly remoteItem?: Json
  readonly malware?: Json
  /** From the root: `/Reports/Plan.docx`. */
  readonly path: string
}

export interface FilePortrait {
  readonly path: string
  readonly kind: 'file' | 'folder' | 'package' | 'shortcut'
  readonly size?: number
  readonly fileSystemInfo?: unknown
  readonly mimeType?: unknown
  readonly sha256?: string
  readonly isMalware?: true
  readonly permissions: readonly string[]
}

/** Everything below a drive's root, parents first. */
export const driveItemsOf = async (graph: TenantGraph, userId: string): Promise<LiveDriveItem[]> => {
  const found: LiveDriveItem[] = []
  const below = async (itemId: string, path: string): Promise<void> => {
    const children = await graph.all<LiveDriveItem>(
      `/users/${userId}/drive/items/${itemId}/children?$top=200`,
    )
    for (const child of children) {
      const item = { ...child, path: `${path}/${child.name}` }
      found.push(item)
      if (child.folder !== undefined || child.package !== undefined) await below(child.id, item.path)
    }
  }
  await below('root', '')
  return found
}

const kindOf = (item: LiveDriveItem): FilePortrait['kind'] => {
  if (item.remoteItem !== undefined) return 'shortcut'
  if (item.package !== undefined) return 'package'
  return item.folder === undefined ? 'file' : 'folder'
}

/** Own permissions in words, without ids: who or what link, with which roles. */
const permissionsOf = async (graph: TenantGraph, userId: string, itemId: string): Promise<string[]> => {
  const listed = await graph.all<Json>(`/users/${userId}/drive/items/${itemId}/permissions`)
  return listed
    .filter(
      ({ inheritedFrom, roles }) => inheritedFrom === undefined && !(roles as string[]).includes('owner'),
    )
    .map(({ roles, link, grantedToV2 }) => {
      const { type, scope } = (link ?? {}) as { type?: string; scope?: string }
      const { user } = (grantedToV2 ?? {}) as { user?: { id?: string } }
      return JSON.stringify({ roles, type, scope, user: user?.id })
    })
    .sort()
}

/** Files, folders, dates, bytes and own permissions of a drive. */
export const portraitOfDrive = async (
  graph: TenantGraph,
  userId: string,
): Promise<readonly FilePortrait[]> => {
  const items = await driveItemsOf(graph, userId)
  const portraits = await forEachAtOnce(items, (item) => portraitOf(graph, userId, item))
  return portraits.sort((a, b) => (a.path < b.path ? -1 : 1))
}

const portraitOf = async (graph: TenantGraph, userId: string, item: LiveDriveItem): Promise<FilePortrait> => {
  const kind = kindOf(item)
  const common = { path: item.path, kind, permissions: await permissionsOf(graph, userId, item.id) }
  if (kind !== 'file') return common
  const isReadable = item.malware === undefined
  return {
    ...common,
    size: item.size,
    fileSystemInfo: item['fileSystemInfo'],
    mimeType: item.file?.['mimeType'],
    ...(isReadable ? { sha256: await contentOf(graph, userId, item.id) } : { isMalware: true }),
  }
}

const contentOf = async (graph: TenantGraph, userId: string, itemId: string): Promise<string> =>
  createHash('sha256')
    .update(await graph.bytes(`/users/${userId}/drive/items/${itemId}/content`))
    .digest('hex')
