import type { DamagedItemRow, Trust, TrustRequest, TrustRun, TrustRunKind, TrustState } from '#engine'
import {
  answersList,
  answersNothing,
  answersObject,
  type Call,
  type Operation,
} from '../contract/operation.ts'
import { administrator } from '../edge/policies.ts'
import {
  DamagedItemSchema,
  DamagedQuery,
  FindingSchema,
  RestoreTestQuery,
  StartRecovery,
  StartRepair,
  StartRestoreTest,
  StartVerification,
  TestedObjectSchema,
  TrustRunSchema,
  TrustSettingsBody,
  TrustStateSchema,
} from './trust.schema.ts'

const tag = 'Holdfast'
const access = administrator
const ok = { v4: 200 }
const ofRepository = '/Holdfast/BackupRepositories/{repositoryId}'

/** Verifications, repairs, restore tests and recoveries. Holdfast's own, at every version. */
export const trustOperations = (trust: Trust): readonly Operation[] => [
  ...stateOperations(trust),
  ...startOperations(trust),
  ...kindOperations(trust, 'Verification', 'Verifications'),
  ...kindOperations(trust, 'Repair', 'Repairs'),
  ...kindOperations(trust, 'Recovery', 'Recoveries'),
  ...restoreTestOperations(trust),
]

const stateOperations = (trust: Trust): readonly Operation[] => [
  answersObject(TrustStateSchema, {
    method: 'GET',
    path: `${ofRepository}/Trust`,
    tag,
    summary: 'When a repository was verified last, what is damaged, and what is done by itself',
    access,
    status: ok,
    handle: async (call) => presentState(await trust.state(call.principal, idIn(call)), call),
  }),
  answersObject(TrustStateSchema, {
    method: 'PUT',
    path: `${ofRepository}/Trust`,
    tag,
    summary: 'Sets what is done by itself',
    access,
    body: TrustSettingsBody,
    status: ok,
    handle: async (call) =>
      presentState(await trust.setSettings(call.principal, idIn(call), call.body), call),
  }),
  answersList(
    DamagedItemSchema,
    { pagedSince: 'v4' },
    {
      method: 'GET',
      path: `${ofRepository}/DamagedItems`,
      tag,
      summary: 'Items that cannot be read in full, those found last first',
      access,
      query: DamagedQuery,
      status: ok,
      handle: async (call) => {
        const { all = false } = call.query
        const page = await trust.damagedItems(call.principal, idIn(call), { ...call.window, all })
        return { ...page, items: page.items.map(presentDamaged) }
      },
    },
  ),
]

const startOperations = (trust: Trust): readonly Operation[] => {
  const started = async (call: StartCall, kind: TrustRunKind, request: TrustRequest) =>
    presentRun(await trust.start(call.principal, kind, idIn(call), request), call)
  const common = { method: 'POST', tag, access, status: { v4: 201 } } as const
  return [
    answersObject(TrustRunSchema, {
      ...common,
      path: `${ofRepository}/Verifications`,
      summary: 'Looks now whether everything is there and readable',
      body: StartVerification,
      handle: async (call) => started(call, 'Verification', { data: DATA[call.body.data ?? 'Share'] }),
    }),
    answersObject(TrustRunSchema, {
      ...common,
      path: `${ofRepository}/Repairs`,
      summary: 'Brings back what is lost or damaged, or tells what it would do',
      body: StartRepair,
      handle: async (call) => {
        const { dryRun = true, data = 'None', leaveOutLost = false } = call.body
        return started(call, 'Repair', { dryRun, data: DATA[data], leaveOutLost })
      },
    }),
    answersObject(TrustRunSchema, {
      ...common,
      path: `${ofRepository}/Recoveries`,
      summary:
        'Brings a repository in a bucket that keeps versions back to a moment, or tells what it would do',
      body: StartRecovery,
      handle: async (call) => {
        const { to, preview = true } = call.body
        return started(call, 'Recovery', { to: new Date(to).toISOString(), dryRun: preview })
      },
    }),
  ]
}

type StartCall = Pick<Call, 'principal' | 'params' | 'link'>

const DATA = { None: 'none', Share: 'share', All: 'all' } as const

const kindOperations = (trust: Trust, kind: TrustRunKind, plural: string): readonly Operation[] => [
  answersList(
    TrustRunSchema,
    { pagedSince: 'v4' },
    {
      method: 'GET',
      path: `${ofRepository}/${plural}`,
      tag,
      summary: `${plural} of a repository, newest first`,
      access,
      status: ok,
      handle: async (call) => {
        const page = await trust.runs(call.principal, { ...call.window, kind, repositoryId: idIn(call) })
        return { ...page, items: page.items.map((run) => presentRun(run, call)) }
      },
    },
  ),
  ...oneOperations(trust, kind, plural),
  answersList(
    FindingSchema,
    { pagedSince: 'v4' },
    {
      method: 'GET',
      path: `/Holdfast/${plural}/{runId}/Findings`,
      tag,
      summary: 'What it found, line by line',
      access,
      status: ok,
      handle: async (call) => {
        const { id } = await trust.run(call.principal, call.params['runId'] ?? '', kind)
        const page = await trust.lines(call.principal, id, call.window)
        return { ...page, items: page.items as readonly Record<string, never>[] }
      },
    },
  ),
]

/** One run, and its stop. */
const oneOperations = (trust: Trust, kind: TrustRunKind, plural: string): readonly Operation[] => [
  answersObject(TrustRunSchema, {
    method: 'GET',
    path: `/Holdfast/${plural}/{runId}`,
    tag,
    summary: 'One of these runs',
    access,
    status: ok,
    handle: async (call) =>
      presentRun(await trust.run(call.principal, call.params['runId'] ?? '', kind), call),
  }),
  answersNothing({
    method: 'POST',
    path: `/Holdfast/${plural}/{runId}/Stop`,
    tag,
    summary: 'Stops it',
    access,
    status: { v4: 204 },
    handle: async (call) => {
      const { id } = await trust.run(call.principal, call.params['runId'] ?? '', kind)
      await trust.stop(call.principal, id)
    },
  }),
]

const restoreTestOperations = (trust: Trust): readonly Operation[] => [
  answersObject(TrustRunSchema, {
    method: 'POST',
    path: '/Holdfast/RestoreTests',
    tag,
    summary: 'Reads samples back now, and compares them with the tenant',
    access,
    body: StartRestoreTest,
    status: { v4: 201 },
    handle: async (call) => {
      const { repositoryId, seed, itemsPerObject } = call.body
      const request = {
        ...(seed === undefined ? {} : { seed }),
        ...(itemsPerObject === undefined ? {} : { itemsPerObject }),
      }
      return presentRun(await trust.start(call.principal, 'RestoreTest', repositoryId, request), call)
    },
  }),
  answersList(
    TrustRunSchema,
    { pagedSince: 'v4' },
    {
      method: 'GET',
      path: '/Holdfast/RestoreTests',
      tag,
      summary: 'Restore tests, newest first',
      access,
      query: RestoreTestQuery,
      status: ok,
      handle: async (call) => {
        const { repositoryId } = call.query
        const place = repositoryId === undefined ? {} : { repositoryId }
        const page = await trust.runs(call.principal, { ...call.window, kind: 'RestoreTest', ...place })
        return { ...page, items: page.items.map((run) => presentRun(run, call)) }
      },
    },
  ),
  ...oneOperations(trust, 'RestoreTest', 'RestoreTests'),
  answersList(
    TestedObjectSchema,
    { pagedSince: 'v4' },
    {
      method: 'GET',
      path: '/Holdfast/RestoreTests/{runId}/Objects',
      tag,
      summary: 'What the test of each mailbox and OneDrive says',
      access,
      status: ok,
      handle: async (call) => {
        const { id } = await trust.run(call.principal, call.params['runId'] ?? '', 'RestoreTest')
        const page = await trust.lines(call.principal, id, call.window)
        return { ...page, items: page.items.map(presentTested) }
      },
    },
  ),
]

const idIn = ({ params }: Pick<Call, 'params'>): string => params['repositoryId'] ?? ''

const PLURALS: Readonly<Record<TrustRunKind, string>> = {
  Verification: 'verifications',
  Repair: 'repairs',
  RestoreTest: 'restoretests',
  Recovery: 'recoveries',
}
const CHOICES = { none: 'None', share: 'Share', all: 'All' } as const

const presentRun = (
  { request, uncovered, restored, setAside, ...run }: TrustRun,
  { link }: Pick<Call, 'link'>,
) => {
  const self = `/holdfast/${PLURALS[run.kind]}/${run.id}`
  return {
    ...run,
    data: request.data && CHOICES[request.data],
    dryRun: request.dryRun,
    to: request.to === undefined ? undefined : new Date(request.to),
    seed: request.seed,
    uncoveredFiles: uncovered,
    restoredFiles: restored,
    setAsideFiles: setAside,
    _links: {
      self: link(self),
      repository: link(`/backuprepositories/${run.repositoryId}`),
      ...(run.kind === 'RestoreTest'
        ? { objects: link(`${self}/objects`) }
        : { findings: link(`${self}/findings`) }),
    },
  }
}

const presentState = (
  { lastVerifiedAt, nextVerification, nextRestoreTest, lastRestoreTest, ...state }: TrustState,
  call: Pick<Call, 'link'>,
) => ({
  ...state,
  lastVerifiedTime: lastVerifiedAt,
  nextVerificationTime: nextVerification,
  nextRestoreTestTime: nextRestoreTest,
  lastRestoreTest: lastRestoreTest && presentRun(lastRestoreTest, call),
})

const presentDamaged = (row: DamagedItemRow) => ({
  id: row.id,
  organizationId: row.organizationId,
  kind: row.kind,
  name: row.name,
  path: row.path,
  problem: row.problem,
  restorePoints: row.points,
  foundTime: row.foundAt,
  status: row.status,
  endTime: row.endedAt,
})

interface TestedLine {
  readonly remarks: readonly { readonly item: string; readonly outcome: string; readonly why: string }[]
  readonly backupTime: string
}

const presentTested = (line: object) => {
  const { remarks, backupTime, ...rest } = line as TestedLine
  return {
    ...rest,
    backupTime: new Date(backupTime),
    remarks: remarks.map(({ outcome, ...remark }) => ({
      ...remark,
      outcome: outcome === 'differs' ? ('Differs' as const) : ('NotComparable' as const),
    })),
  }
}
