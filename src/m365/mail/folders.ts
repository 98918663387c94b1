import { isHoldfastError, type JsonObject } from '#base'
import type { MailFolder } from '#items'
import { numberOf, segment, textOf } from '../graph-json.ts'
import type { BatchAnswer } from '../http/batch.ts'
import type { FolderNames } from './mail-json.ts'
import { toMailFolder } from './mail-json.ts'
import type { MailboxCalls } from './mailbox-calls.ts'

const FOLDER_PROPERTIES = 'id,displayName,parentFolderId,childFolderCount,totalItemCount,isHidden'
const PAGE = 250
const ROOT = 'msgfolderroot'
/** Outside of the visible tree, but backed up: what users deleted from Deleted Items. */
const RECOVERABLE = 'recoverableitemsdeletions'
const WELL_KNOWN = [
  ROOT,
  'inbox',
  'sentitems',
  'drafts',
  'deleteditems',
  'junkemail',
  'archive',
  'outbox',
  RECOVERABLE,
  'conversationhistory',
  'clutter',
  'scheduled',
  'syncissues',
  'conflicts',
  'localfailures',
  'serverfailures',
]
const SEARCH_FOLDER = '#microsoft.graph.mailsearchfolder'

/**
 * All folders of a mailbox that hold messages of their own, hidden ones and Recoverable Items included, parents before
 * children. Search folders show other folders' messages and are left out.
 */
export async function listFolders(calls: MailboxCalls, signal?: AbortSignal): Promise<readonly MailFolder[]> {
  const wellKnown = await askWellKnown(calls, signal)
  const names: FolderNames = {
    rootId: textOf(wellKnown.get(ROOT), 'id'),
    nameOf: new Map([...wellKnown].map(([name, folder]) => [textOf(folder, 'id') ?? '', name])),
  }
  const found: MailFolder[] = []
  const seen = new Set<string>()
  let level = await children(calls, undefined, signal)
  while (level.length > 0) {
    const isNew = level.filter((folder) => !seen.has(textOf(folder, 'id') ?? ''))
    isNew.forEach((folder) => seen.add(textOf(folder, 'id') ?? ''))
    found.push(...isNew.map((folder) => toMailFolder(folder, names)))
    const parents = isNew.filter((folder) => (numberOf(folder, 'childFolderCount') ?? 0) > 0)
    level = (await Promise.all(parents.map((parent) => children(calls, textOf(parent, 'id'), signal)))).flat()
  }
  const recoverable = wellKnown.get(RECOVERABLE)
  if (recoverable !== undefined && !seen.has(textOf(recoverable, 'id') ?? '')) {
    found.push(toMailFolder({ ...recoverable, parentFolderId: undefined }, names))
  }
  return found
}

/** The folder of that name below a parent, or below the mailbox's root. */
export async function findChild(
  calls: MailboxCalls,
  name: string,
  parentId: string | undefined,
  signal?: AbortSignal,
): Promise<JsonObject | undefined> {
  const wanted = name.toLowerCase()
  const all = await children(calls, parentId, signal)
  return all.find((folder) => textOf(folder, 'displayName')?.toLowerCase() === wanted)
}

export function childrenPath(parentId: string | undefined): string {
  return parentId === undefined ? '/mailFolders' : `/mailFolders/${segment(parentId)}/childFolders`
}

async function children(
  calls: MailboxCalls,
  parentId: string | undefined,
  signal: AbortSignal | undefined,
): Promise<JsonObject[]> {
  const options = `includeHiddenFolders=true&$top=${PAGE}&$select=${FOLDER_PROPERTIES}`
  const found: JsonObject[] = []
  for await (const page of calls.pages({ path: `${childrenPath(parentId)}?${options}`, signal })) {
    found.push(...page.filter((folder) => textOf(folder, '@odata.type')?.toLowerCase() !== SEARCH_FOLDER))
  }
  return found
}

async function askWellKnown(
  calls: MailboxCalls,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, JsonObject>> {
  const paths = WELL_KNOWN.map((name) => `/mailFolders/${name}?$select=${FOLDER_PROPERTIES}`)
  const answers = await calls.batch(paths, signal)
  return new Map(answers.flatMap((answer, index) => known(WELL_KNOWN[index]!, answer)))
}

/** A mailbox need not have every one of them. */
function known(name: string, answer: BatchAnswer): [string, JsonObject][] {
  if (answer.error === undefined) return [[name, answer.json]]
  if (isHoldfastError(answer.error, 'not-found') && answer.error.reason !== 'no-mailbox') return []
  if (isHoldfastError(answer.error, 'invalid')) return []
  throw answer.error
}
