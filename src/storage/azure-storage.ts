import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { BlobItem, BlockBlobClient, ContainerClient } from '@azure/storage-blob'
import { invalid, notFound } from '#base'
import { AzureClient } from './azure-client.ts'
import type { AzureAccountOptions, AzureTier } from './azure-account.ts'
import { reasonOf, statusOf } from './azure-errors.ts'
import { checkFolder, checkPath } from './path.ts'
import { modifiedAt, type Storage, type StoredFile } from './storage.ts'

export interface AzureStorageOptions extends AzureAccountOptions {
  /** Has to be there: a storage does not make it. */
  readonly container: string
  /** Folder inside the container; all of it unless told. */
  readonly folder?: string
  /** Of packs, which are most of the bytes; everything else stays in the account's own tier. */
  readonly tier?: AzureTier
  /** Of a listing; 5000 unless told, the most that Azure gives. */
  readonly pageSize?: number
}

const PAGE_SIZE = 5_000
const PACK = /(^|\/)data\//

/**
 * Blobs of a container. A blob appears whole or not at all, and Azure itself refuses a name that is taken. Does not try
 * again: that is `retrying`'s. A container that is not there is `not-found` for every call, `stat` and `list` too.
 */
export const azureStorage = (options: AzureStorageOptions): Storage => {
  const folder = (options.folder ?? '').replace(/^\/+|\/+$/g, '')
  checkFolder(folder)
  if (!/^[a-z0-9$](-?[a-z0-9]){1,62}$/.test(options.container))
    throw invalid('a container has 3 to 63 small letters, digits and single hyphens in its name')
  return new AzureStorage(options, folder)
}

class AzureStorage implements Storage {
  readonly name: string
  readonly #client: AzureClient
  readonly #container: string
  readonly #prefix: string
  readonly #tier: AzureTier | undefined
  readonly #pageSize: number

  constructor(options: AzureStorageOptions, folder: string) {
    this.#client = new AzureClient(options)
    this.#container = options.container
    this.#prefix = folder === '' ? '' : `${folder}/`
    this.#tier = options.tier
    this.#pageSize = options.pageSize ?? PAGE_SIZE
    this.name = `container ${this.#client.endpoint}/${options.container}${folder === '' ? '' : `/${folder}`}`
  }

  async write(path: string, parts: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
    checkPath(path)
    const bytes = parts.reduce((sum, part) => sum + part.length, 0)
    const md5 = createHash('md5')
    for (const part of parts) md5.update(part)
    await this.#call(`write ${path}`, path, { bytes, signal }, (blob, abortSignal) =>
      blob.upload(bytes === 0 ? '' : () => Readable.from(parts.filter(({ length }) => length > 0)), bytes, {
        abortSignal,
        conditions: { ifNoneMatch: '*' },
        // Azure compares it with what arrived and refuses what was damaged on the way.
        transactionalContentMD5: md5.digest(),
        ...(this.#tier !== undefined && PACK.test(path) ? { tier: this.#tier } : {}),
      }),
    )
  }

  async read(
    path: string,
    range?: { readonly offset: number; readonly length: number },
    signal?: AbortSignal,
  ): Promise<Uint8Array> {
    checkPath(path)
    if (range?.length === 0) return this.#readNothing(path, signal)
    const given = { bytes: range?.length ?? 0, signal }
    return this.#call(`read ${path}`, path, given, async (blob, abortSignal) => {
      try {
        const answer = await blob.download(range?.offset, range?.length, { abortSignal, maxRetryRequests: 0 })
        return await collect(answer.readableStreamBody, answer.contentLength ?? 0)
      } catch (error) {
        // The blob is there and ends before the range begins.
        if (statusOf(error) === 416) return new Uint8Array(0)
        throw error
      }
    })
  }

  /** A range of no bytes cannot be asked for. */
  async #readNothing(path: string, signal?: AbortSignal): Promise<Uint8Array> {
    if ((await this.stat(path, signal)) === undefined) throw notFound(`cannot read ${path}: BlobNotFound`)
    return new Uint8Array(0)
  }

  async stat(path: string, signal?: AbortSignal): Promise<StoredFile | undefined> {
    checkPath(path)
    return this.#call(`look at ${path}`, path, { signal }, async (blob, abortSignal) => {
      try {
        const found = await blob.getProperties({ abortSignal })
        return { path, sizeBytes: found.contentLength ?? 0, ...modifiedAt(found.lastModified) }
      } catch (error) {
        if (isMissingBlob(error)) return undefined
        throw error
      }
    })
  }

  async *list(folder: string, signal?: AbortSignal): AsyncGenerator<StoredFile> {
    checkFolder(folder)
    const prefix = this.#prefix + (folder === '' ? '' : `${folder}/`)
    let continuationToken: string | undefined
    do {
      const page = await this.#page(prefix, continuationToken, signal)
      for (const item of page.items) {
        const path = item.name.slice(this.#prefix.length)
        if (isFile(item)) yield { path, sizeBytes: item.properties.contentLength ?? 0 }
      }
      continuationToken = page.next
    } while (continuationToken !== undefined)
  }

  async #page(prefix: string, continuationToken: string | undefined, signal?: AbortSignal) {
    const action = `list ${prefix === '' ? 'the container' : prefix}`
    return this.#client.call(action, { signal }, async (service, abortSignal) => {
      const pages = service
        .getContainerClient(this.#container)
        .listBlobsFlat({ prefix, includeMetadata: true, abortSignal })
        .byPage({
          maxPageSize: this.#pageSize,
          ...(continuationToken === undefined ? {} : { continuationToken }),
        })
      const { value } = await pages.next()
      if (value === undefined) return { items: [], next: undefined }
      const next: unknown = value.continuationToken
      const items: readonly BlobItem[] = value.segment.blobItems
      return { items, next: typeof next === 'string' && next !== '' ? next : undefined }
    })
  }

  async remove(path: string, signal?: AbortSignal): Promise<void> {
    checkPath(path)
    await this.#call(`remove ${path}`, path, { signal }, async (blob, abortSignal) => {
      try {
        await blob.delete({ abortSignal })
      } catch (error) {
        if (!isMissingBlob(error)) throw error
      }
    })
  }

  /** A container has no end that Azure tells. */
  async space(): Promise<undefined> {}

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.close()
  }

  async #call<Result>(
    action: string,
    path: string,
    given: { readonly bytes?: number; readonly signal: AbortSignal | undefined },
    work: (blob: BlockBlobClient, abortSignal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    return this.#client.call(action, given, async (service, abortSignal) => {
      const container: ContainerClient = service.getContainerClient(this.#container)
      return work(container.getBlockBlobClient(this.#prefix + path), abortSignal)
    })
  }
}

/** Only the blob is missing. An answer to HEAD may have no word for it: then the container was not looked for. */
const isMissingBlob = (error: unknown): boolean =>
  statusOf(error) === 404 && reasonOf(error) !== 'ContainerNotFound'

/** Not what stands for a folder: accounts with real folders list those, and consoles make such blobs. */
const isFile = ({ name, metadata }: BlobItem): boolean =>
  metadata?.['hdi_isfolder'] !== 'true' && !name.endsWith('/') && !name.includes('-tmp-')

const collect = async (body: NodeJS.ReadableStream | undefined, length: number): Promise<Uint8Array> => {
  // Not from the shared pool: it may be handed to another thread.
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer)
  let filled = 0
  for await (const chunk of body ?? []) {
    if (!(chunk instanceof Uint8Array)) throw new TypeError('a body is bytes')
    bytes.set(chunk, filled)
    filled += chunk.length
  }
  if (filled < length)
    throw Object.assign(new Error('cut off'), { name: 'RestError', code: 'IncompleteBody' })
  return bytes
}
