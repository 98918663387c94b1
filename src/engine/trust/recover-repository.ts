import { notBuilt } from '#base'
import { repositoryOrganizationRows } from '#database'
import type { DoTrustWork } from './trust-work.ts'

const MOST_LINES = 10_000

/** Brings a repository in a bucket that keeps versions back to a moment. With `dryRun` it only tells what would be done. */
export const recoverRepository: DoTrustWork = async (parts, { run, request, result, keep, tell, signal }) => {
  const { recover } = bound(parts.repositories)
  const to = new Date(request.to ?? '')
  const waiting: object[] = []
  let told = 0
  const report = await recover(run.repositoryId, to, {
    preview: request.dryRun === true,
    signal,
    onStep: ({ action, path, sizeBytes }) => {
      told += 1
      if (told <= MOST_LINES) waiting.push({ type: 'File', kind: action, path, sizeBytes })
    },
  })
  for (const line of waiting) await tell(line)
  await keep({
    ...result,
    uncovered: report.uncover,
    restored: report.restore,
    setAside: report['set-aside'],
  })
  if (request.dryRun !== true)
    for (const { organizationId } of await repositoryOrganizationRows.list(parts.database.queries, {
      repositoryId: run.repositoryId,
    }))
      await parts.catalogues.remove(run.repositoryId, organizationId)
  const counted = `${report.uncover} files uncovered, ${report.restore} restored, ${report['set-aside']} set aside, ${report.unchanged} as they were`
  return { status: 'Success', details: request.dryRun === true ? `Preview: ${counted}` : counted }
}

const bound = (repositories: Parameters<DoTrustWork>[0]['repositories']) => {
  if (repositories.recover === undefined) throw notBuilt('repositories here cannot come back to a moment')
  return { recover: repositories.recover.bind(repositories) }
}
