import type { PersonRemoval, PersonRemovals } from '#engine'
import { answersList, answersObject, type Call, type Operation } from '../contract/operation.ts'
import { administrator } from '../edge/policies.ts'
import { fromWireId } from '../organizations/directory-ids.ts'
import { LogItem } from '../sessions/job-session.schema.ts'
import { PersonRemovalBody, PersonRemovalSchema } from './retention.schema.ts'

const tag = 'Holdfast'
const access = administrator
const ok = { v4: 200 }
const path = '/Holdfast/Organizations/{organizationId}/PersonRemovals'

/** One person's data taken out of all repositories for good. Holdfast's own, at every version. */
export const personRemovalOperations = (removals: PersonRemovals): readonly Operation[] => [
  answersList(
    PersonRemovalSchema,
    { pagedSince: 'v4' },
    {
      method: 'GET',
      path,
      tag,
      summary: 'The record of removals, newest first',
      access,
      status: ok,
      handle: async (call) => {
        const page = await removals.list(call.principal, organizationIn(call), call.window)
        return { ...page, items: page.items.map((removal) => presentRemoval(removal, call)) }
      },
    },
  ),
  answersObject(PersonRemovalSchema, {
    method: 'POST',
    path,
    tag,
    summary: "Removes a person's data from every restore point for good; `confirmation` repeats `userId`",
    access,
    body: PersonRemovalBody,
    status: { v4: 201 },
    handle: async (call) => {
      const { userId, confirmation } = call.body
      const input = { ...call.body, userId: fromWireId(userId), confirmation: fromWireId(confirmation) }
      return presentRemoval(await removals.request(call.principal, organizationIn(call), input), call)
    },
  }),
  answersObject(PersonRemovalSchema, {
    method: 'GET',
    path: `${path}/{removalId}`,
    tag,
    summary: 'One removal',
    access,
    status: ok,
    handle: async (call) =>
      presentRemoval(await removals.get(call.principal, organizationIn(call), removalIn(call)), call),
  }),
  answersList(
    LogItem,
    { pagedSince: 'v4' },
    {
      method: 'GET',
      path: `${path}/{removalId}/LogItems`,
      tag,
      summary: 'What a removal could not do, and why',
      access,
      status: ok,
      handle: async (call) => {
        const { principal, window } = call
        const page = await removals.logItems(principal, organizationIn(call), removalIn(call), window)
        const items = page.items.map(({ sessionId: _, ...item }) => ({ ...item, title: item.message }))
        return { ...page, items }
      },
    },
  ),
]

const organizationIn = ({ params }: Pick<Call, 'params'>): string => params['organizationId'] ?? ''
const removalIn = ({ params }: Pick<Call, 'params'>): string => params['removalId'] ?? ''

const presentRemoval = (removal: PersonRemoval, { link }: Pick<Call, 'link'>) => ({
  ...removal,
  jobs: [...removal.jobs],
  _links: {
    self: link(`/holdfast/organizations/${removal.organizationId}/personremovals/${removal.id}`),
    organization: link(`/organizations/${removal.organizationId}`),
  },
})
