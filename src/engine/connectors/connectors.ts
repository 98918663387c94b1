import type { Secret } from '#base'
import type {
  DirectoryGroup,
  DirectoryOrganization,
  DirectoryUser,
  DriveInfo,
  DriveItem,
  DriveItemVersion,
  DrivePermission,
  MailAttachment,
  MailFolder,
  MailItem,
} from '#items'

// What the engine needs of Microsoft 365, in the engine's words. `m365` satisfies it by its shape alone and
// `server` joins the two; neither layer imports the other.

export type Region = 'Worldwide' | 'USgovCommunity' | 'USgovDefence' | 'Germany' | 'China'

/** How to sign in as an application. Exactly one of `secret` and `certificate`. */
export interface ApplicationCredentials {
  readonly applicationId: string
  readonly secret?: Secret
  readonly certificate?: { readonly pfxBase64: Secret; readonly password?: Secret }
}

export interface TenantConnection {
  readonly region: Region
  /** Tenant GUID or any of its domains, such as `contoso.onmicrosoft.com`. */
  readonly tenant: string
  readonly application: ApplicationCredentials
}

export interface Connectors {
  /** Cheap: nothing is asked of the service before the first call. */
  connect(connection: TenantConnection): Tenant
  /** Tries an account with its (app) password where the service still answers; says so when it has been retired. */
  verifyAccount(account: LegacyAccount): Promise<AccountVerification>
  /**
   * Reads a PFX: is it one, does the password fit, does it hold a key and a certificate, is it in date?
   * Throws `invalid` (property left open) with a message for a person.
   */
  inspectCertificate(pfxBase64: Secret, password: Secret | undefined): Promise<CertificateFacts>
}

export interface CertificateFacts {
  readonly thumbprint: string
  readonly subject: string
  readonly notBefore: Date
  readonly notAfter: Date
  readonly keyType: 'RSA' | 'ECDSA'
}

export interface LegacyAccount {
  readonly region: Region
  readonly account: string
  readonly password: Secret
}

export type AccountVerification =
  | { readonly outcome: 'accepted' }
  | { readonly outcome: 'refused'; readonly reason: string }
  /** Microsoft no longer answers basic authentication for this tenant. Not a fault of the account. */
  | { readonly outcome: 'retired'; readonly reason: string }

export type Workload = 'directory' | 'mail' | 'onedrive'

export interface PermissionFinding {
  readonly workload: Workload
  /** `backup` cannot be done without it; `restore` can wait. */
  readonly neededFor: 'backup' | 'restore'
  /** Any one of these application permissions is enough. */
  readonly anyOf: readonly string[]
  readonly isGranted: boolean
}

export interface TenantVerification {
  readonly organization: DirectoryOrganization
  readonly permissions: readonly PermissionFinding[]
}

/** One tenant seen as one application. Calls are limited and repeated inside; what is thrown here is final. */
export interface Tenant extends AsyncDisposable {
  /**
   * Signs in, reads the organization and compares the permissions in the token with what is needed.
   * Throws `invalid` for credentials that the service refuses (reason = AADSTS code), `unavailable` when it does not answer.
   */
  verify(workloads: readonly Workload[], signal?: AbortSignal): Promise<TenantVerification>
  users(signal?: AbortSignal): AsyncIterable<DirectoryUser>
  user(idOrPrincipalName: string, signal?: AbortSignal): Promise<DirectoryUser>
  groups(signal?: AbortSignal): AsyncIterable<DirectoryGroup>
  group(id: string, signal?: AbortSignal): Promise<DirectoryGroup>
  /** Users only, nested groups resolved. */
  groupMembers(groupId: string, signal?: AbortSignal): AsyncIterable<DirectoryUser>
  mailbox(userId: string): Mailbox
  drive(userId: string): Drive
  /** What the limiter has seen so far, for progress and reports. */
  traffic(): Traffic
}

export interface Traffic {
  readonly requests: number
  readonly throttled: number
  readonly retried: number
  readonly waitedMs: number
  readonly receivedBytes: number
  readonly sentBytes: number
}

/**
 * Why an object as a whole cannot be protected now although nothing is broken: no licence, no mailbox, drive not
 * provisioned, locked. Sources throw HoldfastError('not-found' | 'denied' | 'conflict') with `reason` set to one of these.
 */
export type SkipReason = 'no-mailbox' | 'no-drive' | 'not-licensed' | 'locked'
export const SKIP_REASONS: readonly SkipReason[] = ['no-mailbox', 'no-drive', 'not-licensed', 'locked']

/** `HoldfastError.reason` of a delta token that the service no longer knows: start again without a token. */
export const RESYNC = 'resync'

export interface MailPage {
  readonly items: readonly MailItem[]
  /** Ids that left the folder: deleted, or moved to another folder where they show up as items. */
  readonly removed: readonly string[]
  /** Goes on after this page. Good once this page is kept. */
  readonly token: string
  /** False for the last page: `token` is then where the next run starts. */
  readonly hasMore: boolean
}

export interface AttachmentContent {
  readonly attachment: MailAttachment
  /** The raw bytes; a nested item as its MIME text. Undefined for a reference. May be read once. */
  readonly content: AsyncIterable<Uint8Array> | undefined
  /** The exact length of `content`, where it is known beforehand: a large attachment is then restored without being held in memory. */
  readonly contentLength?: number
}

export interface MailboxSource {
  /** The whole folder tree, hidden ones and Recoverable Items included. */
  folders(signal?: AbortSignal): Promise<readonly MailFolder[]>
  /** Pages of a folder's changes since `token`, or everything. Throws reason RESYNC for a token that has lapsed. */
  changes(folderId: string, token?: string, signal?: AbortSignal): AsyncIterable<MailPage>
  /** What a message has attached, without the bytes: one small call. In the service's order. */
  listAttachments(item: MailItem, signal?: AbortSignal): Promise<readonly MailAttachment[]>
  /** In the service's order. */
  attachments(item: MailItem, signal?: AbortSignal): AsyncIterable<AttachmentContent>
}

/** A message to put into a mailbox. */
export interface MailDraft {
  readonly item: MailItem
  readonly attachments: AsyncIterable<AttachmentContent>
}

export interface MailboxTarget {
  folders(signal?: AbortSignal): Promise<readonly MailFolder[]>
  /** Returns the one that is there when the name is taken. `parentId` absent: below the mailbox's root. */
  createFolder(name: string, parentId?: string, signal?: AbortSignal): Promise<MailFolder>
  /** The message as it is now, or undefined when it is gone. */
  message(id: string, signal?: AbortSignal): Promise<MailItem | undefined>
  /** Messages of a folder with this Internet message id. */
  messagesByInternetId(
    folderId: string,
    internetMessageId: string,
    signal?: AbortSignal,
  ): Promise<readonly MailItem[]>
  /** Not a draft, with its dates, flags, categories and attachments. Half-made messages are removed when it fails. */
  createMessage(folderId: string, draft: MailDraft, signal?: AbortSignal): Promise<MailItem>
  /** Brings what can change on a message that is there (read state, flag, categories, importance, subject, body) back to `item`. */
  updateMessage(id: string, item: MailItem, signal?: AbortSignal): Promise<void>
  moveMessage(id: string, folderId: string, signal?: AbortSignal): Promise<MailItem>
  deleteMessage(id: string, signal?: AbortSignal): Promise<void>
}

export type Mailbox = MailboxSource & MailboxTarget

export interface DrivePage {
  /** Latest state; an item may come again on a later page, the last one wins. Parents before children in a full round. */
  readonly items: readonly DriveItem[]
  readonly removed: readonly string[]
  readonly token: string
  readonly hasMore: boolean
}

export interface DriveSource {
  info(signal?: AbortSignal): Promise<DriveInfo>
  /** Throws reason RESYNC for a token that has lapsed. */
  changes(token?: string, signal?: AbortSignal): AsyncIterable<DrivePage>
  /**
   * The bytes, checked against size and quickXorHash where the service gives one (a mismatch is thrown after the last
   * byte). Resumes by range after a cut connection.
   */
  content(item: DriveItem, signal?: AbortSignal): AsyncIterable<Uint8Array>
  versions(itemId: string, signal?: AbortSignal): Promise<readonly DriveItemVersion[]>
  versionContent(itemId: string, versionId: string, signal?: AbortSignal): AsyncIterable<Uint8Array>
  permissions(itemId: string, signal?: AbortSignal): Promise<readonly DrivePermission[]>
}

export type NameConflict = 'fail' | 'replace' | 'rename'

export interface DriveUpload {
  readonly parentId: string
  readonly name: string
  readonly sizeBytes: number
  readonly createdAt?: Date
  readonly modifiedAt?: Date
  readonly onConflict: NameConflict
}

export interface DriveTarget {
  info(signal?: AbortSignal): Promise<DriveInfo>
  root(signal?: AbortSignal): Promise<DriveItem>
  item(id: string, signal?: AbortSignal): Promise<DriveItem | undefined>
  child(parentId: string, name: string, signal?: AbortSignal): Promise<DriveItem | undefined>
  /** Returns the folder that is there when the name is taken by a folder; `conflict` when it is taken by a file. */
  createFolder(parentId: string, name: string, signal?: AbortSignal): Promise<DriveItem>
  /** Uploads, verifies size and hash, and sets the file's dates. Throws `conflict` with onConflict fail. */
  upload(upload: DriveUpload, content: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<DriveItem>
  setDates(
    itemId: string,
    dates: { createdAt?: Date; modifiedAt?: Date },
    signal?: AbortSignal,
  ): Promise<void>
  permissions(itemId: string, signal?: AbortSignal): Promise<readonly DrivePermission[]>
  /** Grants again what `permission` granted: an invitation without a message, or a link of the same kind. */
  grant(itemId: string, permission: DrivePermission, signal?: AbortSignal): Promise<void>
}

export type Drive = DriveSource & DriveTarget
