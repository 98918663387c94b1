import type { DriveItem, DrivePermission, MailAttachment, MailItem } from '#items'

// The item file: one self-describing file per item. Format: docs/design/item-file.md.

export type Bytes = Uint8Array | AsyncIterable<Uint8Array>

export interface ItemAttachment {
  readonly attachment: MailAttachment
  /** Undefined for a reference attachment. */
  readonly content: AsyncIterable<Uint8Array> | undefined
}

/** A whole message read back from its item file. Attachments are read in order, each content once. */
export interface MailItemFile {
  readonly item: MailItem
  readonly attachments: AsyncIterable<ItemAttachment>
}
export type { DriveItem, DrivePermission }
