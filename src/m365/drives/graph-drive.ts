import { HoldfastError, isHoldfastError, type Clock, type JsonObject } from '#base'
import type { DriveInfo, DriveItem, DriveItemVersion, DrivePermission } from '#items'
import { flagOf, objectOf, segment, textOf } from '../graph-json.ts'
import { driveChanges, type DrivePage } from './changes.ts'
import { DownloadAddresses } from './download-addresses.ts'
import { contentPathOf, download, verifiedContent } from './download.ts'
import { UNITS, type DriveCalls } from './drive-calls.ts'
import { granteesOf, toDriveItem, toPermission, toVersion } from './drive-json.ts'
import { childPath, fileSystemInfo, upload, type DriveUpload } from './upload.ts'

/** One OneDrive: read for backup, written for restore. */
export class GraphDrive {
  readonly #calls: DriveCalls
  readonly #clock: Clock
  readonly #addresses = new DownloadAddresses()

  constructor(calls: DriveCalls, { clock }: { readonly clock: Clock }) {
    this.#calls = calls
    this.#clock = clock
  }

  async info(signal?: AbortSignal): Promise<DriveInfo> {
    return await this.#calls.info(signal)
  }

  changes(token?: string, signal?: AbortSignal): AsyncIterable<DrivePage> {
    return driveChanges(this.#calls, this.#addresses, token, signal)
  }

  content(item: DriveItem, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    return verifiedContent(this.#calls, item, { address: this.#addresses.of(item), signal })
  }

  async versions(itemId: string, signal?: AbortSignal): Promise<readonly DriveItemVersion[]> {
    const path = `/items/${segment(itemId)}/versions`
    return (await this.#all(path, UNITS.list, signal)).map(toVersion)
  }

  async *versionContent(itemId: string, versionId: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const contentPath = `/items/${segment(itemId)}/versions/${segment(versionId)}/content`
    const chunks = download(this.#calls, { contentPath, signal })
    let first: IteratorResult<Uint8Array>
    try {
      first = await chunks.next()
    } catch (error) {
      if (!(await this.#isCurrentVersion(error, itemId, versionId, signal))) throw error
      yield* download(this.#calls, { contentPath: contentPathOf(itemId), signal })
      return
    }
    if (first.done === true) return
    yield first.value
    yield* chunks
  }

  async permissions(itemId: string, signal?: AbortSignal): Promise<readonly DrivePermission[]> {
    const path = `/items/${segment(itemId)}/permissions`
    return (await this.#all(path, UNITS.permissions, signal)).map(toPermission)
  }

  async root(signal?: AbortSignal): Promise<DriveItem> {
    return toDriveItem(await this.#calls.json({ path: '/root', cost: UNITS.one, signal }))
  }

  async item(id: string, signal?: AbortSignal): Promise<DriveItem | undefined> {
    return await this.#find(`/items/${segment(id)}`, signal)
  }

  async child(parentId: string, name: string, signal?: AbortSignal): Promise<DriveItem | undefined> {
    return await this.#find(childPath(parentId, name), signal)
  }

  async createFolder(parentId: string, name: string, signal?: AbortSignal): Promise<DriveItem> {
    try {
      const made = await this.#calls.json({
        method: 'POST',
        path: `/items/${segment(parentId)}/children`,
        body: { name, folder: {}, '@microsoft.graph.conflictBehavior': 'fail' },
        cost: UNITS.write,
        // A repeat meets the folder that the first try made.
        isRepeatable: true,
        signal,
      })
      return toDriveItem(made)
    } catch (error) {
      if (!isHoldfastError(error, 'conflict') || error.reason === 'locked') throw error
      const existing = await this.child(parentId, name, signal)
      // A notebook is a folder to whoever puts files into it.
      if (existing?.kind === 'folder' || existing?.kind === 'package') return existing
      throw error
    }
  }

  async upload(
    request: DriveUpload,
    content: AsyncIterable<Uint8Array>,
    signal?: AbortSignal,
  ): Promise<DriveItem> {
    const item = await upload(this.#calls, request, content, { clock: this.#clock, signal })
    return item
  }

  async setDates(
    itemId: string,
    dates: { createdAt?: Date; modifiedAt?: Date },
    signal?: AbortSignal,
  ): Promise<void> {
    const times = fileSystemInfo(dates)
    if (times === undefined) return
    const path = `/items/${segment(itemId)}`
    await this.#calls.request({
      method: 'PATCH',
      path,
      body: { fileSystemInfo: times },
      cost: UNITS.write,
      signal,
    })
  }

  /** Owners and what is inherited come by themselves: nothing is done for them. */
  async grant(itemId: string, permission: DrivePermission, signal?: AbortSignal): Promise<void> {
    if (permission.isOwner || permission.isInherited) return
    const link = objectOf(permission.graph, 'link')
    // A link for certain people is an invitation to them; its address would be another one anyway.
    if (link !== undefined && textOf(link, 'scope') !== 'users') {
      await this.#createLink(itemId, permission.graph, link, signal)
      return
    }
    await this.#invite(itemId, permission, signal)
  }

  async #createLink(
    itemId: string,
    graph: JsonObject,
    link: JsonObject,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const scope = textOf(link, 'scope')
    const expires = textOf(graph, 'expirationDateTime')
    const body = {
      type: textOf(link, 'type') ?? 'view',
      ...(scope === undefined ? {} : { scope }),
      ...(expires === undefined ? {} : { expirationDateTime: expires }),
      ...(flagOf(link, 'preventsDownload') ? { preventsDownload: true } : {}),
      retainInheritedPermissions: true,
    }
    const path = `/items/${segment(itemId)}/createLink`
    // Asking again for a link of the same kind gives the same link.
    await this.#calls.request({
      method: 'POST',
      path,
      body,
      cost: UNITS.permissions,
      isRepeatable: true,
      signal,
    })
  }

  async #invite(
    itemId: string,
    { graph, roles }: DrivePermission,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const recipients = granteesOf(graph)
    if (recipients.length === 0) {
      throw new HoldfastError('invalid', 'the permission names nobody who can be invited', {
        reason: 'noResolvedUsers',
      })
    }
    const expires = textOf(graph, 'expirationDateTime')
    const body = {
      recipients: recipients.map((recipient) => ({ ...recipient })),
      roles: [mayWrite(graph, roles) ? 'write' : 'read'],
      requireSignIn: true,
      sendInvitation: false,
      retainInheritedPermissions: true,
      ...(expires === undefined ? {} : { expirationDateTime: expires }),
    }
    const path = `/items/${segment(itemId)}/invite`
    // Inviting the same people again changes nothing.
    await this.#calls.request({
      method: 'POST',
      path,
      body,
      cost: UNITS.permissions,
      isRepeatable: true,
      signal,
    })
  }

  async #find(path: string, signal: AbortSignal | undefined): Promise<DriveItem | undefined> {
    const json = await this.#calls.find({ path, cost: UNITS.one, signal })
    return json === undefined ? undefined : toDriveItem(json)
  }

  async #all(path: string, cost: number, signal: AbortSignal | undefined): Promise<JsonObject[]> {
    const found: JsonObject[] = []
    for await (const page of this.#calls.pages({ path, cost, signal })) found.push(...page)
    return found
  }

  /** The service gives the current version by the item alone. */
  async #isCurrentVersion(
    error: unknown,
    itemId: string,
    versionId: string,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    if (!isHoldfastError(error, 'invalid') && !isHoldfastError(error, 'not-found')) return false
    const [current] = await this.versions(itemId, signal)
    return current?.id === versionId
  }
}

function mayWrite(graph: JsonObject, roles: readonly string[]): boolean {
  if (textOf(objectOf(graph, 'link'), 'type') === 'edit') return true
  return roles.some((role) => role !== 'read')
}
