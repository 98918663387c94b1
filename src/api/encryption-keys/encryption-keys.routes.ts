import { Secret } from '#base'
import type { BackupRepositories, EncryptionKey, EncryptionKeyInput, EncryptionKeys } from '#engine'
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
import {
  EncryptionKey as EncryptionKeySchema,
  EncryptionKeyBody,
  EncryptionKeyQuery,
  NewPasswordBody,
  RenewedKey,
} from './encryption-key.schema.ts'

const tag = 'EncryptionKey'
const access = administrator
const path = '/EncryptionKeys/{keyId}'

/** Passwords that administrators chose for repositories. */
export const encryptionKeyOperations = (
  keys: EncryptionKeys,
  repositories: Pick<BackupRepositories, 'renewEncryptionKey'>,
): readonly Operation[] => [
  answersList(
    EncryptionKeySchema,
    { pagedSince: 'never' },
    {
      method: 'GET',
      path: '/EncryptionKeys',
      tag,
      summary: 'All encryption keys, without their passwords',
      access,
      query: EncryptionKeyQuery,
      status: { v4: 200 },
      handle: async (call) => {
        const found = await keys.list(call.principal, call.query)
        return cut(
          found.map((each) => presentKey(each, call)),
          call.window,
        )
      },
    },
  ),
  answersObject(EncryptionKeySchema, {
    method: 'POST',
    path: '/EncryptionKeys',
    tag,
    summary: 'Adds an encryption key; its password is kept and never answered',
    access,
    body: EncryptionKeyBody,
    status: { v4: 201, v6: 200, v8: 201 },
    handle: async (call) => presentKey(await keys.add(call.principal, inputOf(call.body)), call),
  }),
  answersObject(EncryptionKeySchema, {
    method: 'GET',
    path,
    tag,
    summary: 'One encryption key, without its password',
    access,
    status: { v4: 200 },
    handle: async (call) => presentKey(await keys.get(call.principal, idIn(call)), call),
  }),
  answersNothing({
    method: 'DELETE',
    path,
    tag,
    summary: 'Removes an encryption key that no repository uses',
    access,
    status: { v4: 200, v5: 204 },
    handle: async (call) => keys.remove(call.principal, idIn(call)),
  }),
  answersObject(RenewedKey, {
    method: 'POST',
    path: '/Holdfast/EncryptionKeys/{keyId}/ChangePassword',
    tag: 'Holdfast',
    summary: 'Gives an encryption key another password, in every repository that uses it',
    access,
    body: NewPasswordBody,
    status: { v4: 200 },
    handle: async (call) => {
      const { newPassword, oldPassword } = call.body
      const old = oldPassword === undefined ? {} : { oldPassword: new Secret(oldPassword) }
      const input = { password: new Secret(newPassword), ...old }
      const { id } = await keys.changePassword(call.principal, idIn(call), input)
      const renewed = await repositories.renewEncryptionKey(call.principal, id)
      return {
        id,
        repositories: renewed.map(({ repositoryId, ...rest }) => ({ id: repositoryId, ...rest })),
        _links: { self: call.link(`/encryptionkeys/${id}`) },
      }
    },
  }),
]

const idIn = ({ params }: Pick<Call, 'params'>): string => params['keyId'] ?? ''

const presentKey = (key: EncryptionKey, { link }: Pick<Call, 'link'>) => ({
  ...key,
  _links: {
    self: link(`/encryptionkeys/${key.id}`),
    ...(key.organizationId === undefined
      ? {}
      : { organization: link(`/organizations/${key.organizationId}`) }),
  },
})

const inputOf = ({
  password,
  newPassword,
  oldPassword: _,
  ...rest
}: Static<typeof EncryptionKeyBody>): EncryptionKeyInput => {
  const given = password ?? newPassword
  return { ...rest, ...(given === undefined ? {} : { password: new Secret(given) }) }
}
