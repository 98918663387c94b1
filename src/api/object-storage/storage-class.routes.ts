import type { ObjectStorages } from '#engine'
import { answersObject, type Call, type Operation } from '../contract/operation.ts'
import { object, text } from '../contract/schema.ts'
import { administrator } from '../edge/policies.ts'

const fields = {
  storageClass: text({
    maxLength: 64,
    description:
      'A class of S3, or Hot, Cool or Cold of Azure; empty for what the bucket or account has of itself.',
  }),
}
const StorageClass = object('HoldfastStorageClass', fields)
const StorageClassBody = object('HoldfastStorageClassToSave', fields)

const path = '/Holdfast/BackupRepositories/{repositoryId}/StorageClass'
const tag = 'Holdfast'
const access = administrator
const status = { v4: 200 }

/** Which class new packs of a repository are written in. Holdfast's own, at every version. */
export const storageClassOperations = (storages: ObjectStorages): readonly Operation[] => [
  answersObject(StorageClass, {
    method: 'GET',
    path,
    tag,
    summary: 'The storage class of new packs of a repository in object storage',
    access,
    status,
    handle: async (call) => ({ storageClass: await storages.storageClass(call.principal, idIn(call)) }),
  }),
  answersObject(StorageClass, {
    method: 'PUT',
    path,
    tag,
    summary:
      'Chooses another class for new packs, after one file was written in it; what is stored stays as it is',
    access,
    body: StorageClassBody,
    status,
    handle: async (call) => ({
      storageClass: await storages.setStorageClass(call.principal, idIn(call), call.body.storageClass ?? ''),
    }),
  }),
]

const idIn = ({ params }: Pick<Call, 'params'>): string => params['repositoryId'] ?? ''
