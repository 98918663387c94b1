import { Type } from 'typebox'
import { links } from '../contract/pages.ts'
import { object, oneOf, secret, text, uuid } from '../contract/schema.ts'

const accountType = () => oneOf(['azureBlobAccount', 'amazonS3Account', 'amazonS3CompatibleAccount'])

export const Account = object('Account', {
  id: uuid({ readOnly: true }),
  accountType: accountType(),
  userName: text({ description: 'An access key of S3, or the name of a storage account of Azure.' }),
  description: text(),
  organizationId: uuid({ since: 'v8' }),
  _links: links(),
})

export const AccountBody = object('AccountToSave', {
  accountType: accountType(),
  userName: text({ maxLength: 512 }),
  password: secret({ maxLength: 4096, description: 'The secret key of S3, or an account key of Azure.' }),
  newPassword: secret({ maxLength: 4096, until: 'v8' }),
  oldPassword: secret({ maxLength: 4096, until: 'v8' }),
  description: text({ maxLength: 4096 }),
  organizationId: uuid({ since: 'v8' }),
})

export const AccountQuery = Type.Object({
  name: text({ since: 'v6', description: 'The user name.' }),
  accountType: oneOf(['azureBlobAccount', 'amazonS3Account', 'amazonS3CompatibleAccount'], { since: 'v6' }),
  organizationId: uuid({ since: 'v8' }),
})
