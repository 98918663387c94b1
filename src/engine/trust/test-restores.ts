import { isHoldfastError, messageOf, seededRandom } from '#base'
import { createHash } from 'node:crypto'
import type { ObjectAtPoint } from '../catalogue/catalogue.ts'
import { isDriveRow } from '../catalogue/rows.ts'
import type { OrganizationTenants } from '../organizations/tenants.ts'
import { organizationShards, type OrganizationShard } from '../repositories/organization-shards.ts'
import { testItem, type ItemTest } from './test-item.ts'
import { syncIfWhole, type DoTrustWork, type TrustParts, type TrustWork } from './trust-work.ts'

export const ITEMS_PER_OBJECT = 5
const MOST_NAMED = 20
const FOREVER = new Date(8.64e15)

/** What the test of one mailbox or drive says. */
export interface TestedObject {
  readonly type: 'Object'
  readonly organizationId: string
  readonly objectType: 'Mailbox' | 'OneDrive'
  readonly name: string
  readonly backupTime: string
  readonly items: number
  readonly tested: number
  readonly equal: number
  /** Of the equal ones: those that are in the tenant as they were stored, and were compared with it. */
  readonly equalToTenant: number
  readonly differing: number
  readonly notComparable: number
  /** Which items differ or cannot be compared, and why. */
  readonly remarks: readonly { readonly item: string; readonly outcome: string; readonly why: string }[]
}

/**
 * Reads a sample of each object's items back from its newest restore point, and compares them with the tenant where they
 * are as they were, else with what was recorded.
 */
export const testRestores: DoTrustWork = async (parts, work) => {
  let result = work.result
  for (const shard of await organizationShards(parts, { repositoryId: work.run.repositoryId }, work.signal)) {
    await syncIfWhole(shard, parts.log, work.signal)
    const tenants = await parts.tenants.of(shard.organizationId).catch(() => undefined)
    for (const object of shard.catalogue.objectsAt({ at: FOREVER })) {
      work.signal.throwIfAborted()
      const name = `${shard.name}/${object.key}`
      if (result.done.includes(name)) continue
      const tested = await testObject(parts, work, { shard, object, tenants })
      await work.tell(tested)
      result = {
        ...result,
        done: [...result.done, name],
        tested: result.tested + tested.tested,
        equal: result.equal + tested.equal,
        differing: result.differing + tested.differing,
        notComparable: result.notComparable + tested.notComparable,
      }
      await work.keep(result)
    }
  }
  const { tested, equal, differing, notComparable } = result
  const details = `${tested} items read back: ${equal} equal, ${differing} differ, ${notComparable} not comparable`
  return { status: differing + notComparable === 0 ? 'Success' : 'Warning', details }
}

interface ObjectTest {
  readonly shard: OrganizationShard
  readonly object: ObjectAtPoint
  readonly tenants: OrganizationTenants | undefined
}

const testObject = async (
  parts: TrustParts,
  work: TrustWork,
  { shard, object, tenants }: ObjectTest,
): Promise<TestedObject> => {
  const counts = { items: 0, tested: 0, equal: 0, equalToTenant: 0, differing: 0, notComparable: 0 }
  const remarks: { item: string; outcome: string; why: string }[] = []
  const remark = (item: string, outcome: string, why: string): void => {
    if (remarks.length < MOST_NAMED) remarks.push({ item, outcome, why })
  }
  const test: ItemTest = {
    reader: shard.repository,
    tenant: object.kind === 'mail' ? tenants?.mail : tenants?.onedrive,
    userId: object.userId,
    signal: work.signal,
  }
  try {
    await shard.catalogue.load(object.key, work.signal)
    const { total, rows } = sampleOf(shard, object, work)
    counts.items = total
    for (const row of rows) {
      work.signal.throwIfAborted()
      const verdict = await testItem(test, row)
      const name = isDriveRow(row) ? row.name : row.subject
      counts.tested += 1
      if (verdict.outcome === 'equal') {
        counts.equal += 1
        if (verdict.by === 'live') counts.equalToTenant += 1
        continue
      }
      counts[verdict.outcome === 'differs' ? 'differing' : 'notComparable'] += 1
      remark(name, verdict.outcome, verdict.why)
    }
  } catch (error) {
    work.signal.throwIfAborted()
    if (!isHoldfastError(error)) throw error
    parts.log.warn({ object: object.key, message: messageOf(error) }, 'object not tested')
    counts.notComparable += 1
    remark('', 'not-comparable', messageOf(error))
  }
  return {
    type: 'Object',
    organizationId: shard.organizationId,
    objectType: object.kind === 'mail' ? 'Mailbox' : 'OneDrive',
    name: object.principalName,
    backupTime: object.time.toISOString(),
    ...counts,
    remarks,
  }
}

/** Items by chance: the same ones for the same seed and object. */
const sampleOf = (
  { catalogue }: OrganizationShard,
  { key, version }: ObjectAtPoint,
  { request }: TrustWork,
) => {
  const at = (offset: number) => catalogue.items(key, version, undefined, { offset, limit: 1 })
  const { total } = at(0)
  const random = seededRandom(
    createHash('sha256')
      .update(`${request.seed ?? 0} ${key}`)
      .digest()
      .readUInt32BE(0),
  )
  const wanted = Math.min(total, request.itemsPerObject ?? ITEMS_PER_OBJECT)
  const offsets = new Set<number>()
  while (offsets.size < wanted) offsets.add(Math.floor(random.fraction() * total))
  return { total, rows: [...offsets].flatMap((offset) => at(offset).items) }
}
