import { HoldfastError, isHoldfastError, type JsonObject, type Logger } from '#base'
import type { MailItem } from '#items'
import { dateOf, segment, textOf } from '../graph-json.ts'
import { makeOnce, type Found } from '../http/make-once.ts'
import type { AttachmentContent } from './attachments.ts'
import { MESSAGE_PROPERTIES, toMailItem } from './mail-json.ts'
import type { MailboxCalls } from './mailbox-calls.ts'
import { newMessage } from './message-body.ts'
import { putAttachment } from './put-attachment.ts'

/** A message to put into a mailbox. */
export interface MailDraft {
  readonly item: MailItem
  readonly attachments: AsyncIterable<AttachmentContent>
}

export interface CreateContext {
  readonly calls: MailboxCalls
  readonly log: Logger
  readonly nowMs: () => number
  /** Messages that were made here before, so that none of them is taken for the one whose answer was lost. */
  readonly ownWork: RecentIds
  readonly signal: AbortSignal | undefined
}

const REMEMBERED = 20_000

/** The last ids that were added. */
export class RecentIds {
  readonly #ids = new Set<string>()

  add(id: string): void {
    this.#ids.add(id)
    if (this.#ids.size > REMEMBERED) this.#ids.delete(this.#ids.values().next().value!)
  }

  has(id: string): boolean {
    return this.#ids.has(id)
  }
}

const CLEAN_UP_MS = 60_000
/** Clocks differ; a message made by the lost call is younger than this. */
const FRESH_MS = 5 * 60_000

/** Makes the message with all its attachments, or leaves nothing behind. */
export async function createMessage(
  context: CreateContext,
  folderId: string,
  draft: MailDraft,
): Promise<MailItem> {
  const { calls, signal, log } = context
  const id = await postMessage(context, folderId, draft.item)
  try {
    let before = 0
    for await (const attachment of draft.attachments) {
      await putAttachment({ calls, messageId: id, before, signal, log }, attachment)
      before += 1
    }
    const made = await readMessage(calls, id, signal)
    if (made.isDraft !== draft.item.isDraft) {
      throw new HoldfastError('conflict', 'Microsoft 365 made a draft of a restored message', {
        reason: 'draft',
      })
    }
    return made
  } catch (error) {
    await removeHalfMade(context, id)
    throw error
  }
}

export async function readMessage(
  calls: MailboxCalls,
  id: string,
  signal: AbortSignal | undefined,
): Promise<MailItem> {
  return toMailItem(
    await calls.json({ path: `/messages/${segment(id)}?$select=${MESSAGE_PROPERTIES}`, signal }),
  )
}

async function postMessage(context: CreateContext, folderId: string, item: MailItem): Promise<string> {
  const { calls, signal, nowMs, ownWork } = context
  const path = `/mailFolders/${segment(folderId)}/messages`
  const since = nowMs() - FRESH_MS
  const id = await makeOnce(
    async () => idOf(await postTolerantly(calls, path, item, signal)),
    () => madeBefore(context, folderId, item, since),
  )
  ownWork.add(id)
  return id
}

/** The service refuses a message for one bad recipient; those are dropped on a second try. */
async function postTolerantly(
  calls: MailboxCalls,
  path: string,
  item: MailItem,
  signal: AbortSignal | undefined,
): Promise<JsonObject> {
  try {
    return await calls.json({ method: 'POST', path, body: newMessage(item, { strict: false }), signal })
  } catch (error) {
    if (!isHoldfastError(error, 'invalid')) throw error
    return await calls.json({ method: 'POST', path, body: newMessage(item, { strict: true }), signal })
  }
}

/** The message that a call made whose answer was lost: young, of the same Internet id, and none that we know of. */
async function madeBefore(
  { calls, signal, ownWork }: CreateContext,
  folderId: string,
  item: MailItem,
  sinceMs: number,
): Promise<Found<string>> {
  if (item.internetMessageId === undefined) return 'unclear'
  const found = await messagesByInternetId(calls, folderId, item.internetMessageId, signal)
  const isYoung = ({ graph }: MailItem): boolean =>
    (dateOf(graph, 'createdDateTime')?.getTime() ?? 0) >= sinceMs
  const [made, ...others] = found.filter((one) => isYoung(one) && !ownWork.has(one.id))
  if (made === undefined) return 'nothing'
  return others.length === 0 ? { made: made.id } : 'unclear'
}

export async function messagesByInternetId(
  calls: MailboxCalls,
  folderId: string,
  internetMessageId: string,
  signal: AbortSignal | undefined,
): Promise<readonly MailItem[]> {
  const filter = `internetMessageId eq '${internetMessageId.replaceAll("'", "''")}'`
  const path = `/mailFolders/${segment(folderId)}/messages?$filter=${encodeURIComponent(filter)}&$select=${MESSAGE_PROPERTIES}`
  const found: MailItem[] = []
  for await (const page of calls.pages({ path, signal })) found.push(...page.map(toMailItem))
  return found
}

/** For good where the service offers it, so that the user does not find half a message among the deleted ones. */
async function removeHalfMade({ calls, log }: CreateContext, id: string): Promise<void> {
  const path = `/messages/${segment(id)}`
  // Also after a stop: what was begun here is nobody else's to clean up.
  const signal = AbortSignal.timeout(CLEAN_UP_MS)
  try {
    await calls.request({ method: 'POST', path: `${path}/permanentDelete`, isRepeatable: true, signal })
  } catch {
    try {
      await calls.request({ method: 'DELETE', path, signal })
    } catch (error) {
      if (!isHoldfastError(error, 'not-found')) log.warn({ err: error }, 'half-made message left behind')
    }
  }
}

function idOf(message: JsonObject): string {
  const id = textOf(message, 'id')
  if (id === undefined) throw new HoldfastError('unavailable', 'Microsoft 365 made a message without an id')
  return id
}
