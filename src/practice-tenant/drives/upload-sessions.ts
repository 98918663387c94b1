import type { JsonObject } from '#base'
import { GraphError, type Route, type TenantAnswer, type TenantRequest } from '../core/contract.ts'
import { personalFolder, refuseToken } from './addresses.ts'
import { writtenItem } from './content-routes.ts'
import type { ContentRef } from './contents.ts'
import { isPromotable, promoted } from './document-variants.ts'
import { checkUnlocked, type FileTimes } from './drive-edits.ts'
import type { DriveParts } from './drives.ts'
import type { Drive } from './drive-store.ts'
import { fileTimesOf } from './edit-routes.ts'
import { isoTime } from './item-view.ts'
import { callerOf, checkPreconditions, itemRoutes } from './locator.ts'
import { isOfficeArchive } from './mime-types.ts'
import { checkName, conflictBehaviorOf, nameTaken, type ConflictBehavior } from './names.ts'
import type { DriveRow } from './schema.ts'

/** Fragments are multiples of this, but for the last. */
const FRAGMENT_UNIT_BYTES = 327_680
const LARGEST_FRAGMENT_BYTES = 60 * 1024 * 1024
const LIFETIME_MS = 24 * 3_600_000

interface UploadRow {
  readonly id: string
  readonly drive: number
  readonly parent: number
  readonly name: string
  readonly content: number
  readonly received: number
  /** Known from the first fragment on. */
  readonly total: number | null
  readonly expires_ms: number
  /** JSON of `Options`. */
  readonly options: string
  readonly by: string
}

interface Options {
  readonly conflict: ConflictBehavior
  readonly defer: boolean
  readonly times?: FileTimes
  readonly description?: string
}

interface Fragment {
  readonly start: number
  readonly end: number
  readonly total: number
}

const invalid = (message: string): GraphError => new GraphError(400, 'invalidRequest', message)
const noSession = (): GraphError => new GraphError(404, 'itemNotFound', 'The upload session was not found')

/** Large files in fragments, by a pre-authenticated address on the host of the personal sites. */
export class UploadSessions {
  readonly #parts: DriveParts
  constructor(parts: DriveParts) {
    this.#parts = parts
  }

  routes(): Route[] {
    const write = { to: 'write', cost: 2 } as const
    const session = {
      role: 'mysite',
      area: 'open',
      path: '/personal/:owner/_api/v2.0/drive/items/:item/uploadSession',
    } as const
    return [
      ...itemRoutes(this.#parts.state, write, 'POST', '/createUploadSession', (request) =>
        this.#create(request),
      ),
      ...itemRoutes(this.#parts.state, write, 'PUT', '', (request) => this.#commitAs(request)),
      { ...session, method: 'PUT', handler: (request) => this.#receive(request) },
      { ...session, method: 'GET', handler: (request) => this.#status(request) },
      { ...session, method: 'POST', handler: (request) => this.#commitDeferred(request) },
      { ...session, method: 'DELETE', handler: (request) => this.#cancel(request) },
    ]
  }

  async #create(request: TenantRequest): Promise<TenantAnswer> {
    const { state, locator, edits, store } = this.#parts
    const body = (await request.body()).length === 0 ? {} : await request.json()
    return store.db.transaction((): TenantAnswer => {
      this.#forgetExpired()
      const { drive, parent, name, known } = locator.target(request)
      checkPreconditions(request, known)
      const item = (body['item'] ?? {}) as JsonObject
      const options = optionsOf(body, item, request)
      if (known !== undefined) {
        if (options.conflict === 'fail' || known.kind !== 'file') throw nameTaken()
        checkUnlocked(known)
      }
      if (typeof item['fileSize'] === 'number') edits.checkQuota(drive, item['fileSize'])
      const id = state.random.uuid()
      const expires = state.clock.nowMs() + LIFETIME_MS
      store.run(
        `INSERT INTO drive_uploads (id, drive, parent, name, content, received, total, expires_ms, options, by)
          VALUES (?, ?, ?, ?, ?, 0, NULL, ?, ?, ?)`,
        ...[id, drive.key, parent.key, checkName(item['name'] ?? name), store.contents.begin(), expires],
        ...[JSON.stringify(options), callerOf(state, request)],
      )
      const place = `${request.origin('mysite')}/personal/${personalFolder(drive.owner)}`
      const uploadUrl = `${place}/_api/v2.0/drive/items/${parent.id}/uploadSession?guid='${id}'&overwrite=True&rename=False&dc=0`
      return {
        status: 200,
        json: { uploadUrl, expirationDateTime: isoTime(expires), nextExpectedRanges: ['0-'] },
      }
    })()
  }

  async #receive(request: TenantRequest): Promise<TenantAnswer> {
    this.#session(request)
    const fragment = fragmentOf(request)
    const bytes = await request.body()
    if (bytes.length !== fragment.end - fragment.start)
      throw invalid('Content-Length does not match Content-Range.')
    const session = this.#session(request)
    this.#checkPlace(session, fragment)
    const { store } = this.#parts
    store.db.transaction(() => {
      store.contents.append(session.content, fragment.start, bytes)
      const sql = 'UPDATE drive_uploads SET received = ?, total = ? WHERE id = ?'
      store.run(sql, fragment.end, fragment.total, session.id)
    })()
    const now = this.#session(request)
    if (now.received < fragment.total || optionsIn(now).defer) return { status: 202, json: progressOf(now) }
    return this.#commit(request, now, now.name, optionsIn(now).conflict)
  }

  #status(request: TenantRequest): TenantAnswer {
    return { status: 200, json: progressOf(this.#session(request)) }
  }

  async #commitDeferred(request: TenantRequest): Promise<TenantAnswer> {
    if ((await request.body()).length > 0) throw invalid('The commit of an upload session has no body.')
    const session = this.#session(request)
    return this.#commit(request, session, session.name, optionsIn(session).conflict)
  }

  #cancel(request: TenantRequest): TenantAnswer {
    const session = this.#session(request)
    this.#forget(session)
    this.#parts.store.contents.drop(session.content)
    return { status: 204 }
  }

  /** `PUT …:/other name` with `@microsoft.graph.sourceUrl`: ends a session whose name was taken under another name. */
  async #commitAs(request: TenantRequest): Promise<TenantAnswer> {
    const body = await request.json()
    const source = body['@microsoft.graph.sourceUrl']
    if (typeof source !== 'string') throw invalid('@microsoft.graph.sourceUrl is missing.')
    const session = this.#find(sessionIdOf(new URL(source).searchParams.get('guid')))
    const conflict = conflictBehaviorOf(body['@microsoft.graph.conflictBehavior'], 'fail')
    const name = body['name'] ?? request.itemPath?.split('/').at(-1) ?? session.name
    return this.#commit(request, session, checkName(name), conflict)
  }

  #commit(
    request: TenantRequest,
    session: UploadRow,
    name: string,
    conflict: ConflictBehavior,
  ): TenantAnswer {
    if (session.total === null || session.received < session.total)
      throw invalid('The upload is not complete.')
    const { edits, store } = this.#parts
    const { times, description } = optionsIn(session)
    return store.db.transaction((): TenantAnswer => {
      const drive = this.#drive(session)
      const { item, isNew } = edits.putFile(
        drive,
        {
          parent: store.byKey(session.parent),
          name,
          content: this.#finish(drive, session, name),
          conflict,
          ...(times === undefined ? {} : { times }),
          ...(description === undefined ? {} : { description }),
        },
        session.by,
      )
      this.#forget(session)
      return { status: isNew ? 201 : 200, json: writtenItem(this.#parts, request, drive, item) }
    })()
  }

  /** The content under its name; with what SharePoint writes into Office files for `promote-office@…`. */
  #finish(drive: Drive, session: UploadRow, name: string): ContentRef {
    const { state, store } = this.#parts
    const ref = store.contents.finish(session.content)
    if (!isOfficeArchive(name) || !state.isSentinel(drive.owner, 'promote-office')) return ref
    const content = store.contents.open(ref)
    const bytes = Buffer.concat([...content.read(0, content.sizeBytes)])
    if (!isPromotable(bytes)) return ref
    store.contents.drop(ref)
    return store.contents.store(promoted(bytes))
  }

  #drive(session: UploadRow): Drive {
    const row = this.#parts.store.one<DriveRow>('SELECT * FROM drives WHERE key = ?', session.drive)!
    return this.#parts.store.drive(row.id)
  }

  #session(request: TenantRequest): UploadRow {
    refuseToken(this.#parts.state, request)
    return this.#find(sessionIdOf(request.query.get('guid')))
  }

  #find(id: string): UploadRow {
    const row = this.#parts.store.one<UploadRow>('SELECT * FROM drive_uploads WHERE id = ?', id)
    if (row === undefined || row.expires_ms <= this.#parts.state.clock.nowMs()) throw noSession()
    return row
  }

  #forget(session: UploadRow): void {
    this.#parts.store.run('DELETE FROM drive_uploads WHERE id = ?', session.id)
  }

  #forgetExpired(): void {
    const sql = 'SELECT * FROM drive_uploads WHERE expires_ms <= ?'
    for (const session of this.#parts.store.all<UploadRow>(sql, this.#parts.state.clock.nowMs())) {
      this.#forget(session)
      this.#parts.store.contents.drop(session.content)
    }
  }

  #checkPlace(session: UploadRow, { start, end, total }: Fragment): void {
    if (session.total !== null && session.total !== total) throw invalid('The total size has changed.')
    if (start !== session.received) {
      const what = start < session.received ? 'has already been received' : 'is not the next one expected'
      throw new GraphError(416, 'invalidRange', `The uploaded fragment ${what}.`, {
        innerCode: start < session.received ? 'fragmentOverlap' : 'fragmentOutOfOrder',
      })
    }
    if (end < total && (end - start) % FRAGMENT_UNIT_BYTES !== 0) {
      throw invalid(`A fragment must be a multiple of ${FRAGMENT_UNIT_BYTES} bytes, but for the last.`)
    }
  }
}

const optionsOf = (body: JsonObject, item: JsonObject, request: TenantRequest): Options => {
  const name = '@microsoft.graph.conflictBehavior'
  const conflict = item[name] ?? body[name] ?? request.query.get(name.toLowerCase())
  const times = fileTimesOf(item)
  const { description } = item
  return {
    conflict: conflictBehaviorOf(conflict, 'replace'),
    defer: body['deferCommit'] === true,
    ...(times === undefined ? {} : { times }),
    ...(typeof description === 'string' ? { description } : {}),
  }
}

const optionsIn = (session: UploadRow): Options => JSON.parse(session.options) as Options

const sessionIdOf = (guid: string | null | undefined): string => (guid ?? '').replaceAll("'", '')

const progressOf = ({ received, total, expires_ms }: UploadRow): object => ({
  expirationDateTime: isoTime(expires_ms),
  nextExpectedRanges: received === total ? [] : [`${received}-`],
})

const fragmentOf = (request: TenantRequest): Fragment => {
  const match = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(String(request.headers['content-range'] ?? ''))
  if (match === null) throw invalid('The Content-Range header is missing or malformed.')
  const [start, last, total] = match.slice(1).map(Number) as [number, number, number]
  if (last < start || last >= total) throw invalid('The Content-Range header is not valid.')
  if (last + 1 - start > LARGEST_FRAGMENT_BYTES) {
    throw new GraphError(413, 'invalidRequest', 'The fragment is larger than 60 MiB.')
  }
  return { start, end: last + 1, total }
}
