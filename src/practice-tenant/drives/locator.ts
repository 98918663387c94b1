import { GraphError, type Route, type TenantRequest, type TenantState } from '../core/contract.ts'
import { driveIdOf } from './drive-ids.ts'
import type { DriveEdits } from './drive-edits.ts'
import type { Drive, DriveStore } from './drive-store.ts'
import { cTagOf, eTagOf } from './item-view.ts'
import { checkName, nameTaken } from './names.ts'
import type { ItemRow } from './schema.ts'

/** A file that a request wants to write: where, under which name, and what is there now. */
export interface Target {
  readonly drive: Drive
  readonly parent: ItemRow
  readonly name: string
  readonly known: ItemRow | undefined
}

/** Finds what a request addresses: by user or drive, by item id or path. */
export class Locator {
  readonly #state: TenantState
  readonly #store: DriveStore
  readonly #edits: DriveEdits

  constructor(state: TenantState, store: DriveStore, edits: DriveEdits) {
    this.#state = state
    this.#store = store
    this.#edits = edits
  }

  drive(request: TenantRequest): Drive {
    const { drive, user } = request.params
    const found =
      drive === undefined ? this.#store.driveOf(this.#state.user(user!)) : this.#store.drive(drive)
    const caller = request.token?.userPrincipalName
    if (caller !== undefined && caller.toLowerCase() !== found.owner.userPrincipalName.toLowerCase()) {
      throw new GraphError(403, 'accessDenied', 'Access denied')
    }
    return found
  }

  item(request: TenantRequest, drive: Drive): ItemRow {
    const start = this.#start(request, drive)
    return request.itemPath === undefined ? start : this.#store.below(start, request.itemPath)
  }

  /** The file to write. The folders of a path that are missing are made. */
  target(request: TenantRequest): Target {
    const drive = this.drive(request)
    const start = this.#start(request, drive)
    const names = request.itemPath?.split('/').filter(Boolean) ?? []
    if (names.length === 0) {
      if (start.kind !== 'file') throw new GraphError(400, 'invalidRequest', 'The item is not a file.')
      return { drive, parent: this.#store.byKey(start.parent!), name: start.name, known: start }
    }
    names.forEach(checkName)
    const parent = this.#edits.ensureFolder(drive, start, names.slice(0, -1), callerOf(this.#state, request))
    if (parent.kind === 'file' || parent.kind === 'shortcut') throw nameTaken()
    const name = names.at(-1)!
    return { drive, parent, name, known: this.#store.child(parent.key, name) }
  }

  /** The folder that a parentReference names, or nothing. Throws the 400 of one in another drive. */
  reference(drive: Drive, value: unknown): ItemRow | undefined {
    if (typeof value !== 'object' || value === null) return undefined
    const { id, path } = value as { id?: unknown; path?: unknown }
    if (typeof id === 'string') return this.#store.item(drive, id)
    if (typeof path !== 'string') return undefined
    const below = /root:?(.*)$/.exec(path)?.[1] ?? ''
    return this.#store.below(this.#store.root(drive), decodePath(below))
  }

  #start(request: TenantRequest, drive: Drive): ItemRow {
    const { item } = request.params
    return item === undefined ? this.#store.root(drive) : this.#store.item(drive, item)
  }
}

const decodePath = (path: string): string => {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

/** Who makes a change: `user:<id>` or `application:<id>`. */
export const callerOf = (state: TenantState, request: TenantRequest): string => {
  const { token } = request
  if (token?.userPrincipalName !== undefined) return `user:${state.user(token.userPrincipalName).id}`
  return `application:${token?.applicationId ?? 'unknown'}`
}

const headerTags = (value: string | string[] | undefined): string[] | undefined =>
  value === undefined
    ? undefined
    : String(value)
        .split(/,(?=\s*(?:"|W\/|\*))/)
        .map((tag) => tag.trim().replace(/^W\//, ''))

/** Whether a conditional header names the item's present state. */
export const matchesTag = (value: string | string[] | undefined, item: ItemRow | undefined): boolean => {
  if (item === undefined) return false
  return (
    headerTags(value)?.some((tag) => tag === '*' || tag === eTagOf(item) || tag === cTagOf(item)) === true
  )
}

/** Throws the 412 of If-Match and If-None-Match. */
export const checkPreconditions = (request: TenantRequest, item: ItemRow | undefined): void => {
  const { 'if-match': wanted, 'if-none-match': unwanted } = request.headers
  const fails =
    (wanted !== undefined && !matchesTag(wanted, item)) ||
    (unwanted !== undefined && matchesTag(unwanted, item))
  if (fails) throw new GraphError(412, 'resourceModified', 'ETag does not match current item state.')
}

const READ = ['Files.Read.All', 'Files.ReadWrite.All', 'Sites.Read.All', 'Sites.ReadWrite.All']
const WRITE = ['Files.ReadWrite.All', 'Sites.ReadWrite.All']
const FULL = ['Sites.Manage.All', 'Sites.FullControl.All']

interface Access {
  readonly to: 'read' | 'write'
  /** SharePoint resource units. */
  readonly cost: number | ((request: TenantRequest) => number)
}

/** Permission and price of a route of this part. */
export const accessOf = (state: TenantState, { to, cost }: Access) => ({
  role: 'graph' as const,
  area: 'files' as const,
  permissions: [...(to === 'read' ? READ : WRITE), ...FULL],
  cost: typeof cost === 'number' ? () => cost : cost,
  pool: ({ params }: TenantRequest) => params['drive'] ?? driveIdOf(state.user(params['user']!).id),
})

export const DRIVE_BASES = ['/users/:user/drive', '/drives/:drive', '/users/:user/drives/:drive'] as const

/** A route for every way to name an item. */
export const itemRoutes = (
  state: TenantState,
  access: Access,
  method: Route['method'],
  suffix: string,
  handler: Route['handler'],
): Route[] =>
  DRIVE_BASES.flatMap((base) => [`${base}/root${suffix}`, `${base}/items/:item${suffix}`]).map((path) => ({
    ...accessOf(state, access),
    method,
    path,
    handler,
  }))
