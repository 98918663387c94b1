import type { JsonObject } from '#base'

/** A folder of a mailbox. */
export interface MailFolder {
  readonly id: string
  /** Absent for a folder directly below the mailbox's root. */
  readonly parentId?: string
  readonly name: string
  /** `inbox`, `sentitems`, `drafts`, `deleteditems`, `junkemail`, `archive`, `recoverableitemsdeletions` … where it is one. */
  readonly wellKnownName?: string
  readonly isHidden: boolean
  readonly itemCount: number
}

export interface MailAddress {
  readonly name?: string
  readonly address?: string
}

/** A message without the bytes of its attachments. */
export interface MailItem {
  /** Immutable: survives moves inside the mailbox. */
  readonly id: string
  readonly changeKey: string
  readonly folderId: string
  readonly subject: string
  readonly from?: MailAddress
  readonly to: readonly MailAddress[]
  readonly cc: readonly MailAddress[]
  readonly bcc: readonly MailAddress[]
  readonly receivedAt?: Date
  readonly sentAt?: Date
  readonly modifiedAt?: Date
  readonly isRead: boolean
  readonly isDraft: boolean
  readonly isFlagged: boolean
  readonly importance: 'low' | 'normal' | 'high'
  readonly categories: readonly string[]
  readonly internetMessageId?: string
  /** True when `attachments` has to be asked for: inline ones count too. */
  readonly hasAttachments: boolean
  readonly body: { readonly type: 'text' | 'html'; readonly content: string }
  /** Transport headers in their original order; empty for a message that never travelled. */
  readonly headers: readonly { readonly name: string; readonly value: string }[]
  /** The resource as the service gave it, kept whole for restoring. */
  readonly graph: JsonObject
}

/** What is known of an attachment before its bytes are read. */
export interface MailAttachment {
  readonly id: string
  readonly kind: 'file' | 'item' | 'reference'
  readonly name: string
  readonly contentType: string
  /** Bytes as the service counts them; the content may differ. */
  readonly sizeBytes: number
  readonly isInline: boolean
  readonly contentId?: string
  readonly modifiedAt?: Date
  /** The resource as the service gave it, without `contentBytes`. An item attachment keeps its nested `item` here. */
  readonly graph: JsonObject
}
