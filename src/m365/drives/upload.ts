import { HoldfastError, isHoldfastError, type Clock, type JsonObject } from '#base'
import { QuickXorHash, type DriveItem } from '#items'
import { segment, textOf, textsOf } from '../graph-json.ts'
import { makeOnce } from '../http/make-once.ts'
import { INVALID_RANGE } from '../http/graph-failure.ts'
import { parseJson } from '../http/read-body.ts'
import { NetworkFailure } from '../http/transport.ts'
import { fragments } from '../mail/put-attachment.ts'
import { UNITS, type DriveCalls } from './drive-calls.ts'
import { toDriveItem } from './drive-json.ts'

export type NameConflict = 'fail' | 'replace' | 'rename'

export interface DriveUpload {
  readonly parentId: string
  readonly name: string
  readonly sizeBytes: number
  readonly createdAt?: Date
  readonly modifiedAt?: Date
  readonly onConflict: NameConflict
}

/** Up to here one request does it. */
const SMALL_BYTES = 4 * 1024 * 1024
/** A multiple of 320 KiB, as sessions demand. */
const FRAGMENT_BYTES = 32 * 320 * 1024
const CLEAN_UP_MS = 30_000
const MAX_RESENDS = 6
/** SharePoint writes properties into these when they arrive, so size and checksum change. */
const OFFICE = /\.(docx?|docm|dotx|xlsx?|xlsm|xltx|pptx?|pptm|potx|vsdx?|one|msg)$/i

/** Uploads, then checks what arrived. Sets the dates. Throws `conflict` for a name that is taken with onConflict fail. */
export async function upload(
  calls: DriveCalls,
  request: DriveUpload,
  content: AsyncIterable<Uint8Array>,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal | undefined },
): Promise<DriveItem> {
  const hash = new QuickXorHash()
  const hashed = hashing(content, hash, request.sizeBytes)
  const item =
    request.sizeBytes <= SMALL_BYTES
      ? await uploadSmall(calls, request, { content: hashed, hash }, signal)
      : await uploadBySession(calls, request, { content: hashed, hash }, { clock, signal })
  verify(item, request, hash.digest())
  return item
}

export function fileSystemInfo(dates: { createdAt?: Date; modifiedAt?: Date }): JsonObject | undefined {
  if (dates.createdAt === undefined && dates.modifiedAt === undefined) return undefined
  return {
    ...(dates.createdAt === undefined ? {} : { createdDateTime: dates.createdAt.toISOString() }),
    ...(dates.modifiedAt === undefined ? {} : { lastModifiedDateTime: dates.modifiedAt.toISOString() }),
  }
}

export function childPath(parentId: string, name: string): string {
  return `/items/${segment(parentId)}:/${segment(name)}:`
}

interface Hashed {
  readonly content: AsyncIterable<Uint8Array>
  /** Complete once the content has been read. */
  readonly hash: QuickXorHash
}

async function* hashing(
  content: AsyncIterable<Uint8Array>,
  hash: QuickXorHash,
  sizeBytes: number,
): AsyncGenerator<Uint8Array> {
  let size = 0
  for await (const chunk of content) {
    hash.update(chunk)
    size += chunk.length
    yield chunk
  }
  if (size !== sizeBytes)
    throw new HoldfastError('corrupt', 'the content of a file is not as long as it was said to be')
}

async function uploadSmall(
  calls: DriveCalls,
  request: DriveUpload,
  { content, hash }: Hashed,
  signal: AbortSignal | undefined,
): Promise<DriveItem> {
  const bytes = Buffer.concat(await Array.fromAsync(content))
  const made = await putSmall(calls, request, { bytes, hash: hash.digest() }, signal)
  const times = fileSystemInfo(request)
  if (times === undefined) return toDriveItem(made)
  const path = `/items/${segment(textOf(made, 'id') ?? '')}`
  const dated = await calls.json({
    method: 'PATCH',
    path,
    body: { fileSystemInfo: times },
    cost: UNITS.write,
    signal,
  })
  return toDriveItem(dated)
}

async function putSmall(
  calls: DriveCalls,
  request: DriveUpload,
  { bytes, hash }: { readonly bytes: Uint8Array; readonly hash: string },
  signal: AbortSignal | undefined,
): Promise<JsonObject> {
  const path = childPath(request.parentId, request.name)
  const conflict = `@microsoft.graph.conflictBehavior=${request.onConflict}`
  const call = {
    method: 'PUT',
    path: `${path}/content?${conflict}`,
    body: bytes,
    cost: UNITS.write,
    signal,
  } as const
  return await makeOnce(
    // With fail and rename a repeat after a lost answer would meet its own work: a conflict, or a second copy.
    () => calls.json({ ...call, isRepeatable: request.onConflict === 'replace' }),
    async () => {
      const there = await calls.find({ path, cost: UNITS.one, signal })
      return there !== undefined && toDriveItem(there).quickXorHash === hash ? { made: there } : 'nothing'
    },
  )
}

interface SessionContext {
  readonly clock: Clock
  readonly signal: AbortSignal | undefined
}

async function uploadBySession(
  calls: DriveCalls,
  request: DriveUpload,
  { content, hash }: Hashed,
  context: SessionContext,
): Promise<DriveItem> {
  const { signal } = context
  const times = fileSystemInfo(request)
  const session = await calls.json({
    method: 'POST',
    path: `${childPath(request.parentId, request.name)}/createUploadSession`,
    body: {
      item: {
        '@microsoft.graph.conflictBehavior': request.onConflict,
        name: request.name,
        ...(times === undefined ? {} : { fileSystemInfo: times }),
      },
    },
    cost: UNITS.write,
    isRepeatable: true,
    signal,
  })
  const address = textOf(session, 'uploadUrl') ?? ''
  try {
    return await sendFragments(calls, { address, total: request.sizeBytes }, content, context)
  } catch (error) {
    const made = isHoldfastError(error, 'conflict') ? undefined : await arrived(calls, request, hash)
    if (made !== undefined) return made
    await cancel(calls, address)
    throw error
  }
}

/** The file that an upload made whose last answer was lost. A session that is complete is gone. */
async function arrived(
  calls: DriveCalls,
  request: DriveUpload,
  hash: QuickXorHash,
): Promise<DriveItem | undefined> {
  const path = childPath(request.parentId, request.name)
  const signal = AbortSignal.timeout(CLEAN_UP_MS)
  const json = await calls.find({ path, cost: UNITS.one, signal }).catch(() => undefined)
  const item = json === undefined ? undefined : toDriveItem(json)
  return item?.sizeBytes === request.sizeBytes && item.quickXorHash === hash.digest() ? item : undefined
}

interface Session {
  readonly address: string
  readonly total: number
}

async function sendFragments(
  calls: DriveCalls,
  session: Session,
  content: AsyncIterable<Uint8Array>,
  context: SessionContext,
): Promise<DriveItem> {
  let start = 0
  for await (const fragment of fragments(content, FRAGMENT_BYTES)) {
    const item = await sendFragment(calls, session, { start, bytes: fragment }, context)
    start += fragment.length
    if (item !== undefined) return item
  }
  throw new HoldfastError('unavailable', 'Microsoft 365 did not confirm an upload')
}

interface Fragment {
  readonly start: number
  readonly bytes: Uint8Array
}

/** Sends a fragment until the session has all of it. The item comes with the last one. */
async function sendFragment(
  calls: DriveCalls,
  session: Session,
  fragment: Fragment,
  { clock, signal }: SessionContext,
): Promise<DriveItem | undefined> {
  const end = fragment.start + fragment.bytes.length
  let from = fragment.start
  for (let resends = 0; ; resends += 1) {
    try {
      const answer = await put(
        calls,
        session,
        { start: from, bytes: fragment.bytes.subarray(from - fragment.start) },
        signal,
      )
      if (textOf(answer, 'id') !== undefined) return toDriveItem(answer!)
    } catch (error) {
      if (!maySendAgain(error) || resends === MAX_RESENDS) throw error
      await clock.sleep(1000 * (resends + 1), signal)
    }
    const expected = await nextExpected(calls, session, signal)
    if (expected === undefined || expected >= end) {
      if (end < session.total) return undefined
      throw new HoldfastError('unavailable', 'the answer to the last part of an upload was lost')
    }
    if (expected < fragment.start || resends === MAX_RESENDS) {
      throw new HoldfastError('unavailable', 'Microsoft 365 lost a part of an upload')
    }
    from = expected
  }
}

async function put(
  calls: DriveCalls,
  { address, total }: Session,
  { start, bytes }: Fragment,
  signal: AbortSignal | undefined,
): Promise<JsonObject | undefined> {
  const headers = { 'content-range': `bytes ${start}-${start + bytes.length - 1}/${total}` }
  using answer = await calls.outside({
    method: 'PUT',
    address,
    headers,
    body: bytes,
    cost: UNITS.write,
    signal,
  })
  return await jsonOf(answer.body)
}

/** Where the session wants to go on; undefined when it wants nothing more. */
async function nextExpected(
  calls: DriveCalls,
  { address }: Session,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  using status = await calls.outside({ address, signal })
  const [first] = textsOf(await jsonOf(status.body), 'nextExpectedRanges')
  return first === undefined ? undefined : Number(first.split('-')[0])
}

async function jsonOf(body: AsyncIterable<Uint8Array>): Promise<JsonObject | undefined> {
  const json = parseJson(Buffer.concat(await Array.fromAsync(body)))
  return typeof json === 'object' && json !== null && !Array.isArray(json) ? (json as JsonObject) : undefined
}

/** 416: the session has some of it already, from a try whose answer was lost. */
function maySendAgain(error: unknown): boolean {
  if (error instanceof NetworkFailure) return error.mayPass
  return isHoldfastError(error) && error.reason === INVALID_RANGE
}

async function cancel(calls: DriveCalls, address: string): Promise<void> {
  try {
    using _answer = await calls.outside({
      method: 'DELETE',
      address,
      signal: AbortSignal.timeout(CLEAN_UP_MS),
    })
  } catch {
    // A session that nobody ends lapses by itself.
  }
}

function verify(item: DriveItem, request: DriveUpload, hash: string): void {
  if (OFFICE.test(request.name)) return
  const isSame =
    item.sizeBytes === request.sizeBytes && (item.quickXorHash === undefined || item.quickXorHash === hash)
  if (!isSame) throw new HoldfastError('corrupt', 'a restored file did not arrive as it was sent')
}
