import type { ObjectStorages } from '#engine'
import {
  answersList,
  answersNothing,
  answersObject,
  cut,
  type Call,
  type Operation,
} from '../contract/operation.ts'
import { administrator } from '../edge/policies.ts'
import { ObjectStorage, ObjectStorageBody, ObjectStorageQuery } from './object-storage.schema.ts'
import { objectStorageInputOf, presentObjectStorage } from './present-object-storage.ts'

const tag = 'ObjectStorageRepository'
const access = administrator
const path = '/ObjectStorageRepositories/{repositoryId}'
/** From v8 on a repository says its object storage itself. */
const until = 'v8'

/** Places for repositories in buckets and containers. */
export const objectStorageOperations = (storages: ObjectStorages): readonly Operation[] => [
  answersList(
    ObjectStorage,
    { pagedSince: 'never' },
    {
      method: 'GET',
      path: '/ObjectStorageRepositories',
      tag,
      summary: 'All object storage, by name',
      access,
      until,
      query: ObjectStorageQuery,
      status: { v4: 200 },
      handle: async (call) => {
        // Archives are long-term storage, and there are none.
        const found = call.query.longTerm === true ? [] : await storages.list(call.principal)
        return cut(
          found.map((each) => presentObjectStorage(each, call)),
          call.window,
        )
      },
    },
  ),
  answersObject(ObjectStorage, {
    method: 'POST',
    path: '/ObjectStorageRepositories',
    tag,
    summary: 'Adds object storage that is there and that the account reaches',
    access,
    until,
    body: ObjectStorageBody,
    status: { v4: 201, v6: 200 },
    handle: async (call) =>
      presentObjectStorage(await storages.add(call.principal, objectStorageInputOf(call.body)), call),
  }),
  answersObject(ObjectStorage, {
    method: 'GET',
    path,
    tag,
    summary: 'One object storage',
    access,
    until,
    status: { v4: 200 },
    handle: async (call) => presentObjectStorage(await storages.get(call.principal, idIn(call)), call),
  }),
  answersNothing({
    method: 'PUT',
    path,
    tag,
    summary: 'Changes object storage; what is left out stays, and its folder cannot change',
    access,
    until,
    body: ObjectStorageBody,
    status: { v4: 200 },
    handle: async (call) => {
      await storages.update(call.principal, idIn(call), objectStorageInputOf(call.body))
    },
  }),
  answersNothing({
    method: 'DELETE',
    path,
    tag,
    summary: 'Removes object storage that no repository uses; what is in it stays',
    access,
    until,
    status: { v4: 200, v5: 204 },
    handle: async (call) => storages.remove(call.principal, idIn(call)),
  }),
]

const idIn = ({ params }: Pick<Call, 'params'>): string => params['repositoryId'] ?? ''
