import type { JsonObject } from '#base'
import { GraphError, type Route, type TenantAnswer, type TenantRequest } from '../core/contract.ts'
import { personalFolder, refuseToken } from './addresses.ts'
import { writtenItem } from './content-routes.ts'
import type { FileTimes } from './drive-edits.ts'
import type { DriveParts } from './drives.ts'
import type { Drive } from './drive-store.ts'
import { callerOf, checkPreconditions, itemRoutes } from './locator.ts'
import { checkName, conflictBehaviorOf } from './names.ts'
import type { ItemRow } from './schema.ts'

const CONFLICT = '@microsoft.graph.conflictBehavior'

/** New folders, changes of items, copies, and the recycle bin. */
export class ItemEdits {
  readonly #parts: DriveParts
  constructor(parts: DriveParts) {
    this.#parts = parts
  }

  routes(): Route[] {
    const { state } = this.#parts
    const write = { to: 'write', cost: 2 } as const
    return [
      ...itemRoutes(state, write, 'POST', '/children', (request) => this.#create(request)),
      ...itemRoutes(state, write, 'PATCH', '', (request) => this.#update(request)),
      ...itemRoutes(state, write, 'DELETE', '', (request) => this.#recycle(request)),
      ...itemRoutes(state, write, 'POST', '/copy', (request) => this.#copy(request)),
      ...itemRoutes(state, write, 'POST', '/restore', (request) => this.#restore(request)),
      ...itemRoutes(state, write, 'POST', '/permanentDelete', (request) => this.#purge(request)),
      {
        role: 'mysite',
        area: 'open',
        method: 'GET',
        path: '/personal/:owner/_api/v2.0/monitor/:copy',
        handler: (request) => this.#monitor(request),
      },
    ]
  }

  async #create(request: TenantRequest): Promise<TenantAnswer> {
    const { state, locator, edits } = this.#parts
    const body = await request.json()
    const drive = locator.drive(request)
    const parent = locator.item(request, drive)
    if (parent.kind === 'file' || parent.kind === 'shortcut') {
      throw new GraphError(400, 'invalidRequest', 'The parent is not a folder.')
    }
    if (body['remoteItem'] !== undefined) {
      throw new GraphError(501, 'NotImplemented', 'Shortcuts cannot be created yet.')
    }
    if (typeof body['folder'] !== 'object') {
      throw new GraphError(400, 'invalidRequest', 'Only folders can be created here; files are uploaded.')
    }
    const conflict = conflictBehaviorOf(body[CONFLICT] ?? request.query.get(CONFLICT.toLowerCase()), 'fail')
    const folder = edits.createFolder(
      drive,
      parent,
      checkName(body['name']),
      conflict,
      callerOf(state, request),
    )
    return { status: 201, json: writtenItem(this.#parts, request, drive, folder) }
  }

  async #update(request: TenantRequest): Promise<TenantAnswer> {
    const { state, locator, edits } = this.#parts
    const body = await request.json()
    const drive = locator.drive(request)
    const item = locator.item(request, drive)
    checkPreconditions(request, item)
    const parent = this.#newParent(drive, body)
    const times = fileTimesOf(body)
    const { name, description } = body
    const changed = edits.update(
      drive,
      item,
      {
        ...(name === undefined || name === null ? {} : { name: checkName(name) }),
        ...(parent === undefined ? {} : { parent }),
        ...(times === undefined ? {} : { times }),
        ...(typeof description === 'string' ? { description } : {}),
        conflict: conflictBehaviorOf(body[CONFLICT] ?? request.query.get(CONFLICT.toLowerCase()), 'fail'),
      },
      callerOf(state, request),
    )
    return { status: 200, json: writtenItem(this.#parts, request, drive, changed) }
  }

  #newParent(drive: Drive, body: JsonObject): ItemRow | undefined {
    const reference = body['parentReference']
    const driveId =
      typeof reference === 'object' && reference !== null ? (reference as JsonObject)['driveId'] : undefined
    if (typeof driveId === 'string' && driveId !== drive.id) {
      throw new GraphError(400, 'notSupported', 'An item cannot be moved into another drive.')
    }
    return this.#parts.locator.reference(drive, reference)
  }

  #recycle(request: TenantRequest): TenantAnswer {
    const { locator, edits } = this.#parts
    const drive = locator.drive(request)
    const item = locator.item(request, drive)
    checkPreconditions(request, item)
    edits.recycle(drive, item)
    return { status: 204 }
  }

  async #restore(request: TenantRequest): Promise<TenantAnswer> {
    const { locator, edits, store } = this.#parts
    const body = (await request.body()).length === 0 ? {} : await request.json()
    const drive = locator.drive(request)
    const item = store.anyItem(drive, request.params['item'] ?? 'root')
    const name = body['name'] === undefined ? undefined : checkName(body['name'])
    const restored = edits.restore(drive, item, locator.reference(drive, body['parentReference']), name)
    return { status: 200, json: writtenItem(this.#parts, request, drive, restored) }
  }

  #purge(request: TenantRequest): TenantAnswer {
    const { locator, edits, store } = this.#parts
    const drive = locator.drive(request)
    const { item } = request.params
    const doomed =
      item === undefined || request.itemPath !== undefined ? undefined : store.anyItem(drive, item)
    if (doomed?.state === 'gone')
      throw new GraphError(404, 'itemNotFound', 'The resource could not be found.')
    edits.purge(drive, doomed ?? locator.item(request, drive))
    return { status: 204 }
  }

  async #copy(request: TenantRequest): Promise<TenantAnswer> {
    const { state, store, locator } = this.#parts
    const body = await request.json()
    const drive = locator.drive(request)
    const source = locator.item(request, drive)
    const reference = (body['parentReference'] ?? {}) as JsonObject
    const target = typeof reference['driveId'] === 'string' ? store.drive(reference['driveId']) : drive
    const parent = locator.reference(target, reference) ?? store.byKey(source.parent ?? source.key)
    const name = body['name'] === undefined ? source.name : checkName(body['name'])
    const id = state.random.uuid()
    const outcome = this.#copied(request, source, target, parent, name)
    store.run('INSERT INTO drive_copies (id, polls, outcome) VALUES (?, 0, ?)', id, JSON.stringify(outcome))
    const place = `${request.origin('mysite')}/personal/${personalFolder(drive.owner)}`
    return { status: 202, headers: { location: `${place}/_api/v2.0/monitor/${id}` } }
  }

  /** A copy works behind the caller's back: what goes wrong is told by its monitor. */
  #copied(request: TenantRequest, source: ItemRow, target: Drive, parent: ItemRow, name: string): object {
    const conflict = conflictBehaviorOf(request.query.get(CONFLICT.toLowerCase()), 'fail')
    try {
      const made = this.#parts.edits.copy(
        source,
        target,
        parent,
        name,
        conflict,
        callerOf(this.#parts.state, request),
      )
      return { status: 'completed', percentageComplete: 100, resourceId: made.id }
    } catch (error) {
      if (!(error instanceof GraphError)) throw error
      return { status: 'failed', percentageComplete: 0, error: { code: error.code, message: error.message } }
    }
  }

  /** The first look finds the copy still going on. */
  #monitor(request: TenantRequest): TenantAnswer {
    const { state, store } = this.#parts
    refuseToken(state, request)
    const id = request.params['copy']!
    const row = store.one<{ polls: number; outcome: string }>(
      'SELECT polls, outcome FROM drive_copies WHERE id = ?',
      id,
    )
    if (row === undefined) throw new GraphError(404, 'itemNotFound', 'The operation could not be found.')
    store.run('UPDATE drive_copies SET polls = polls + 1 WHERE id = ?', id)
    if (row.polls === 0) return { status: 202, json: { status: 'inProgress', percentageComplete: 50 } }
    return { status: 200, jsonText: row.outcome }
  }
}

const timeOf = (value: unknown): number | undefined => {
  if (value === undefined || value === null) return undefined
  const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN
  if (Number.isNaN(ms)) throw new GraphError(400, 'invalidRequest', 'A date of fileSystemInfo is not valid.')
  return ms
}

/** The dates of a body's fileSystemInfo. Throws the 400 of what is no date. */
export const fileTimesOf = (body: JsonObject): FileTimes | undefined => {
  const info = body['fileSystemInfo']
  if (typeof info !== 'object' || info === null) return undefined
  const createdMs = timeOf((info as JsonObject)['createdDateTime'])
  const modifiedMs = timeOf((info as JsonObject)['lastModifiedDateTime'])
  return {
    ...(createdMs === undefined ? {} : { createdMs }),
    ...(modifiedMs === undefined ? {} : { modifiedMs }),
  }
}
