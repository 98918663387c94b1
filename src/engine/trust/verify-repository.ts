import { damagedItemRows, trustScheduleRows } from '#database'
import type { Problem, VerifyOptions, VerifyReport } from '#repository'
import { organizationShards, type OrganizationShard } from '../repositories/organization-shards.ts'
import { blobText, damagedPaths, forgetUnneeded, keepDamaged, recheckDamaged } from './damaged-items.ts'
import { heal, packsOf } from './heal.ts'
import type { TrustEnding, TrustResult } from './trust-run.ts'
import { type DoTrustWork, type TrustParts, type TrustWork } from './trust-work.ts'

/** Data is read in so many shares, one a day. */
export const SHARES = 30
/** Missed days are caught up with by at most so many shares in one run. */
const MOST_SHARES = 3
const DAY_MS = 86_400_000

/** Reads the repository's shards one after the other, keeps what is wrong by name, and heals what can be healed. */
export const verifyRepository: DoTrustWork = async (parts, work) => {
  const { run, request, signal } = work
  const shares = request.data === 'share' ? await sharesDue(parts, work) : []
  let result = work.result
  let isBusy = false
  for (const shard of await organizationShards(parts, { repositoryId: run.repositoryId }, signal)) {
    signal.throwIfAborted()
    if (result.done.includes(shard.name)) continue
    const verified = await verifyShard(parts, work, shard, dataOf(request.data, shares))
    if (verified === 'busy') {
      isBusy = true
      continue
    }
    result = added(result, verified, shard.name)
    await work.keep(result)
  }
  if (isBusy) return undefined
  await keepTurn(parts, work, shares)
  return endingOf(result)
}

const dataOf = (choice: string | undefined, shares: readonly number[]): readonly VerifyOptions['data'][] => {
  if (choice === 'all') return ['all']
  if (shares.length === 0) return ['none']
  return shares.map((index) => ({ index, of: SHARES }))
}

/** The next share; more of them where days were missed. */
const sharesDue = async ({ database, clock }: TrustParts, { run }: TrustWork): Promise<readonly number[]> => {
  const schedule = await trustScheduleRows.find(database.queries, run.repositoryId)
  const last = schedule?.lastVerifiedAt?.getTime()
  const days = last === undefined ? 1 : Math.round((clock.nowMs() - last) / DAY_MS)
  const count = Math.max(1, Math.min(MOST_SHARES, days))
  const first = schedule?.nextShare ?? 0
  return Array.from({ length: count }, (_, at) => (first + at) % SHARES)
}

/** The next run goes on behind the shares that were read. */
const keepTurn = async (
  { database, clock }: TrustParts,
  { run }: TrustWork,
  shares: readonly number[],
): Promise<void> => {
  const known = await trustScheduleRows.find(database.queries, run.repositoryId)
  const nextShare = shares.length === 0 ? (known?.nextShare ?? 0) : (shares.at(-1)! + 1) % SHARES
  const { repositoryId } = run
  await trustScheduleRows.put(database.queries, {
    settings: {},
    ...known,
    repositoryId,
    nextShare,
    lastVerifiedAt: clock.now(),
  })
}

interface Verified extends Omit<VerifyReport, 'blobs' | 'problems'> {
  readonly problems: number
  readonly damagedItems: number
  readonly healedItems: number
}

const verifyShard = async (
  parts: TrustParts,
  work: TrustWork,
  shard: OrganizationShard,
  data: readonly VerifyOptions['data'][],
): Promise<Verified | 'busy'> => {
  const { signal } = work
  const reports: VerifyReport[] = []
  for (const each of data) reports.push(await shard.repository.verify({ data: each }, signal))
  const first = reports.flatMap(({ problems }) => problems)
  // A backup or a clean-up beside this one makes files come and go: what is wrong is wrong twice.
  const problems =
    first.length === 0 ? [] : (await shard.repository.verify({ data: packsOf(first) }, signal)).problems
  const numbers = {
    packs: reports[0]!.packs,
    snapshots: reports[0]!.snapshots,
    readPacks: sum(reports, 'readPacks'),
    readBytes: sum(reports, 'readBytes'),
  }
  if (problems.length === 0) {
    await recheckDamaged(parts, shard)
    await forgetUnneeded(parts, shard, new Set())
    return { ...numbers, problems: 0, damagedItems: 0, healedItems: 0 }
  }
  const items = await keepFindings(parts, work, shard, problems)
  return items === 'busy' ? 'busy' : { ...numbers, problems: problems.length, ...items }
}

const sum = (reports: readonly VerifyReport[], name: 'readPacks' | 'readBytes'): number =>
  reports.reduce((total, report) => total + report[name], 0)

const keepFindings = async (
  parts: TrustParts,
  work: TrustWork,
  shard: OrganizationShard,
  problems: readonly Problem[],
): Promise<{ readonly damagedItems: number; readonly healedItems: number } | 'busy'> => {
  const { signal } = work
  const blobs = problems.flatMap((problem) => problem.blobs)
  const messages = new Map(
    problems.flatMap(({ blobs: of, message }) => of.map((blob) => [blobText(blob), message] as const)),
  )
  const problemOf = (blob: string): string => messages.get(blob) ?? 'a folder cannot be read'
  const paths = await damagedPaths(shard, blobs, signal)
  const rows = await keepDamaged(parts, shard, { paths, problemOf }, signal)
  await forgetUnneeded(parts, shard, new Set(paths.map(({ path }) => path)))
  const healing = await heal(parts, shard, { problems, rows }, signal)
  if (healing.outcome === 'busy') {
    parts.log.info({ repositoryId: shard.repositoryId, reason: healing.reason }, 'healing waits')
    return 'busy'
  }
  const { organizationId } = shard
  for (const { kind, message, file } of problems)
    await work.tell({
      type: 'Problem',
      organizationId,
      kind,
      message,
      ...(file === undefined ? {} : { file }),
    })
  const states = await statesOf(parts, shard)
  for (const { id, name, path, kind, problem } of rows)
    await work.tell({
      type: 'Item',
      organizationId,
      kind,
      name,
      path,
      message: problem,
      status: states.get(id) ?? 'Damaged',
    })
  for (const note of healing.notes) await work.tell({ type: 'Note', organizationId, message: note })
  return { damagedItems: rows.length, healedItems: healing.healedItems }
}

const statesOf = async (
  { database }: TrustParts,
  { repositoryId, organizationId, index }: OrganizationShard,
): Promise<ReadonlyMap<string, string>> => {
  const place = { repositoryId, organizationId, shard: index }
  const { items } = await damagedItemRows.list(database.queries, place)
  return new Map(items.map(({ id, status }) => [id, status]))
}

const added = (result: TrustResult, verified: Verified, name: string): TrustResult => ({
  ...result,
  done: [...result.done, name],
  packs: result.packs + verified.packs,
  snapshots: result.snapshots + verified.snapshots,
  readPacks: result.readPacks + verified.readPacks,
  readBytes: result.readBytes + verified.readBytes,
  problems: result.problems + verified.problems,
  damagedItems: result.damagedItems + verified.damagedItems,
  healedItems: result.healedItems + verified.healedItems,
})

const endingOf = ({ problems, damagedItems, healedItems }: TrustResult): TrustEnding => {
  if (problems === 0) return { status: 'Success' }
  const rest = damagedItems - healedItems
  const told = rest === 0 ? 'all of them are whole again' : `${rest} wait for the next backup`
  return { status: 'Warning', details: `${problems} problems, which touch ${damagedItems} items; ${told}` }
}
