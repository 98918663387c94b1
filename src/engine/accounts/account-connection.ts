import { X509Certificate } from 'node:crypto'
import { invalid } from '#base'
import { readDescription, readWord } from '../organizations/read-input.ts'
import type { Given } from '../organizations/organization.ts'
import type { AccountType } from './account.ts'

export const ADDRESSINGS = ['Automatic', 'Path', 'VirtualHost'] as const
export const CHECKSUMS = ['Automatic', 'WhenRequired', 'WhenSupported'] as const
export type AccountAddressing = (typeof ADDRESSINGS)[number]
export type AccountChecksums = (typeof CHECKSUMS)[number]

/** How the service of an account is spoken to, where it is not as usual. */
export interface AccountConnection {
  /** Whether a bucket stands in the path or before the host; by itself VirtualHost at Amazon, Path elsewhere. */
  readonly addressing: AccountAddressing
  /** Whether checksums of the newer kind go with all requests; by itself so at Amazon, elsewhere where S3 wants them. */
  readonly checksums: AccountChecksums
  /** PEM of one or more certificates, trusted beside the well-known authorities and those of the server. */
  readonly certificateAuthority?: string
}

/** What is left out stays; an empty authority takes it away. */
export interface AccountConnectionInput {
  readonly addressing?: Given<string>
  readonly checksums?: Given<string>
  readonly certificateAuthority?: Given<string>
}

export const USUAL_CONNECTION: AccountConnection = { addressing: 'Automatic', checksums: 'Automatic' }

const MOST_CHARACTERS = 65_536
const CERTIFICATES = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g

/** Merges what is given into what is stored. Throws `invalid`. */
export const readConnection = (
  input: AccountConnectionInput,
  stored: AccountConnection,
  type: AccountType,
): AccountConnection => {
  const addressing = readWord(input.addressing, 'addressing', ADDRESSINGS) ?? stored.addressing
  const checksums = readWord(input.checksums, 'checksums', CHECKSUMS) ?? stored.checksums
  const certificateAuthority = readAuthority(input.certificateAuthority, stored.certificateAuthority)
  if (type === 'azureBlobAccount' && (addressing !== 'Automatic' || checksums !== 'Automatic')) {
    const property = addressing === 'Automatic' ? 'checksums' : 'addressing'
    throw invalid(`${property} is for S3 alone`, property)
  }
  return { addressing, checksums, ...(certificateAuthority === undefined ? {} : { certificateAuthority }) }
}

const readAuthority = (given: Given<string>, stored: string | undefined): string | undefined => {
  const property = 'certificateAuthority'
  const text = readDescription(given, property, MOST_CHARACTERS)
  if (text === undefined) return stored
  if (text.trim() === '') return undefined
  const found = text.match(CERTIFICATES) ?? []
  if (found.length === 0 || text.replace(CERTIFICATES, '').trim() !== '')
    throw invalid(`${property} has to be certificates in PEM and nothing else`, property)
  for (const pem of found) {
    try {
      new X509Certificate(pem)
    } catch {
      throw invalid(`${property} holds what is no certificate`, property)
    }
  }
  return `${found.join('\n')}\n`
}
