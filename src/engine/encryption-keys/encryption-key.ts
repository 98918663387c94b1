import type { Given, SecretInput } from '../organizations/organization.ts'

/** A password that an administrator chose to open repositories with. The password is never answered. */
export interface EncryptionKey {
  readonly id: string
  /** What reminds of the password. */
  readonly description: string
  readonly organizationId?: string
}

export interface EncryptionKeyInput {
  readonly password?: Given<SecretInput>
  readonly description?: Given<string>
  readonly organizationId?: Given<string>
}
