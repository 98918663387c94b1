import type { JsonObject } from '#base'

export interface DriveInfo {
  readonly id: string
  readonly name: string
  /** `business` for OneDrive, `documentLibrary` for a library of a site. */
  readonly driveType: string
  readonly webUrl?: string
  readonly usedBytes?: number
}

/** A file or folder of a drive at its latest state. */
export interface DriveItem {
  readonly id: string
  /** Absent for the root alone. */
  readonly parentId?: string
  readonly name: string
  /** `package` is a OneNote notebook: a folder with children; `shortcut` points into another drive and is not followed. */
  readonly kind: 'root' | 'folder' | 'file' | 'package' | 'shortcut'
  readonly sizeBytes: number
  readonly createdAt?: Date
  readonly modifiedAt?: Date
  readonly eTag?: string
  readonly cTag?: string
  /** Base64, 20 bytes. Some items have none. */
  readonly quickXorHash?: string
  readonly mimeType?: string
  /** The service found malware and refuses the content. */
  readonly isMalware: boolean
  /** True when permissions of its own have to be asked for. */
  readonly isShared: boolean
  readonly graph: JsonObject
}

export interface DriveItemVersion {
  readonly id: string
  readonly sizeBytes: number
  readonly modifiedAt?: Date
  readonly isCurrent: boolean
  readonly graph: JsonObject
}

/** One entry of an item's permissions, as the service gave it. */
export interface DrivePermission {
  readonly id: string
  readonly roles: readonly string[]
  readonly isInherited: boolean
  readonly isLink: boolean
  readonly isOwner: boolean
  readonly graph: JsonObject
}
