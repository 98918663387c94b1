import type { AttachedRepository, BackupRepositories } from '#engine'
import { answersObject, type Call, type Operation } from '../contract/operation.ts'
import { administrator } from '../edge/policies.ts'
import { objectStorageInputOf } from '../object-storage/present-object-storage.ts'
import {
  AttachedRepository as AttachedRepositorySchema,
  AttachOrganizationsBody,
  AttachRepositoryBody,
  RepositoryOwner,
  RotatedPasswords,
} from './backup-repository.schema.ts'

const tag = 'Holdfast'
const access = administrator

/** Repositories that another server made, whose they are, and what opens them. Holdfast's own, at every version. */
export const attachOperations = (repositories: BackupRepositories): readonly Operation[] => [
  answersObject(AttachedRepositorySchema, {
    method: 'POST',
    path: '/Holdfast/BackupRepositories/Attach',
    tag,
    summary: 'Takes up a repository that another server made, with passwords of its recovery kit',
    access,
    body: AttachRepositoryBody,
    status: { v4: 201 },
    handle: async (call) => {
      const { objectStorage, ...input } = call.body
      const place = objectStorage && { objectStorage: objectStorageInputOf(objectStorage) }
      return present(await repositories.attach(call.principal, { ...input, ...place }, call.signal), call)
    },
  }),
  answersObject(AttachedRepositorySchema, {
    method: 'POST',
    path: '/Holdfast/BackupRepositories/{repositoryId}/Attach',
    tag,
    summary: 'Takes up further organizations of an attached repository',
    access,
    body: AttachOrganizationsBody,
    status: { v4: 200 },
    handle: async (call) => {
      const id = call.params['repositoryId'] ?? ''
      return present(await repositories.attachOrganizations(call.principal, id, call.body, call.signal), call)
    },
  }),
  answersObject(RepositoryOwner, {
    method: 'GET',
    path: '/Holdfast/BackupRepositories/{repositoryId}/Owner',
    tag,
    summary: 'Which server a repository belongs to',
    access,
    status: { v4: 200 },
    handle: async (call) =>
      repositories.owner(call.principal, call.params['repositoryId'] ?? '', call.signal),
  }),
  answersObject(RepositoryOwner, {
    method: 'POST',
    path: '/Holdfast/BackupRepositories/{repositoryId}/TakeOver',
    tag,
    summary: 'Makes this server the owner; the one before writes nothing more there',
    access,
    status: { v4: 200 },
    handle: async (call) =>
      repositories.takeOver(call.principal, call.params['repositoryId'] ?? '', call.signal),
  }),
  answersObject(RotatedPasswords, {
    method: 'POST',
    path: '/Holdfast/BackupRepositories/{repositoryId}/RotatePasswords',
    tag,
    summary: 'Gives the data of every organization a new password; the recovery kit has to be made anew',
    access,
    status: { v4: 200 },
    handle: async (call) => {
      const id = call.params['repositoryId'] ?? ''
      const rotated = await repositories.rotatePasswords(call.principal, id, call.signal)
      return {
        id: rotated.repositoryId,
        name: rotated.repositoryName,
        organizations: rotated.organizations,
        isRecoveryKitOutOfDate: rotated.organizations.length > 0,
        _links: { repository: call.link(`/backuprepositories/${rotated.repositoryId}`) },
      }
    },
  }),
]

const present = ({ repository, organizations }: AttachedRepository, { link }: Pick<Call, 'link'>) => ({
  id: repository.id,
  name: repository.name,
  organizations,
  _links: { repository: link(`/backuprepositories/${repository.id}`) },
})
