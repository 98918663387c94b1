import { notBuilt } from '#base'
import type {
  BackedUpOrganization,
  BackupRepositories,
  BackupRepository,
  BackupRepositoryInput,
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
import { administrator, administratorOrOwner } from '../edge/policies.ts'
import { objectStorageInputOf, presentObjectStorage } from '../object-storage/present-object-storage.ts'
import {
  BackedUpOrganization as BackedUpOrganizationSchema,
  BackupRepository as BackupRepositorySchema,
  BackupRepositoryBody,
  RepositoryQuery,
} from './backup-repository.schema.ts'

const tag = 'BackupRepository'
const ok = { v4: 200 }

/** Where backups are kept. */
export const backupRepositoryOperations = (repositories: BackupRepositories): readonly Operation[] => [
  answersList(
    BackupRepositorySchema,
    { pagedSince: 'v8' },
    {
      method: 'GET',
      path: '/BackupRepositories',
      tag,
      summary: 'All backup repositories, by name',
      access: administratorOrOwner,
      query: RepositoryQuery,
      status: ok,
      handle: async (call) => listRepositories(repositories, call, call.query),
    },
  ),
  answersObject(BackupRepositorySchema, {
    method: 'POST',
    path: '/BackupRepositories',
    tag,
    summary: 'Adds a backup repository in a folder or in object storage',
    access: administrator,
    body: BackupRepositoryBody,
    status: { v4: 201, v6: 200, v8: 201 },
    handle: async (call) =>
      presentRepository(await repositories.add(call.principal, inputOf(call.body)), call),
  }),
  answersObject(BackupRepositorySchema, {
    method: 'GET',
    path: '/BackupRepositories/{repositoryId}',
    tag,
    summary: 'One backup repository',
    access: administratorOrOwner,
    status: ok,
    handle: async (call) =>
      presentRepository(await repositories.get(call.principal, idIn(call.params)), call),
  }),
  answersNothing({
    method: 'PUT',
    path: '/BackupRepositories/{repositoryId}',
    tag,
    summary: 'Changes a backup repository; what is left out stays',
    access: administrator,
    body: BackupRepositoryBody,
    status: { v4: 200, v8: 204 },
    handle: async (call) => {
      await repositories.update(call.principal, idIn(call.params), inputOf(call.body))
    },
  }),
  answersNothing({
    method: 'DELETE',
    path: '/BackupRepositories/{repositoryId}',
    tag,
    summary: 'Removes a backup repository from the server; its data stays',
    access: administrator,
    status: { v4: 200, v5: 204 },
    handle: async (call) => repositories.remove(call.principal, idIn(call.params)),
  }),
  answersList(
    BackedUpOrganizationSchema,
    { pagedSince: 'v4' },
    {
      method: 'GET',
      path: '/BackupRepositories/{repositoryId}/backedUpOrganizations',
      tag,
      summary: 'The organizations that have data in the repository',
      access: administratorOrOwner,
      status: ok,
      handle: async (call) => {
        const found = await repositories.backedUpOrganizations(call.principal, idIn(call.params))
        return cut(
          found.map((each) => presentBackedUp(each, call)),
          call.window,
        )
      },
    },
  ),
]

const idIn = (params: Readonly<Record<string, string>>): string => params['repositoryId'] ?? ''

const listRepositories = async (
  repositories: BackupRepositories,
  call: Pick<Call, 'principal' | 'window' | 'link'>,
  query: Static<typeof RepositoryQuery>,
) => {
  const page = await repositories.list(call.principal, { limit: 1_000_000 })
  const fitting = page.items
    .filter(({ proxyId }) => query.proxyId === undefined || proxyId === query.proxyId)
    .filter(() => query.longTerm !== true)
    .filter(
      ({ organizationId }) => query.organizationId === undefined || organizationId === query.organizationId,
    )
  return cut(
    fitting.map((repository) => presentRepository(repository, call)),
    call.window,
  )
}

export const presentRepository = (repository: BackupRepository, call: Pick<Call, 'link'>) => {
  const { link } = call
  const { objectStorage, encryptionKeyId, organizationId, ...rest } = repository
  return {
    ...rest,
    encryptionKeyId,
    organizationId,
    objectStorageEncryptionEnabled: encryptionKeyId !== undefined,
    isLongTerm: false,
    isOutOfSync: false,
    isOutdated: false,
    ...(objectStorage === undefined
      ? {}
      : { objectStorageId: objectStorage.id, objectStorage: presentObjectStorage(objectStorage, call) }),
    _links: {
      self: link(`/backuprepositories/${repository.id}`),
      proxy: link(`/proxies/${repository.proxyId}`),
      backedUpOrganizations: link(`/backuprepositories/${repository.id}/backeduporganizations`),
    },
  }
}

const presentBackedUp = (organization: BackedUpOrganization, { link }: Pick<Call, 'link'>) => ({
  id: organization.organizationId,
  name: organization.name,
  usedSpaceBytes: organization.usedSpaceBytes,
  localCacheUsedSpaceBytes: 0,
  objectStorageUsedSpaceBytes: organization.isInObjectStorage ? organization.usedSpaceBytes : 0,
  _links: { organization: link(`/organizations/${organization.organizationId}`) },
})

const inputOf = (body: Static<typeof BackupRepositoryBody>): BackupRepositoryInput => {
  const { attachUsedRepository, objectStorage, ...input } = body
  if (attachUsedRepository === true)
    throw notBuilt(
      'a used repository is attached with its passwords: POST /Holdfast/BackupRepositories/Attach',
    )
  return {
    ...input,
    ...(objectStorage === undefined ? {} : { objectStorage: objectStorageInputOf(objectStorage) }),
  }
}
