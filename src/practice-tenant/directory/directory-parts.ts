import type { JsonObject } from '#base'
import type { Handler, Route, TenantState } from '../core/contract.ts'
import type { EntraRows } from '../entra/entra-rows.ts'
import type { GroupRow, GroupRows } from './group-rows.ts'
import { notInDirectory, type UserRow, type UserRows } from './user-rows.ts'

/** What the directory's routes work with. */
export interface DirectoryParts {
  readonly state: TenantState
  readonly users: UserRows
  readonly groups: GroupRows
  readonly entra: EntraRows
  readonly domain: string
}

export const directoryRoute = (
  method: Route['method'],
  path: string,
  handler: Handler,
  more: { readonly permissions?: readonly string[]; readonly units?: number } = {},
): Route => ({
  role: 'graph',
  method,
  path,
  area: 'directory',
  ...(more.permissions === undefined ? {} : { permissions: more.permissions }),
  cost: () => more.units ?? 1,
  handler,
})

/** A user who is there, by id or principal name. */
export const userRow = (parts: DirectoryParts, name: string): UserRow =>
  parts.users.row(parts.users.get(name).id)!

/** A group that is there. */
export const groupRow = (parts: DirectoryParts, id: string): GroupRow => {
  const row = parts.groups.row(id)
  if (row === undefined || row.deleted_at !== null) throw notInDirectory(id)
  return row
}

/** A user or group as a directoryObject, with its type; nothing when it is deleted. */
export const directoryObject = (parts: DirectoryParts, id: string): JsonObject | undefined => {
  const user = parts.users.row(id)
  if (user !== undefined) {
    if (user.deleted_at !== null) return undefined
    return { '@odata.type': '#microsoft.graph.user', ...parts.users.document(user) }
  }
  const group = parts.groups.row(id)
  if (group === undefined || group.deleted_at !== null) return undefined
  return { '@odata.type': '#microsoft.graph.group', ...parts.groups.document(group) }
}
