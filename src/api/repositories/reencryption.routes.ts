import type { Reencryption, ReencryptedOrganization, Reencryptions } from '#engine'
import {
  answersList,
  answersNothing,
  answersObject,
  type Call,
  type Operation,
} from '../contract/operation.ts'
import { administrator } from '../edge/policies.ts'
import { ReencryptionSchema, StartReencryption } from './reencryption.schema.ts'

const tag = 'Holdfast'
const access = administrator
const ofRepository = '/Holdfast/BackupRepositories/{repositoryId}'

/** New master keys for all that a repository holds. Holdfast's own, at every version. */
export const reencryptionOperations = (reencryptions: Reencryptions): readonly Operation[] => [
  answersObject(ReencryptionSchema, {
    method: 'POST',
    path: `${ofRepository}/Reencrypt`,
    tag,
    summary:
      'Writes all data again under a new master key, puts that into force, and removes the earlier data',
    access,
    body: StartReencryption,
    status: { v4: 201 },
    handle: async (call) => {
      const { fresh = false } = call.body
      const id = call.params['repositoryId'] ?? ''
      return present(await reencryptions.start(call.principal, id, { fresh }), call)
    },
  }),
  answersList(
    ReencryptionSchema,
    { pagedSince: 'v4' },
    {
      method: 'GET',
      path: `${ofRepository}/Reencryptions`,
      tag,
      summary: 'New master keys of a repository, newest first',
      access,
      status: { v4: 200 },
      handle: async (call) => {
        const id = call.params['repositoryId'] ?? ''
        const page = await reencryptions.runs(call.principal, id, call.window)
        return { ...page, items: page.items.map((run) => present(run, call)) }
      },
    },
  ),
  answersObject(ReencryptionSchema, {
    method: 'GET',
    path: '/Holdfast/Reencryptions/{runId}',
    tag,
    summary: 'How far it is',
    access,
    status: { v4: 200 },
    handle: async (call) =>
      present(await reencryptions.run(call.principal, call.params['runId'] ?? ''), call),
  }),
  answersNothing({
    method: 'POST',
    path: '/Holdfast/Reencryptions/{runId}/Stop',
    tag,
    summary: 'Stops it; what it has written serves the next one',
    access,
    status: { v4: 204 },
    handle: async (call) => reencryptions.stop(call.principal, call.params['runId'] ?? ''),
  }),
]

const present = ({ organizations, ...run }: Reencryption, { link }: Pick<Call, 'link'>) => ({
  ...run,
  organizations: organizations.map(presentOrganization),
  _links: {
    self: link(`/holdfast/reencryptions/${run.id}`),
    repository: link(`/backuprepositories/${run.repositoryId}`),
  },
})

const presentOrganization = ({ snapshots, formerKeptUntil, ...rest }: ReencryptedOrganization) => ({
  ...rest,
  restorePoints: snapshots,
  ...(formerKeptUntil === undefined ? {} : { formerKeptUntilTime: new Date(formerKeptUntil) }),
})
