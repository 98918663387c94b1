import type { Secret } from '#base'
import type { AccountConnection } from './account-connection.ts'
import type { Given, SecretInput } from '../organizations/organization.ts'

export type AccountType = 'azureBlobAccount' | 'amazonS3Account' | 'amazonS3CompatibleAccount'
export const ACCOUNT_TYPES: readonly AccountType[] = [
  'azureBlobAccount',
  'amazonS3Account',
  'amazonS3CompatibleAccount',
]

/** Credentials of object storage. The secret is never answered. */
export interface Account {
  readonly id: string
  readonly accountType: AccountType
  /** An access key of S3, or the name of a storage account of Azure. */
  readonly userName: string
  readonly description: string
  readonly organizationId?: string
}

/** For adding (type, name and password needed) and changing (what is left out stays). */
export interface AccountInput {
  readonly accountType?: Given<string>
  readonly userName?: Given<string>
  /** The secret key of S3, or an account key of Azure. */
  readonly password?: Given<SecretInput>
  /** What v4 to v7 call a password that replaces another. */
  readonly newPassword?: Given<SecretInput>
  readonly description?: Given<string>
  readonly organizationId?: Given<string>
}

/** What a connection to object storage is made with. */
export interface AccountCredentials {
  readonly type: AccountType
  readonly userName: string
  readonly secret: Secret
  readonly connection?: AccountConnection
}
