import type { CloudAccount, RecoveryOptions, RecoveryReport, Storage } from '#storage'
import type { AccountCredentials } from '../accounts/account.ts'
import type { Immutability } from './object-storage.ts'
import type { CloudPlace, CloudService } from './place.ts'

/** How written files are kept from being removed. */
export interface KeptFor extends Immutability {
  readonly days: number
}

/** Makes connections to object storage. What it makes is closed by whoever asked for it. */
export interface CloudOpener {
  account(service: CloudService, credentials: AccountCredentials): CloudAccount
  /** The folder of a place. With `keptFor`, what is written into it cannot be removed for so long. */
  storage(place: CloudPlace, credentials: AccountCredentials, keptFor?: KeptFor): Storage
  /** Throws `invalid` with the reason where files of the place cannot be kept from being removed. */
  checkCanKeep(
    place: CloudPlace,
    credentials: AccountCredentials,
    keptFor: KeptFor,
    signal?: AbortSignal,
  ): Promise<void>
  /** Brings the folder of a place that keeps versions back to a moment. Throws `invalid` where versions cannot be told. */
  recover(
    place: CloudPlace,
    credentials: AccountCredentials,
    moment: Date,
    options: RecoveryOptions & { readonly keptFor?: KeptFor },
  ): Promise<RecoveryReport>
}
