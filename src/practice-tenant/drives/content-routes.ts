import { GraphError, type Route, type TenantAnswer, type TenantRequest } from '../core/contract.ts'
import { CutConnection } from '../core/cut-connection.ts'
import { refuseToken } from './addresses.ts'
import { readRange, type ByteRange } from './byte-range.ts'
import type { Content, ContentRef } from './contents.ts'
import { isPromotable, promoted } from './document-variants.ts'
import { checkUnlocked } from './drive-edits.ts'
import { guidOf } from './drive-ids.ts'
import type { DriveParts } from './drives.ts'
import type { Drive } from './drive-store.ts'
import { ItemView, eTagOf } from './item-view.ts'
import { callerOf, checkPreconditions, itemRoutes, matchesTag } from './locator.ts'
import { isOfficeArchive, mimeTypeOf } from './mime-types.ts'
import { conflictBehaviorOf, foldedName } from './names.ts'
import { checkOptions, contextOf } from './query-options.ts'
import type { ItemRow, VersionRow } from './schema.ts'
import { versionOf, versionsOf } from './versions.ts'

const SMALL_BYTES = 1 << 20
const LARGEST_PUT_BYTES = 250 * 1024 * 1024
const FLAKY_PREFIX = 'flaky-'

/** Bytes of files: where to fetch them, the fetching itself, small uploads, and earlier versions. */
export class FileContents {
  readonly #parts: DriveParts
  /** Files whose first download has been cut. */
  readonly #cut = new Set<number>()

  constructor(parts: DriveParts) {
    this.#parts = parts
  }

  routes(): Route[] {
    const { state } = this.#parts
    const read = { to: 'read', cost: 1 } as const
    const list = { to: 'read', cost: 2 } as const
    const write = { to: 'write', cost: 2 } as const
    return [
      ...itemRoutes(state, read, 'GET', '/content', (request) => this.#whereContentIs(request)),
      ...itemRoutes(state, write, 'PUT', '/content', (request) => this.#put(request)),
      ...itemRoutes(state, list, 'GET', '/versions', (request) => this.#versions(request)),
      ...itemRoutes(state, read, 'GET', '/versions/:version', (request) => this.#version(request)),
      ...itemRoutes(state, read, 'GET', '/versions/:version/content', (request) =>
        this.#whereVersionIs(request),
      ),
      ...itemRoutes(state, write, 'POST', '/versions/:version/restoreVersion', (request) =>
        this.#restore(request),
      ),
      {
        role: 'mysite',
        area: 'open',
        method: 'GET',
        path: '/personal/:owner/_layouts/15/download.aspx',
        handler: (request) => this.#download(request),
      },
    ]
  }

  #whereContentIs(request: TenantRequest): TenantAnswer {
    const { locator, addresses } = this.#parts
    if (request.query.has('format'))
      throw new GraphError(501, 'NotImplemented', 'Conversion is not yet supported.')
    const drive = locator.drive(request)
    const item = readableFile(locator.item(request, drive))
    if (matchesTag(request.headers['if-none-match'], item))
      return { status: 304, headers: { etag: eTagOf(item) } }
    return {
      status: 302,
      headers: { location: addresses.download(request.origin('mysite'), drive.owner, item) },
    }
  }

  #whereVersionIs(request: TenantRequest): TenantAnswer {
    const { locator, store, addresses } = this.#parts
    const drive = locator.drive(request)
    const item = readableFile(locator.item(request, drive))
    const { number } = versionOf(store, item, request.params['version']!)
    if (number === item.version) {
      throw new GraphError(400, 'invalidRequest', 'You cannot get the content of the current version.')
    }
    return {
      status: 302,
      headers: { location: addresses.download(request.origin('mysite'), drive.owner, item, number) },
    }
  }

  #download(request: TenantRequest): TenantAnswer {
    const { state, addresses, store } = this.#parts
    refuseToken(state, request)
    const grant = addresses.open(request.query.get('tempauth'))
    const item = store.byKey(grant.item)
    if (item.state !== 'live') throw new GraphError(404, 'itemNotFound', 'The resource could not be found.')
    readableFile(item)
    const version = grantedVersion(versionsOf(store, item), grant.version)
    return this.#send(request, item, version, store.contents.open(version.content))
  }

  #send(request: TenantRequest, item: ItemRow, version: VersionRow, content: Content): TenantAnswer {
    const size = content.sizeBytes
    const etag = `"{${guidOf(item.id)}},${version.number}"`
    const headers = {
      etag,
      'accept-ranges': 'bytes',
      'last-modified': new Date(version.modified_ms).toUTCString(),
    }
    if (request.headers['if-none-match'] === etag) return { status: 304, headers }
    const range = readRange(header(request, 'range'), size)
    if (range === 'unsatisfiable') {
      return {
        status: 416,
        headers: { ...headers, 'content-range': `bytes */${size}` },
        bytes: new Uint8Array(),
      }
    }
    const part = range === 'whole' ? { start: 0, end: size } : range
    const about = {
      ...headers,
      'content-type': mimeTypeOf(item.name),
      'content-length': String(part.end - part.start),
      'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(item.name)}`,
    }
    const bytes = this.#bytes(item, content, part)
    if (range === 'whole') return { status: 200, headers: about, bytes }
    return {
      status: 206,
      headers: { ...about, 'content-range': `bytes ${part.start}-${part.end - 1}/${size}` },
      bytes,
    }
  }

  #bytes(item: ItemRow, content: Content, range: ByteRange): Uint8Array | AsyncIterable<Uint8Array> {
    if (foldedName(item.name).startsWith(FLAKY_PREFIX) && !this.#cut.has(item.key)) {
      this.#cut.add(item.key)
      return half(content, range)
    }
    if (range.end - range.start <= SMALL_BYTES)
      return Buffer.concat([...content.read(range.start, range.end)])
    return whole(content, range)
  }

  async #put(request: TenantRequest): Promise<TenantAnswer> {
    const { state, locator, edits, store } = this.#parts
    checkOptions(request, [])
    const body = await request.body()
    if (body.length > LARGEST_PUT_BYTES) {
      throw new GraphError(413, 'invalidRequest', 'The file is too large; use an upload session.')
    }
    const conflict = conflictBehaviorOf(request.query.get('@microsoft.graph.conflictbehavior'), 'replace')
    return store.db.transaction((): TenantAnswer => {
      const { drive, parent, name, known } = locator.target(request)
      checkPreconditions(request, known)
      const content = keepContent(this.#parts, drive, name, body)
      const { item, isNew } = edits.putFile(
        drive,
        { parent, name, content, conflict },
        callerOf(state, request),
      )
      return { status: isNew ? 201 : 200, json: writtenItem(this.#parts, request, drive, item) }
    })()
  }

  #versions(request: TenantRequest): TenantAnswer {
    const { locator, store } = this.#parts
    const drive = locator.drive(request)
    const item = locator.item(request, drive)
    if (item.kind !== 'file') throw new GraphError(400, 'invalidRequest', 'Only files have versions.')
    const view = new ItemView(this.#parts, request, drive)
    const value = versionsOf(store, item).map((version) => view.version(version))
    return { status: 200, json: { ...contextOf(request, 'Collection(driveItemVersion)'), value } }
  }

  #version(request: TenantRequest): TenantAnswer {
    const { locator, store } = this.#parts
    const drive = locator.drive(request)
    const version = versionOf(store, locator.item(request, drive), request.params['version']!)
    const json = new ItemView(this.#parts, request, drive).version(version)
    return { status: 200, json: { ...contextOf(request, 'driveItemVersions/$entity'), ...json } }
  }

  #restore(request: TenantRequest): TenantAnswer {
    const { state, locator, edits, store } = this.#parts
    const drive = locator.drive(request)
    const item = locator.item(request, drive)
    edits.restoreVersion(
      drive,
      item,
      versionOf(store, item, request.params['version']!),
      callerOf(state, request),
    )
    return { status: 204 }
  }
}

const header = (request: TenantRequest, name: string): string | undefined => {
  const value = request.headers[name]
  return Array.isArray(value) ? value[0] : value
}

/** The item, when it is a file whose bytes may be read. */
const readableFile = (item: ItemRow): ItemRow => {
  if (item.kind !== 'file') throw new GraphError(400, 'invalidRequest', 'The item has no content of its own.')
  if (item.facets?.includes('"malware"') === true) {
    throw new GraphError(403, 'malwareDetected', 'Malware detected', {
      headers: { 'x-virus-infected': 'true' },
    })
  }
  checkUnlocked(item)
  return item
}

const grantedVersion = (versions: readonly VersionRow[], number: number): VersionRow => {
  const found = versions.find((version) => version.number === number)
  if (found === undefined) throw new GraphError(404, 'itemNotFound', 'The version could not be found.')
  return found
}

async function* whole(content: Content, { start, end }: ByteRange): AsyncGenerator<Uint8Array> {
  yield* content.read(start, end)
}

async function* half(content: Content, { start, end }: ByteRange): AsyncGenerator<Uint8Array> {
  yield* content.read(start, start + Math.floor((end - start) / 2))
  throw new CutConnection()
}

/** Stores uploaded bytes; for `promote-office@…` with what SharePoint writes into Office files. */
export const keepContent = (
  { state, store }: DriveParts,
  drive: Drive,
  name: string,
  bytes: Buffer,
): ContentRef => {
  const grows =
    isOfficeArchive(name) && isPromotable(bytes) && state.isSentinel(drive.owner, 'promote-office')
  return store.contents.store(grows ? promoted(bytes) : bytes)
}

/** The answer to a change of an item. */
export const writtenItem = (
  parts: DriveParts,
  request: TenantRequest,
  drive: Drive,
  item: ItemRow,
): Record<string, unknown> => ({
  ...contextOf(request, 'driveItems/$entity'),
  ...new ItemView(parts, request, drive).item(item),
})
