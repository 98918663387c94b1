import {
  ruleText,
  type JobRule,
  type Keep,
  type PreviewedPoint,
  type PruneGrace,
  type Retentions,
  type RetentionPreview,
  type RetentionRule,
  type RetentionRun,
} from '#engine'
import type { Static } from 'typebox'
import {
  answersList,
  answersNothing,
  answersObject,
  cut,
  type Call,
  type Operation,
} from '../contract/operation.ts'
import { administrator } from '../edge/policies.ts'
import { LogItem } from '../sessions/job-session.schema.ts'
import {
  AtQuery,
  ItemsQuery,
  JobRetention,
  JobRetentionBody,
  PreviewedItem as PreviewedItemSchema,
  PreviewedObject as PreviewedObjectSchema,
  PreviewedPoint as PreviewedPointSchema,
  PreviewQuery,
  PreviewSummary,
  PruneGraceBody,
  PruneGraceSchema,
  RetentionRunSchema,
  RunQuery,
  StartRetention,
} from './retention.schema.ts'

const tag = 'Holdfast'
const access = administrator
const ok = { v4: 200 }
const ofRepository = '/Holdfast/BackupRepositories/{repositoryId}'
const ofJob = '/Holdfast/Jobs/{jobId}/Retention'

/** How long what is kept, what would go, and what went. Holdfast's own, at every version. */
export const retentionOperations = (retention: Retentions): readonly Operation[] => [
  ...previewOperations(retention),
  ...itemOperations(retention),
  ...runOperations(retention),
  ...jobRuleOperations(retention),
  ...graceOperations(retention),
]

const previewOf = (
  retention: Retentions,
  {
    principal,
    params,
    query,
    signal,
  }: Pick<Call<{ at?: Date | string }>, 'principal' | 'params' | 'query' | 'signal'>,
): Promise<RetentionPreview> => {
  const at = query.at === undefined ? undefined : new Date(query.at)
  return retention.preview(principal, params['repositoryId'] ?? '', { at, signal })
}

const previewOperations = (retention: Retentions): readonly Operation[] => [
  answersList(
    PreviewedPointSchema,
    { pagedSince: 'v4' },
    {
      method: 'GET',
      path: `${ofRepository}/RetentionPreview`,
      tag,
      summary: 'Which restore points would go and which would stay, and why; newest first',
      access,
      query: PreviewQuery,
      status: ok,
      handle: async (call) => {
        const { points } = await previewOf(retention, call)
        const shown = points.map(presentPoint)
        const { action } = call.query
        return cut(action === undefined ? shown : shown.filter((one) => one.action === action), call.window)
      },
    },
  ),
  answersObject(PreviewSummary, {
    method: 'GET',
    path: `${ofRepository}/RetentionPreview/Summary`,
    tag,
    summary: 'How much would go',
    access,
    query: AtQuery,
    status: ok,
    handle: async (call) => presentSummary(await previewOf(retention, call)),
  }),
  answersList(
    PreviewedObjectSchema,
    { pagedSince: 'v4' },
    {
      method: 'GET',
      path: `${ofRepository}/RetentionPreview/Objects`,
      tag,
      summary: 'What no restore point would hold any more, by mailbox and OneDrive',
      access,
      query: AtQuery,
      status: ok,
      handle: async (call) => {
        const { objects } = await previewOf(retention, call)
        return cut(
          objects.map(({ kind, principalName, ...object }) => ({
            ...object,
            objectType: kind === 'mail' ? ('Mailbox' as const) : ('OneDrive' as const),
            userPrincipalName: principalName,
          })),
          call.window,
        )
      },
    },
  ),
]

const itemOperations = (retention: Retentions): readonly Operation[] => [
  answersList(
    PreviewedItemSchema,
    { pagedSince: 'v4' },
    {
      method: 'GET',
      path: `${ofRepository}/RetentionPreview/Items`,
      tag,
      summary: 'The items that are too old and would leave the restore points that stay',
      access,
      query: ItemsQuery,
      status: ok,
      handle: async ({ principal, params, query, window, signal }) => {
        const { at, userId } = query
        const asked = { ...window, signal, userId, at: at === undefined ? undefined : new Date(at) }
        const page = await retention.previewItems(principal, params['repositoryId'] ?? '', asked)
        const items = page.items.map(({ kind, principalName, ...item }) => ({
          ...item,
          objectType: kind === 'mail' ? ('Mailbox' as const) : ('OneDrive' as const),
          userPrincipalName: principalName,
        }))
        return { ...page, items }
      },
    },
  ),
]

const runOperations = (retention: Retentions): readonly Operation[] => [
  answersObject(RetentionRunSchema, {
    method: 'POST',
    path: `${ofRepository}/RetentionRuns`,
    tag,
    summary: 'Removes now what no rule keeps',
    access,
    body: StartRetention,
    status: { v4: 201 },
    handle: async (call) => {
      const { confirmClock } = call.body
      const run = await retention.start(call.principal, call.params['repositoryId'] ?? '', { confirmClock })
      return presentRetentionRun(run, call)
    },
  }),
  answersList(
    RetentionRunSchema,
    { pagedSince: 'v4' },
    {
      method: 'GET',
      path: '/Holdfast/RetentionRuns',
      tag,
      summary: 'Runs that removed what no rule keeps, newest first',
      access,
      query: RunQuery,
      status: ok,
      handle: async (call) => {
        const { repositoryId } = call.query
        const page = await retention.runs(call.principal, { ...call.window, repositoryId })
        return { ...page, items: page.items.map((run) => presentRetentionRun(run, call)) }
      },
    },
  ),
  answersObject(RetentionRunSchema, {
    method: 'GET',
    path: '/Holdfast/RetentionRuns/{runId}',
    tag,
    summary: 'One of these runs',
    access,
    status: ok,
    handle: async (call) =>
      presentRetentionRun(await retention.run(call.principal, call.params['runId'] ?? ''), call),
  }),
  answersList(
    LogItem,
    { pagedSince: 'v4' },
    {
      method: 'GET',
      path: '/Holdfast/RetentionRuns/{runId}/LogItems',
      tag,
      summary: 'What a run removed, what it could not, and why',
      access,
      status: ok,
      handle: async (call) => {
        const page = await retention.logItems(call.principal, call.params['runId'] ?? '', call.window)
        const items = page.items.map(({ sessionId: _, ...item }) => ({ ...item, title: item.message }))
        return { ...page, items }
      },
    },
  ),
]

const jobRuleOperations = (retention: Retentions): readonly Operation[] => [
  answersObject(JobRetention, {
    method: 'GET',
    path: ofJob,
    tag,
    summary: 'The rule that the points of a job are judged by',
    access,
    status: ok,
    handle: async ({ principal, params }) =>
      presentJobRule(await retention.jobRule(principal, params['jobId'] ?? '')),
  }),
  answersObject(JobRetention, {
    method: 'PUT',
    path: ofJob,
    tag,
    summary: "Gives a job a rule of its own, instead of its repository's",
    access,
    body: JobRetentionBody,
    status: ok,
    handle: async ({ principal, params, body }) =>
      presentJobRule(await retention.setJobRule(principal, params['jobId'] ?? '', ruleIn(body))),
  }),
  answersNothing({
    method: 'DELETE',
    path: ofJob,
    tag,
    summary: "Takes a job's own rule away: its repository's is in force again",
    access,
    status: { v4: 204 },
    handle: async ({ principal, params }) => retention.removeJobRule(principal, params['jobId'] ?? ''),
  }),
]

const graceOperations = (retention: Retentions): readonly Operation[] => {
  const path = `${ofRepository}/PruneGrace`
  return [
    answersObject(PruneGraceSchema, {
      method: 'GET',
      path,
      tag,
      summary: 'How long stored data that nothing needs any more stays before it is removed',
      access,
      status: ok,
      handle: async ({ principal, params }) =>
        presentGrace(await retention.grace(principal, params['repositoryId'] ?? '')),
    }),
    answersObject(PruneGraceSchema, {
      method: 'PUT',
      path,
      tag,
      summary: "Gives a repository a grace period of its own, instead of the server's",
      access,
      body: PruneGraceBody,
      status: ok,
      handle: async ({ principal, params, body }) =>
        presentGrace(await retention.setGrace(principal, params['repositoryId'] ?? '', body.graceHours)),
    }),
    answersNothing({
      method: 'DELETE',
      path,
      tag,
      summary: "Takes a repository's own grace period away: the server's is in force again",
      access,
      status: { v4: 204 },
      handle: async ({ principal, params }) => {
        await retention.setGrace(principal, params['repositoryId'] ?? '', undefined)
      },
    }),
  ]
}

const HOUR_MS = 3_600_000

const presentGrace = ({ repositoryId, graceMs, from }: PruneGrace) => ({
  repositoryId,
  graceHours: graceMs / HOUR_MS,
  source: from === 'repository' ? ('Repository' as const) : ('Server' as const),
})

const presentPoint = ({ point, goes, heldAlone, ruleFrom, rule, jobName, reasons }: PreviewedPoint) => {
  const objects = new Set(point.objectKeys).size
  const staying = goes ? 0 : (heldAlone?.length ?? objects)
  return {
    restorePointId: point.id,
    organizationId: point.organizationId,
    jobId: point.jobId,
    jobName,
    backupTime: point.time,
    action: goes ? ('Remove' as const) : staying < objects ? ('Reduce' as const) : ('Keep' as const),
    rule,
    ruleSource: sourceOf(ruleFrom),
    reasons: reasons.map(({ holdId, ...reason }) => ({ ...reason, legalHoldId: holdId })),
    objects,
    objectsToRemove: objects - staying,
  }
}

const presentSummary = ({
  objects,
  pointsGoing,
  pointsStaying,
  pointsReduced,
  ...preview
}: RetentionPreview) => ({
  repositoryId: preview.repositoryId,
  at: preview.at,
  rule: preview.rule,
  clockDoubt: preview.clockDoubt,
  pointsToRemove: pointsGoing,
  pointsToKeep: pointsStaying,
  pointsToReduce: pointsReduced,
  items: objects.reduce((sum, { items }) => sum + items, 0),
  bytes: objects.reduce((sum, { bytes }) => sum + bytes, 0),
  graceHours: preview.graceMs / HOUR_MS,
})

const presentRetentionRun = (run: RetentionRun, { link }: Pick<Call, 'link'>) => ({
  ...run,
  waitingUntil: run.waitingUntil === undefined ? undefined : new Date(run.waitingUntil),
  _links: {
    self: link(`/holdfast/retentionruns/${run.id}`),
    repository: link(`/backuprepositories/${run.repositoryId}`),
    log: link(`/holdfast/retentionruns/${run.id}/logitems`),
  },
})

const sourceOf = (from: JobRule['from']) => (from === 'job' ? ('Job' as const) : ('Repository' as const))

const UNITS = { Hours: 'hours', Days: 'days', Weeks: 'weeks', Months: 'months', Years: 'years' } as const
const WORDS = { hours: 'Hours', days: 'Days', weeks: 'Weeks', months: 'Months', years: 'Years' } as const

const presentJobRule = ({ jobId, from, rule }: JobRule) => {
  const { forever, last, age, daily, weekly, monthly, yearly } = rule.keep
  return {
    jobId,
    source: sourceOf(from),
    summary: ruleText(rule),
    retentionType: rule.type,
    keepForever: forever,
    keepLast: last,
    keepAge: age && { amount: age.amount, unit: WORDS[age.unit] },
    keepDaily: daily,
    keepWeekly: weekly,
    keepMonthly: monthly,
    keepYearly: yearly,
    timeZone: rule.timeZone,
  }
}

const ruleIn = (body: Static<typeof JobRetentionBody>): RetentionRule => {
  const given: Record<keyof Keep, unknown> = {
    forever: body.keepForever === true ? true : undefined,
    last: body.keepLast,
    age: body.keepAge && { amount: body.keepAge.amount, unit: UNITS[body.keepAge.unit] },
    daily: body.keepDaily,
    weekly: body.keepWeekly,
    monthly: body.keepMonthly,
    yearly: body.keepYearly,
  }
  const keep = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Keep
  const type = body.retentionType ?? 'SnapshotBased'
  return body.timeZone === undefined ? { type, keep } : { type, keep, timeZone: body.timeZone }
}
