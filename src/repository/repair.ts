import { isHoldfastError } from '#base'
import type {
  BlobId,
  BlobName,
  NewSnapshot,
  Problem,
  RepairOptions,
  RepairReport,
  Snapshot,
  SnapshotId,
} from './contract.ts'
import { isDamage } from './damage.ts'
import { openConfig, type RepositoryConfig, sealConfig } from './format/config.ts'
import { blobIdOf, blobKey } from './format/ids.ts'
import { describeKeyFile } from './format/key-file.ts'
import { IV_BYTES } from './format/sealing.ts'
import { listIds } from './index-files.ts'
import type { PruneParts } from './prune.ts'
import { keepAside, replaceIndexes, rescue } from './repair-packs.ts'
import { leaveOutLost, recogniseRun } from './repair-snapshots.ts'
import { ASIDE, isClean, type Survey, survey, type SurveyChoice } from './repair-survey.ts'
import { Needs } from './repair-walk.ts'
import { SealedPacks } from './sealed-packs.ts'
import { documentFault, readableIndex, readableSnapshots, verify } from './verify.ts'

export interface RepairParts extends PruneParts {
  readonly config: RepositoryConfig
  /** Throws when the lock may be lost. */
  readonly guard: () => void
}

/** A survey, and what the snapshots need of it. */
interface Examined {
  readonly found: Survey
  readonly needs: Needs
  readonly stray: readonly NewSnapshot[]
}

/**
 * Brings back what can be. What is saved is stored and named first, then the old goes out of use: a kill at any moment
 * leaves a repository that is no worse, and the next call goes on. Needs an exclusive lock.
 */
export const repair = async (
  parts: RepairParts,
  options: RepairOptions,
  signal?: AbortSignal,
): Promise<RepairReport> => {
  const { dryRun = false, onProgress = () => {} } = options
  const packs = newPacks(parts)
  onProgress('looking at indexes, packs and snapshots')
  const documents = await damagedDocuments(parts, signal)
  const examined = await examine(parts, options, packs, signal)
  const { found, needs, stray } = examined
  const plan: RepairReport = {
    problems: [...documents.problems, ...found.problems],
    rescuedPacks: rescuable(found),
    indexedPacks: [...found.adopted, ...found.reindexed].map(({ id }) => id),
    healedBlobs: [...needs.healed.values()],
    lostBlobs: [...needs.lost.values()],
    foundSnapshots: stray.map((snapshot) => ({ snapshot })),
    rewrittenSnapshots: [],
    movedAside: [],
    notes: [...documents.notes, ...notesOf(found)],
  }
  if (dryRun) return plan
  onProgress('saving what can be read into new packs')
  await rescue(parts, found, packs, signal)
  await packs.flush()
  onProgress('replacing indexes')
  const movedAside = isClean(found) ? [] : await replaceIndexes(parts, found, signal)
  parts.files.forgetAll()
  await parts.files.refresh(signal)
  onProgress('repairing snapshots')
  const foundSnapshots = await restoreStray(parts, stray, options)
  movedAside.push(...(await moveDocuments(parts, useless(documents, foundSnapshots), signal)))
  const rewrittenSnapshots = await rewriteLosses(parts, { options, needs, packs, movedAside }, signal)
  onProgress('verifying')
  const report = { ...plan, foundSnapshots, rewrittenSnapshots, movedAside }
  return { ...report, notes: [...plan.notes, ...(await settle(parts, packs, signal))] }
}

const newPacks = (parts: RepairParts): SealedPacks =>
  new SealedPacks({ ...parts, name: async (named) => void (await parts.files.writeFile(named)) })

/** Looks, and looks again where following the trees showed another pack to be damaged. */
const examine = async (
  parts: RepairParts,
  options: RepairOptions,
  packs: SealedPacks,
  signal?: AbortSignal,
): Promise<Examined> => {
  const { data = 'none', sources = [], dryRun = false } = options
  const suspects = new Set(typeof data === 'string' ? [] : data)
  const choice: SurveyChoice = { isRead: (pack) => data === 'all' || suspects.has(pack) }
  for (;;) {
    const found = await survey(parts, choice, signal)
    const keep = async (blob: BlobName, plain: Uint8Array): Promise<void> => {
      if (!dryRun) await packs.addPlain(blob, plain)
    }
    const needs = new Needs({ parts, sound: found.sound, sources, keep, signal })
    const known = await readableSnapshots(parts, signal)
    await needs.follow(known.map(({ tree }) => tree))
    const stray = await straySnapshots(needs, known, options)
    if (options.lostSnapshots === 'restore') await needs.follow(stray.map(({ tree }) => tree))
    if ([...needs.suspects].every((pack) => suspects.has(pack))) return { found, needs, stray }
    for (const pack of needs.suspects) suspects.add(pack)
  }
}

const straySnapshots = async (
  needs: Needs,
  known: readonly Snapshot[],
  { recognise = recogniseRun }: RepairOptions,
): Promise<NewSnapshot[]> => {
  const stray: NewSnapshot[] = []
  const reader = needs.asReader(known)
  for await (const root of needs.strayRoots()) {
    const snapshot = await recognise(reader, root, known)
    if (snapshot !== undefined) stray.push(snapshot)
  }
  return stray.sort((a, b) => a.time.getTime() - b.time.getTime())
}

/** A damaged snapshot file stays while it may be what names a root that was found and not brought back: it stops prune. */
const useless = (documents: Documents, found: RepairReport['foundSnapshots']): Documents =>
  found.every(({ restored }) => restored !== undefined)
    ? documents
    : { ...documents, useless: documents.useless.filter((file) => !file.startsWith('snapshots/')) }

const rescuable = ({ broken, sound }: Survey): string[] =>
  [...broken.values()]
    .filter(({ id, good }) => good.some((blob) => sound.find(blob.type, blob.id)?.pack === id))
    .map(({ id }) => id)

const notesOf = ({ broken }: Survey): string[] =>
  [...broken.values()]
    .filter(({ good, damaged }) => good.length + damaged.length === 0)
    .map(({ id }) => `pack ${id} has no readable header and no index: what was in it is not known`)

interface Documents {
  readonly problems: readonly Problem[]
  readonly notes: readonly string[]
  /** Files that are of no use any more. */
  readonly useless: readonly string[]
  readonly isConfigDamaged: boolean
}

/** Snapshots, keys and config that cannot be read. */
const damagedDocuments = async (parts: RepairParts, signal?: AbortSignal): Promise<Documents> => {
  const problems: Problem[] = []
  const notes: string[] = []
  const useless: string[] = []
  for (const [folder, kind] of [
    ['snapshots', 'snapshot-damaged'],
    ['keys', 'key-damaged'],
  ] as const) {
    for (const id of await listIds(parts.storage, folder, signal)) {
      const fault = await documentFault(parts, folder, id, signal)
      if (fault === undefined) continue
      const file = `${folder}/${id}`
      problems.push({ kind, message: `${file}: ${fault}`, file, blobs: [] })
      if (folder === 'snapshots')
        notes.push(`snapshot ${id} cannot be read; its tree may be found without it`)
      else notes.push(`key ${id} is damaged: its password has to be added again`)
      if (folder === 'snapshots' || !(await isKeyFile(parts, file))) useless.push(file)
    }
  }
  const fault = await configFault(parts, signal)
  if (fault !== undefined)
    problems.push({ kind: 'config-damaged', message: fault, file: 'config', blobs: [] })
  return { problems, notes, useless, isConfigDamaged: fault !== undefined }
}

/** A key file with a wrong name may still open: it stays. */
const isKeyFile = async ({ storage }: RepairParts, file: string): Promise<boolean> => {
  try {
    describeKeyFile(await storage.read(file))
    return true
  } catch (error) {
    if (!isDamage(error)) throw error
    return false
  }
}

const configFault = async (
  { storage, key }: RepairParts,
  signal?: AbortSignal,
): Promise<string | undefined> => {
  try {
    openConfig(key, await storage.read('config', undefined, signal))
    return undefined
  } catch (error) {
    if (!isDamage(error) && !isHoldfastError(error, 'not-found')) throw error
    return `the config cannot be read: ${error.message}`
  }
}

const restoreStray = async (
  { snapshots, guard }: RepairParts,
  stray: readonly NewSnapshot[],
  { lostSnapshots = 'list' }: RepairOptions,
): Promise<RepairReport['foundSnapshots']> => {
  const found: { snapshot: NewSnapshot; restored?: SnapshotId }[] = []
  for (const snapshot of stray) {
    guard()
    if (lostSnapshots === 'list') found.push({ snapshot })
    else found.push({ snapshot, restored: (await snapshots.write(snapshot)).id })
  }
  return found
}

/** Takes damaged small files out of use; the config, which is known as long as the repository is open, is written again. */
const moveDocuments = async (
  parts: RepairParts,
  { useless, isConfigDamaged }: Documents,
  signal?: AbortSignal,
): Promise<string[]> => {
  const { storage, key, config, random } = parts
  const moved: string[] = []
  for (const file of useless) {
    moved.push(await keepAside(parts, file, signal))
    await storage.remove(file, signal)
  }
  if (!isConfigDamaged) return moved
  if ((await storage.stat('config', signal)) !== undefined) {
    moved.push(await keepAside(parts, 'config', signal))
    await storage.remove('config', signal)
  }
  await storage.write('config', [sealConfig(key, config, random.bytes(IV_BYTES))])
  return moved
}

interface Losses {
  readonly options: RepairOptions
  readonly needs: Needs
  readonly packs: SealedPacks
  readonly movedAside: string[]
}

const rewriteLosses = async (
  parts: RepairParts,
  { options, needs, packs, movedAside }: Losses,
  signal?: AbortSignal,
): Promise<RepairReport['rewrittenSnapshots']> => {
  if (options.leaveOutLost !== true || needs.lost.size === 0) return []
  const rewritten = await leaveOutLost(parts, {
    lost: needs.lost.values(),
    save: async (tree) => {
      const id: BlobId = blobIdOf(tree)
      if (!parts.files.index.has('tree', id)) await packs.addPlain({ type: 'tree', id }, tree)
      return id
    },
    flush: async () => {
      await packs.flush()
      await parts.files.refresh(signal)
    },
    signal,
  })
  for (const { from } of rewritten) {
    movedAside.push(await keepAside(parts, `snapshots/${from}`, signal))
    await parts.snapshots.remove(from)
  }
  return rewritten
}

/** Verifies what was done. What lies aside is deleted once nothing is missing any more. */
const settle = async (parts: RepairParts, packs: SealedPacks, signal?: AbortSignal): Promise<string[]> => {
  const { problems } = await verify(parts, { data: packs.packs }, signal)
  if (problems.length > 0) return problems.map(({ message }) => `still wrong: ${message}`)
  const aside: string[] = []
  for await (const { path } of parts.storage.list(ASIDE, signal)) aside.push(path)
  for (const path of aside) await parts.storage.remove(path, signal)
  return []
}

/**
 * Makes the index forget blobs that cannot be read; those that can stay. The other blobs of their packs are saved into new
 * packs, because an index that names half a pack is wrong to restic. Needs an exclusive lock.
 */
export const forgetDamaged = async (
  parts: RepairParts,
  blobs: Iterable<BlobName>,
  signal?: AbortSignal,
): Promise<readonly BlobName[]> => {
  const wanted = new Map([...blobs].map((blob) => [blobKey(blob.type, blob.id), blob]))
  const holding = new Set<string>()
  for (const id of await parts.files.list(signal)) {
    for (const pack of await readableIndex(parts, id, signal))
      if (pack.blobs.some(({ type, id: blob }) => wanted.has(blobKey(type, blob)))) holding.add(pack.id)
  }
  const found = await survey(parts, { isRead: (pack) => holding.has(pack) }, signal)
  const packs = newPacks(parts)
  await rescue(parts, found, packs, signal)
  await packs.flush()
  if (!isClean(found)) await replaceIndexes(parts, found, signal)
  parts.files.forgetAll()
  await parts.files.refresh(signal)
  return [...wanted.values()].filter(({ type, id }) => !parts.files.index.has(type, id))
}
