import { Type } from 'typebox'
import { links } from '../contract/pages.ts'
import { object, secret, text, uuid } from '../contract/schema.ts'

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
