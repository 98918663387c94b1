import type { LegalHold, LegalHolds } from '#engine'
import { answersList, answersObject, type Call, type Operation } from '../contract/operation.ts'
import { administrator } from '../edge/policies.ts'
import { fromWireId } from '../organizations/directory-ids.ts'
import { LegalHoldBody, LegalHoldQuery, LegalHoldSchema, ReleaseBody } from './retention.schema.ts'

const tag = 'Holdfast'
const access = administrator
const ok = { v4: 200 }

/** Whose data no rule and no request removes. Holdfast's own, at every version. */
export const legalHoldOperations = (holds: LegalHolds): readonly Operation[] => [
  answersList(
    LegalHoldSchema,
    { pagedSince: 'v4' },
    {
      method: 'GET',
      path: '/Holdfast/LegalHolds',
      tag,
      summary: 'Legal holds, newest first',
      access,
      query: LegalHoldQuery,
      status: ok,
      handle: async (call) => {
        const { organizationId, isActive } = call.query
        const { items, totalCount } = await holds.list(call.principal, {
          ...call.window,
          ...(organizationId === undefined ? {} : { organizationId }),
          ...(isActive === undefined ? {} : { isActive }),
        })
        return { items: items.map((hold) => presentHold(hold, call)), totalCount }
      },
    },
  ),
  answersObject(LegalHoldSchema, {
    method: 'POST',
    path: '/Holdfast/LegalHolds',
    tag,
    summary: 'Sets a legal hold on a mailbox, a OneDrive or all of a user',
    access,
    body: LegalHoldBody,
    status: { v4: 201 },
    handle: async (call) => {
      const input = { ...call.body, userId: fromWireId(call.body.userId) }
      return presentHold(await holds.set(call.principal, input), call)
    },
  }),
  answersObject(LegalHoldSchema, {
    method: 'GET',
    path: '/Holdfast/LegalHolds/{holdId}',
    tag,
    summary: 'One legal hold',
    access,
    status: ok,
    handle: async (call) => presentHold(await holds.get(call.principal, call.params['holdId'] ?? ''), call),
  }),
  answersObject(LegalHoldSchema, {
    method: 'POST',
    path: '/Holdfast/LegalHolds/{holdId}/Release',
    tag,
    summary: 'Releases a legal hold; it stays in the list',
    access,
    body: ReleaseBody,
    status: ok,
    handle: async (call) =>
      presentHold(await holds.release(call.principal, call.params['holdId'] ?? '', call.body), call),
  }),
]

const presentHold = (hold: LegalHold, { link }: Pick<Call, 'link'>) => ({
  ...hold,
  _links: {
    self: link(`/holdfast/legalholds/${hold.id}`),
    organization: link(`/organizations/${hold.organizationId}`),
  },
})
