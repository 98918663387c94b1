import { HoldfastError, isHoldfastError } from '#base'
import { QuickXorHash, type DriveItem } from '#items'
import { segment } from '../graph-json.ts'
import type { Content } from '../http/graph-client.ts'
import { NetworkFailure } from '../http/transport.ts'
import { UNITS, type DriveCalls } from './drive-calls.ts'
import { toDriveItem } from './drive-json.ts'

export interface DownloadRequest {
  /** Below the drive: answers with a redirect to the bytes. */
  readonly contentPath: string
  /** One that is known already; may have lapsed. */
  readonly address?: string | undefined
  readonly signal?: AbortSignal | undefined
}

const MAX_CUTS_IN_A_ROW = 6
const MAX_LAPSES_IN_A_ROW = 3

/** The bytes behind a pre-authenticated address. After a cut it goes on where it was; a lapsed address is asked for anew. */
export async function* download(calls: DriveCalls, request: DownloadRequest): AsyncGenerator<Uint8Array> {
  const { contentPath, signal } = request
  let { address } = request
  let given = 0
  let tag: string | undefined
  for (let cuts = 0, lapses = 0; ;) {
    address ??= await addressOf(calls, contentPath, signal)
    const before = given
    try {
      using content = await calls.outside({ address, headers: rangeFrom(given), signal })
      tag = sameContent(tag, content, given)
      for await (const chunk of fromByte(content, given)) {
        given += chunk.length
        yield chunk
      }
      return
    } catch (error) {
      if (given > before) cuts = lapses = 0
      if (hasLapsed(error) && lapses++ < MAX_LAPSES_IN_A_ROW) address = undefined
      else if (!(isCut(error) && cuts++ < MAX_CUTS_IN_A_ROW)) throw error
    }
  }
}

/** As `download`, checked at its end against what the service said of the file. */
export async function* verifiedContent(
  calls: DriveCalls,
  item: DriveItem,
  request: Omit<DownloadRequest, 'contentPath'>,
): AsyncGenerator<Uint8Array> {
  const hash = new QuickXorHash()
  let size = 0
  for await (const chunk of download(calls, { ...request, contentPath: contentPathOf(item.id) })) {
    hash.update(chunk)
    size += chunk.length
    yield chunk
  }
  const isAsSaid =
    item.quickXorHash === undefined ? size === item.sizeBytes : hash.digest() === item.quickXorHash
  if (!isAsSaid) throw await mismatch(calls, item, request.signal)
}

export const contentPathOf = (itemId: string): string => `/items/${segment(itemId)}/content`

async function addressOf(calls: DriveCalls, path: string, signal: AbortSignal | undefined): Promise<string> {
  const { location } = await calls.request({ path, cost: UNITS.one, signal })
  if (location !== undefined) return location
  throw new HoldfastError('unavailable', 'Microsoft 365 gave no address for the content of a file')
}

/** The file changed while it was read, or what came is not what is stored. */
async function mismatch(
  calls: DriveCalls,
  item: DriveItem,
  signal: AbortSignal | undefined,
): Promise<HoldfastError> {
  const json = await calls.find({ path: `/items/${segment(item.id)}`, signal })
  const now = json === undefined ? undefined : toDriveItem(json)
  if (now === undefined || now.eTag !== item.eTag || now.quickXorHash !== item.quickXorHash) {
    return new HoldfastError('conflict', 'the file changed while it was read', { reason: 'changed' })
  }
  return new HoldfastError('corrupt', 'the content of the file does not match its checksum')
}

function rangeFrom(given: number): Record<string, string> {
  return given === 0 ? {} : { range: `bytes=${given}-` }
}

/** A resumed answer has to be of the same content. */
function sameContent(tag: string | undefined, content: Content, given: number): string | undefined {
  const current = content.header('etag')
  if (given > 0 && tag !== undefined && current !== undefined && tag !== current) {
    throw new HoldfastError('conflict', 'the file changed while it was read', { reason: 'changed' })
  }
  return tag ?? current
}

/** A host that refuses ranges sends all again. */
async function* fromByte(content: Content, given: number): AsyncGenerator<Uint8Array> {
  const start = content.status === 206 ? startOf(content.header('content-range')) : 0
  if (start === undefined || start > given) {
    throw new HoldfastError('unavailable', 'the content of a file came in a range that was not asked for')
  }
  let toSkip = given - start
  for await (const chunk of content.body) {
    const skipped = Math.min(toSkip, chunk.length)
    toSkip -= skipped
    if (skipped < chunk.length) yield skipped === 0 ? chunk : chunk.subarray(skipped)
  }
}

function startOf(contentRange: string | undefined): number | undefined {
  const start = /^bytes (\d+)-/.exec(contentRange ?? '')?.[1]
  return start === undefined ? undefined : Number(start)
}

function hasLapsed(error: unknown): boolean {
  if (isHoldfastError(error) && error.reason === 'malwareDetected') return false
  return (
    isHoldfastError(error, 'unauthenticated') ||
    isHoldfastError(error, 'denied') ||
    isHoldfastError(error, 'not-found')
  )
}

function isCut(error: unknown): boolean {
  return error instanceof NetworkFailure && error.mayPass
}
