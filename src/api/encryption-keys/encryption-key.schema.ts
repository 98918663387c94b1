import { Type } from 'typebox'
import { links } from '../contract/pages.ts'
import { count, listOf, needed, object, secret, text, uuid } from '../contract/schema.ts'

export const EncryptionKey = object('EncryptionKey', {
  id: uuid({ readOnly: true }),
  description: text({ description: 'What reminds of the password.' }),
  organizationId: uuid({ since: 'v8' }),
  _links: links(),
})

export const EncryptionKeyBody = object('EncryptionKeyToSave', {
  password: secret({ maxLength: 4096 }),
  newPassword: secret({ maxLength: 4096, since: 'v6' }),
  oldPassword: secret({ maxLength: 4096, since: 'v6' }),
  description: text({ maxLength: 4096 }),
  organizationId: uuid({ since: 'v8' }),
})

export const EncryptionKeyQuery = Type.Object({
  description: text({ since: 'v6' }),
  organizationId: uuid({ since: 'v8' }),
})

export const NewPasswordBody = object('HoldfastNewEncryptionKeyPassword', {
  newPassword: needed(secret({ maxLength: 4096 })),
  oldPassword: secret({ maxLength: 4096, description: 'Compared with the one that is kept, where given.' }),
})

export const RenewedKey = object('HoldfastRenewedEncryptionKey', {
  id: uuid(),
  repositories: listOf(
    object('HoldfastRenewedRepository', {
      id: uuid(),
      name: text(),
      shards: count(),
      shardsWithEarlierPassword: count({
        description: 'Where the earlier password could not be removed yet: it is tried again.',
      }),
      reason: text({
        description: 'Why it does not have the new password yet: it gets it when it is opened.',
      }),
    }),
  ),
  _links: links(),
})
