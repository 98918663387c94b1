import { isHoldfastError } from '#base'
import type { RepairReport } from '#repository'
import { organizationShards, type OrganizationShard } from '../repositories/organization-shards.ts'
import { damagedPaths, keepDamaged, markForgotten, recheckDamaged } from './damaged-items.ts'
import { copiesOf } from './heal.ts'
import type { TrustEnding } from './trust-run.ts'
import { syncIfWhole, type DoTrustWork, type TrustParts, type TrustWork } from './trust-work.ts'

/**
 * Brings back what can be: indexes, packs, snapshots, in all shards, with the copies that other repositories have. Tells what
 * was found and done, and by item what nobody has. With `dryRun` nothing is done.
 */
export const repairRepository: DoTrustWork = async (parts, work) => {
  let result = work.result
  for (const shard of await organizationShards(parts, { repositoryId: work.run.repositoryId }, work.signal)) {
    if (result.done.includes(shard.name)) continue
    const report = await repairShard(parts, work, shard).catch((error: unknown) => {
      if (isHoldfastError(error, 'conflict') && error.reason === 'locked') return undefined
      throw error
    })
    // Somebody is at work in the repository.
    if (report === undefined) return undefined
    const { damagedItems, healedItems } = await tellReport(parts, work, shard, report)
    result = {
      ...result,
      done: [...result.done, shard.name],
      problems: result.problems + report.problems.length,
      damagedItems: result.damagedItems + damagedItems,
      healedItems: result.healedItems + healedItems,
    }
    await work.keep(result)
  }
  return endingOf(result, work.request.dryRun === true)
}

const repairShard = async (
  parts: TrustParts,
  { request, signal }: TrustWork,
  shard: OrganizationShard,
): Promise<RepairReport> => {
  const { dryRun = false, data = 'none', leaveOutLost = false } = request
  const options = {
    dryRun,
    data: data === 'all' ? ('all' as const) : ('none' as const),
    sources: await copiesOf(parts, shard, signal),
    lostSnapshots: dryRun ? ('list' as const) : ('restore' as const),
    leaveOutLost,
  }
  return shard.repository.repair(options, signal)
}

const tellReport = async (
  parts: TrustParts,
  work: TrustWork,
  shard: OrganizationShard,
  report: RepairReport,
): Promise<{ readonly damagedItems: number; readonly healedItems: number }> => {
  const { organizationId } = shard
  for (const { kind, message, file } of report.problems)
    await work.tell({
      type: 'Problem',
      organizationId,
      kind,
      message,
      ...(file === undefined ? {} : { file }),
    })
  for (const message of sentencesOf(report, work.request.dryRun === true))
    await work.tell({ type: 'Done', organizationId, message })
  for (const message of report.notes) await work.tell({ type: 'Note', organizationId, message })
  const paths = await damagedPaths(shard, report.lostBlobs, work.signal)
  if (work.request.dryRun === true) {
    for (const { path } of paths)
      await work.tell({ type: 'Item', organizationId, path, message: 'nobody has all of its data' })
    return { damagedItems: paths.length, healedItems: 0 }
  }
  const problemOf = (): string => 'nobody has all of its data'
  const rows = await keepDamaged(parts, shard, { paths, problemOf }, work.signal)
  await markForgotten(parts, rows)
  const healedItems = await recheckDamaged(parts, shard)
  await syncIfWhole(shard, parts.log, work.signal)
  for (const { name, path, kind, problem } of rows)
    await work.tell({ type: 'Item', organizationId, kind, name, path, message: problem, status: 'Waiting' })
  return { damagedItems: rows.length, healedItems }
}

const sentencesOf = (report: RepairReport, isDry: boolean): readonly string[] => {
  const would = isDry ? 'would be ' : ''
  const counted: readonly (readonly [number, string])[] = [
    [report.indexedPacks.length, `packs ${would}named by an index again`],
    [report.rescuedPacks.length, `damaged packs ${would}saved as far as they can be read`],
    [report.healedBlobs.length, `lost pieces ${would}taken from copies`],
    [report.foundSnapshots.length, `restore points without their snapshot file ${would}brought back`],
    [report.rewrittenSnapshots.length, `restore points ${would}written again without what is lost`],
    [report.lostBlobs.length, 'pieces are lost: nobody has them'],
  ]
  return counted.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`)
}

const endingOf = (
  { problems, damagedItems }: { readonly problems: number; readonly damagedItems: number },
  isDry: boolean,
): TrustEnding => {
  if (problems === 0 && damagedItems === 0) return { status: 'Success', details: 'nothing is wrong' }
  const told = `${problems} problems ${isDry ? 'found' : 'dealt with'}`
  if (damagedItems === 0) return { status: isDry ? 'Warning' : 'Success', details: told }
  return { status: 'Warning', details: `${told}; ${damagedItems} items cannot be brought back from here` }
}
