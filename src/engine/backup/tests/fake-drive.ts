import { HoldfastError, notFound } from '#base'
import type { DriveInfo, DriveItem, DriveItemVersion, DrivePermission } from '#items'
import { RESYNC, type DrivePage } from '../../connectors/connectors.ts'
import type { DriveToRead } from '../backup-drive.ts'

/** A drive that a test scripts. */
export class FakeDrive implements DriveToRead {
  readonly calls = { changes: 0, contents: 0, permissions: 0, versions: 0, versionContents: 0 }
  readonly unreadable = new Map<string, Error>()
  pageSize = 4
  refusal: Error | undefined
  readonly #items = new Map<string, DriveItem>()
  readonly #bytes = new Map<string, Uint8Array>()
  /** Of each file, oldest first. */
  readonly #versions = new Map<
    string,
    { readonly id: string; readonly at: Date; readonly bytes: Uint8Array }[]
  >()
  #events: { readonly number: number; readonly id: string }[] = []
  #number = 0
  #oldestToken = 0

  constructor() {
    this.#set({ ...driveItem('root', 'root'), kind: 'root' })
  }

  folder(id: string, name: string, parentId = 'root'): this {
    this.#set({ ...driveItem(id, name), kind: 'folder', parentId })
    return this
  }

  file(id: string, name: string, parentId: string, content: string, changes: Partial<DriveItem> = {}): this {
    const bytes = Buffer.from(content)
    this.#bytes.set(id, bytes)
    this.#number += 1
    const cTag = `c${this.#number}`
    const at = changes.modifiedAt ?? new Date(Date.UTC(2026, 2, 1) + this.#number * 60_000)
    const versions = this.#versions.get(id) ?? []
    this.#versions.set(id, [...versions, { id: `${versions.length + 1}.0`, at, bytes }])
    const graph = { id, name, lastModifiedDateTime: at.toISOString() }
    const sizeBytes = bytes.length
    this.#set({ ...driveItem(id, name), kind: 'file', parentId, cTag, sizeBytes, graph, ...changes })
    return this
  }

  /** As the service does when there are too many. */
  dropVersion(id: string, versionId: string): void {
    this.#versions.set(
      id,
      this.#versions.get(id)!.filter((version) => version.id !== versionId),
    )
  }

  /** Name, folder or metadata change; the content's tag stays. */
  change(id: string, changes: Partial<DriveItem>): void {
    this.#set({ ...this.#items.get(id)!, ...changes })
  }

  delete(id: string): void {
    for (const item of this.#items.values()) if (item.parentId === id) this.delete(item.id)
    this.#items.delete(id)
    // As the service does for a folder: its children are not named.
    const below = new Set([id])
    this.#events = this.#events.filter((event) => !below.has(event.id))
    this.#events.push({ number: (this.#number += 1), id })
  }

  expireTokens(): void {
    this.#oldestToken = this.#number += 1
  }

  #set(item: DriveItem): void {
    this.#number += 1
    this.#items.set(item.id, { ...item, eTag: `e${this.#number}` })
    this.#events.push({ number: this.#number, id: item.id })
  }

  async info(): Promise<DriveInfo> {
    return { id: 'drive', name: 'OneDrive', driveType: 'business' }
  }

  async *changes(token?: string): AsyncGenerator<DrivePage> {
    if (this.refusal !== undefined) throw this.refusal
    const [kind, at, offset] = (token ?? `all:${this.#number}:0`).split(':') as [string, string, string]
    if (token !== undefined && Number(at) < this.#oldestToken)
      throw new HoldfastError('conflict', 'the token has lapsed', { reason: RESYNC })
    const ids =
      kind === 'all'
        ? [...this.#items.keys()]
        : [...new Set(this.#events.filter(({ number }) => number > Number(at)).map(({ id }) => id))]
    for (let start = Number(offset); ; start += this.pageSize) {
      this.calls.changes += 1
      const page = ids.slice(start, start + this.pageSize)
      const items = page.flatMap((id) => this.#items.get(id) ?? [])
      const hasMore = start + this.pageSize < ids.length
      const next = hasMore
        ? `${kind}:${at}:${start + this.pageSize}`
        : `since:${kind === 'all' ? at : this.#number}:0`
      yield { items, removed: page.filter((id) => !this.#items.has(id)), token: next, hasMore }
      if (!hasMore) return
    }
  }

  async *content(item: DriveItem): AsyncGenerator<Uint8Array> {
    this.calls.contents += 1
    const failure = this.unreadable.get(item.id)
    if (failure !== undefined) throw failure
    const bytes = this.#bytes.get(item.id)
    if (bytes === undefined) throw notFound('the file is gone')
    yield bytes.subarray(0, 3)
    yield bytes.subarray(3)
  }

  async versions(itemId: string): Promise<readonly DriveItemVersion[]> {
    this.calls.versions += 1
    const failure = this.unreadable.get(`versions of ${itemId}`)
    if (failure !== undefined) throw failure
    return (this.#versions.get(itemId) ?? []).toReversed().map(({ id, at, bytes }, index) => ({
      id,
      sizeBytes: bytes.length,
      modifiedAt: at,
      isCurrent: index === 0,
      graph: { id, lastModifiedBy: { user: { displayName: 'Ann' } } },
    }))
  }

  async *versionContent(itemId: string, versionId: string): AsyncGenerator<Uint8Array> {
    this.calls.versionContents += 1
    const failure = this.unreadable.get(`${itemId} ${versionId}`)
    if (failure !== undefined) throw failure
    const version = this.#versions.get(itemId)?.find(({ id }) => id === versionId)
    if (version === undefined) throw notFound('no version')
    yield version.bytes
  }

  async permissions(itemId: string): Promise<readonly DrivePermission[]> {
    this.calls.permissions += 1
    const grant = { id: `p-${itemId}`, roles: ['read'], isInherited: false, isLink: false, isOwner: false }
    return [{ ...grant, graph: { id: `p-${itemId}`, roles: ['read'], link: { type: 'view' } } }]
  }

  async item(id: string): Promise<DriveItem | undefined> {
    return this.#items.get(id)
  }
}

const driveItem = (id: string, name: string): DriveItem => ({
  id,
  name,
  kind: 'file',
  sizeBytes: 0,
  createdAt: new Date('2026-01-01T00:00:00Z'),
  modifiedAt: new Date('2026-02-02T00:00:00Z'),
  isMalware: false,
  isShared: false,
  graph: { id, name },
})
