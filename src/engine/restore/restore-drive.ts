import { isHoldfastError, messageOf } from '#base'
import type { DriveItem, DrivePermission } from '#items'
import type { DriveTarget } from '../connectors/connectors.ts'
import type { RestoredItem } from './restore-report.ts'

/** A file or folder of a restore point, not yet read. */
export interface SavedDriveItem {
  readonly item: DriveItem
  /** Names from the drive's root down to the parent folder, with the id that each had. */
  readonly parents: readonly { readonly id: string; readonly name: string }[]
  /** Its own ones only, inherited and owner entries left out. */
  readonly permissions: readonly DrivePermission[]
  content(signal?: AbortSignal): AsyncIterable<Uint8Array>
  /** Older versions, oldest first; empty where the file had none; undefined where they were not protected. */
  readonly versions:
    | readonly {
        readonly sizeBytes: number
        readonly modifiedAt?: Date
        content(signal?: AbortSignal): AsyncIterable<Uint8Array>
      }[]
    | undefined
}

export interface DriveRestoreOptions {
  readonly place: 'original' | 'other'
  /** With `other`: a path of folder names below the drive's root. */
  readonly folderPath?: string
  /** A file that is there and differs: put the saved one in its place as a new version, or beside it. */
  readonly onDifferent: 'overwrite' | 'keep'
  readonly missing: boolean
  readonly changed: boolean
  readonly withPermissions: boolean
  readonly withVersions: boolean
  /** Written into the name of a file that is put beside another: the restore point's date. */
  readonly pointLabel: string
}

export interface DriveRestore {
  readonly target: DriveTarget
  readonly targetName: string
  readonly sourceName: string
  readonly options: DriveRestoreOptions
  readonly signal?: AbortSignal
}

type Outcome = { readonly outcome: 'created' | 'updated' | 'skipped'; readonly live?: DriveItem }

const sameFile = (saved: DriveItem, live: DriveItem): boolean => {
  if (saved.quickXorHash !== undefined && live.quickXorHash !== undefined)
    return saved.quickXorHash === live.quickXorHash && saved.sizeBytes === live.sizeBytes
  return saved.sizeBytes === live.sizeBytes && saved.modifiedAt?.getTime() === live.modifiedAt?.getTime()
}

/** `Plan.docx` → `Plan (2026-11-24 0930).docx`. */
export const besideName = (name: string, label: string): string => {
  const dot = name.lastIndexOf('.')
  return dot <= 0 ? `${name} (${label})` : `${name.slice(0, dot)} (${label})${name.slice(dot)}`
}

/** Files uploaded at the same time. */
const AT_ONCE = 4

/**
 * Puts files back, a few at a time, each after the folder that holds it, and tells of them in the order given. Repeating a
 * restore changes nothing: what is there with the same content is left alone. A file that was renamed or moved since is
 * restored at its old place.
 */
export async function* restoreDriveItems(
  restore: DriveRestore,
  items: AsyncIterable<SavedDriveItem> | Iterable<SavedDriveItem>,
): AsyncGenerator<RestoredItem> {
  const folders = new TargetPaths(restore)
  const running: Promise<RestoredItem>[] = []
  for await (const saved of items) {
    restore.signal?.throwIfAborted()
    const next = restoreOne(restore, folders, saved)
    next.catch(() => {}) // Its error is thrown where it is awaited.
    running.push(next)
    // A folder is there before what it holds is begun.
    const isFolder = saved.item.kind !== 'file'
    while (running.length > 0 && (isFolder || running.length >= AT_ONCE)) yield await running.shift()!
  }
  for (const last of running) yield await last
}

async function restoreOne(
  restore: DriveRestore,
  folders: TargetPaths,
  saved: SavedDriveItem,
): Promise<RestoredItem> {
  const isFolder = saved.item.kind !== 'file'
  const row = {
    name: saved.item.name,
    itemType: isFolder ? ('folder' as const) : ('document' as const),
    sizeBytes: saved.item.sizeBytes,
    source: restore.sourceName,
    target: restore.targetName,
  }
  try {
    const { outcome, live } = await (isFolder
      ? bringFolderBack(folders, saved)
      : bringFileBack(restore, folders, saved))
    const problems =
      live !== undefined && restore.options.withPermissions
        ? await grantAgain(restore, live, saved.permissions)
        : []
    if (!isFolder && outcome !== 'skipped' && restore.options.withVersions && saved.versions === undefined)
      problems.push('older versions were not protected at this restore point: it has the last one')
    return problems.length === 0 ? { ...row, outcome } : { ...row, outcome, message: problems.join('; ') }
  } catch (error) {
    if (restore.signal?.aborted === true || isHoldfastError(error, 'cancelled')) throw error
    return { ...row, outcome: 'failed', message: messageOf(error) }
  }
}

async function bringFolderBack(folders: TargetPaths, saved: SavedDriveItem): Promise<Outcome> {
  const parentId = await folders.parentOf(saved)
  const there = await folders.child(parentId, saved.item.name)
  if (there !== undefined) return { outcome: 'skipped', live: there }
  return { outcome: 'created', live: await folders.make(parentId, saved.item.name) }
}

async function bringFileBack(
  restore: DriveRestore,
  folders: TargetPaths,
  saved: SavedDriveItem,
): Promise<Outcome> {
  const { target, options, signal } = restore
  const parentId = await folders.parentOf(saved)
  const there = await target.child(parentId, saved.item.name, signal)
  if (there === undefined) {
    if (!options.missing) return { outcome: 'skipped' }
    return { outcome: 'created', live: await upload(restore, saved, parentId, saved.item.name) }
  }
  if (there.kind === 'file' && sameFile(saved.item, there)) return { outcome: 'skipped', live: there }
  if (!options.changed) return { outcome: 'skipped', live: there }
  if (options.onDifferent === 'overwrite' && there.kind === 'file')
    return { outcome: 'updated', live: await upload(restore, saved, parentId, saved.item.name) }
  return putBeside(restore, saved, parentId)
}

async function putBeside(restore: DriveRestore, saved: SavedDriveItem, parentId: string): Promise<Outcome> {
  const name = besideName(saved.item.name, restore.options.pointLabel)
  const earlier = await restore.target.child(parentId, name, restore.signal)
  if (earlier !== undefined && sameFile(saved.item, earlier)) return { outcome: 'skipped', live: earlier }
  return { outcome: 'created', live: await upload(restore, saved, parentId, name) }
}

async function upload(
  restore: DriveRestore,
  saved: SavedDriveItem,
  parentId: string,
  name: string,
): Promise<DriveItem> {
  const { target, options, signal } = restore
  const dates = (modifiedAt: Date | undefined): { createdAt?: Date; modifiedAt?: Date } => ({
    ...(saved.item.createdAt === undefined ? {} : { createdAt: saved.item.createdAt }),
    ...(modifiedAt === undefined ? {} : { modifiedAt }),
  })
  const put = { parentId, name, onConflict: 'replace' as const }
  if (options.withVersions) {
    for (const version of saved.versions ?? []) {
      const older = { ...put, sizeBytes: version.sizeBytes, ...dates(version.modifiedAt) }
      await target.upload(older, version.content(signal), signal)
    }
  }
  const current = { ...put, sizeBytes: saved.item.sizeBytes, ...dates(saved.item.modifiedAt) }
  return target.upload(current, saved.content(signal), signal)
}

const grantKey = (permission: DrivePermission): string => {
  const { link, grantedToV2, grantedToIdentitiesV2 } = permission.graph
  const person = JSON.stringify(grantedToV2 ?? grantedToIdentitiesV2 ?? null)
  const { type, scope } = (link ?? {}) as { type?: string; scope?: string }
  return JSON.stringify([[...permission.roles].sort(), permission.isLink ? [type, scope] : person])
}

/** Grants what is not granted yet; returns a sentence for each that could not be. */
async function grantAgain(
  restore: DriveRestore,
  live: DriveItem,
  wanted: readonly DrivePermission[],
): Promise<string[]> {
  if (wanted.length === 0) return []
  const there = await restore.target.permissions(live.id, restore.signal)
  const has = new Set(there.map(grantKey))
  const problems: string[] = []
  for (const permission of wanted.filter((p) => !has.has(grantKey(p)))) {
    try {
      await restore.target.grant(live.id, permission, restore.signal)
    } catch (error) {
      problems.push(`a permission could not be given back: ${messageOf(error)}`)
    }
  }
  return problems
}

/** Finds and makes the folders of the target drive, each once. */
class TargetPaths {
  readonly #restore: DriveRestore
  /** Several files may want one folder at the same time: it is made once. */
  readonly #known = new Map<string, Promise<DriveItem>>()

  constructor(restore: DriveRestore) {
    this.#restore = restore
  }

  async parentOf(saved: SavedDriveItem): Promise<string> {
    const { folderPath } = this.#restore.options
    const below = folderPath?.split(/[\\/]/).filter((name) => name !== '') ?? []
    const names = [...below, ...saved.parents.map((parent) => parent.name)]
    let { id } = await this.#once('', () => this.#restore.target.root(this.#restore.signal))
    for (const name of names) id = (await this.make(id, name)).id
    return id
  }

  async child(parentId: string, name: string): Promise<DriveItem | undefined> {
    return (
      (await this.#known.get(`${parentId}/${name}`)) ??
      (await this.#restore.target.child(parentId, name, this.#restore.signal))
    )
  }

  make(parentId: string, name: string): Promise<DriveItem> {
    const { target, signal } = this.#restore
    return this.#once(`${parentId}/${name}`, () => target.createFolder(parentId, name, signal))
  }

  /** A failure is forgotten, so that the next one tries again. */
  #once(key: string, make: () => Promise<DriveItem>): Promise<DriveItem> {
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const made = make().catch((error: unknown) => {
      this.#known.delete(key)
      throw error
    })
    this.#known.set(key, made)
    return made
  }
}
