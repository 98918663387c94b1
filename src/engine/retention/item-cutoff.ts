import type { Clock } from '#base'
import type { ClockGuard } from './clock-guard.ts'
import { retentionFacts, type ContentsParts } from './repository-contents.ts'
import { itemCutoff } from './retention-rule.ts'

/**
 * What a backup of a job need not read, because a clean-up would take it out again. Undefined where items do not go by their
 * age, and while the clock is in doubt: what is left out once is not read later.
 */
export const itemCutoffOf = async (
  parts: Pick<ContentsParts, 'database' | 'timeZone'> & {
    readonly guard: Pick<ClockGuard, 'look'>
    readonly clock: Clock
  },
  { jobId, repositoryId }: { readonly jobId: string; readonly repositoryId: string },
): Promise<Date | undefined> => {
  const { ruleOf } = await retentionFacts(parts, repositoryId)
  const cutoff = itemCutoff(ruleOf(jobId).rule, parts.clock.now())
  return cutoff === undefined || (await parts.guard.look()) !== undefined ? undefined : cutoff
}
