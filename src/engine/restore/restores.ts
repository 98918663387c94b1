import { isHoldfastError, messageOf, unavailable, type Clock, type Logger } from '#base'
import type { Audit } from '../access/audit.ts'
import type { Principal } from '../access/principal.ts'
import type { Tenant } from '../connectors/connectors.ts'
import type { LocatedObject } from '../explore/point-view.ts'
import type { RestoreSession, RestoreStatistics } from '../explore/restore-session.ts'
import type { RestoreSessions } from '../explore/restore-sessions.ts'
import {
  chosenDriveRows,
  chosenMails,
  savedDriveItem,
  savedMail,
  type Selection,
} from '../explore/saved-items.ts'
import type { Tenants } from '../organizations/tenants.ts'
import { restoreDriveItems, type DriveRestoreOptions } from './restore-drive.ts'
import { restoreMails, type MailRestoreOptions } from './restore-mail.ts'
import {
  addToReport,
  emptyReport,
  resultOf,
  type RestoredItem,
  type RestoreReport,
} from './restore-report.ts'

export interface MailRestoreRequest {
  /** The mailboxes to take from; a selection inside needs exactly one. */
  readonly mailboxIds: readonly string[]
  readonly selection: Selection
  /** Absent: the mailbox it came from, in its old folders. */
  readonly to?: { readonly mailbox: string; readonly folder?: string }
  readonly missing?: boolean
  readonly changed?: boolean
  readonly markUnread?: boolean
  readonly excludeDrafts?: boolean
  readonly excludeDeletedItems?: boolean
}

export interface DriveRestoreRequest {
  readonly driveIds: readonly string[]
  readonly selection: Selection
  /** Absent: the drive it came from, at its old place. `drive`: a user's id or principal name. */
  readonly to?: { readonly drive: string; readonly folder?: string }
  readonly onDifferent?: 'overwrite' | 'keep'
  readonly missing?: boolean
  readonly changed?: boolean
  readonly permissions?: boolean
  readonly versions?: boolean
}

/** A restore under way. `finished` never rejects for items that fail: they are counted. */
export interface RestoreOperation {
  readonly session: RestoreSession
  readonly finished: Promise<RestoreReport>
}

interface RestoreParts {
  readonly sessions: RestoreSessions
  readonly tenants: Pick<Tenants, 'of'>
  readonly audit: Audit
  readonly clock: Clock
  readonly log: Logger
}

type Work = (signal: AbortSignal) => AsyncGenerator<RestoredItem>

const STATUS = { created: 'Success', updated: 'Success', skipped: 'Skipped', failed: 'Failed' } as const
const DONE = {
  created: 'restored',
  updated: 'set back to how it was',
  skipped: 'is there as it was',
  failed: 'could not be restored',
} as const

/** Puts items of an open restore session back into the tenant. Each restore is a session of its own. */
export class Restores implements AsyncDisposable {
  readonly #parts: RestoreParts
  readonly #running = new Map<
    string,
    { readonly stop: AbortController; readonly finished: Promise<RestoreReport> }
  >()

  constructor(parts: RestoreParts) {
    this.#parts = parts
  }

  async mail(
    principal: Principal,
    sessionId: string,
    request: MailRestoreRequest,
  ): Promise<RestoreOperation> {
    const { session, view } = await this.#parts.sessions.view(principal, sessionId)
    const mailboxes = await Promise.all(request.mailboxIds.map((id) => view.open('mail', id)))
    // An id that is not there is an error of the caller, told before anything starts.
    const total = countOf(mailboxes.map((mailbox) => chosenMails(mailbox, request.selection)))
    const tenant = await this.#mailTenant(session)
    const target = request.to === undefined ? undefined : await tenant.user(request.to.mailbox)
    const restoreAll = this.#mailWork({ mailboxes, request, tenant, targetId: target?.id })
    const name = `Restore of mail to ${target?.userPrincipalName ?? 'where it was'}`
    return this.#begin({ principal, session, name, total, work: restoreAll })
  }

  async drive(
    principal: Principal,
    sessionId: string,
    request: DriveRestoreRequest,
  ): Promise<RestoreOperation> {
    const { session, view } = await this.#parts.sessions.view(principal, sessionId)
    const drives = await Promise.all(request.driveIds.map((id) => view.open('onedrive', id)))
    const total = countOf(drives.map((drive) => chosenDriveRows(drive, request.selection)))
    const tenant = await this.#driveTenant(session)
    const target = request.to === undefined ? undefined : await tenant.user(request.to.drive)
    const work = this.#driveWork({ drives, request, tenant, targetId: target?.id, at: session.at })
    const name = `Restore of files to ${target?.userPrincipalName ?? 'where they were'}`
    return this.#begin({ principal, session, name, total, work })
  }

  /** Stops a restore that is under way. What is back stays. */
  async stop(principal: Principal, restoreSessionId: string): Promise<void> {
    await this.#parts.sessions.get(principal, restoreSessionId)
    const running = this.#running.get(restoreSessionId)
    running?.stop.abort()
    await running?.finished.catch(() => {})
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const running = [...this.#running.values()]
    for (const { stop } of running) stop.abort()
    await Promise.allSettled(running.map(({ finished }) => finished))
  }

  async #mailTenant(session: RestoreSession): Promise<Tenant> {
    const { mail } = await this.#parts.tenants.of(session.organizationId)
    if (mail === undefined) throw unavailable('the organization has no connection to Exchange Online')
    return mail
  }

  async #driveTenant(session: RestoreSession): Promise<Tenant> {
    const { onedrive } = await this.#parts.tenants.of(session.organizationId)
    if (onedrive === undefined) throw unavailable('the organization has no connection to SharePoint Online')
    return onedrive
  }

  #mailWork(job: {
    readonly mailboxes: readonly LocatedObject[]
    readonly request: MailRestoreRequest
    readonly tenant: Tenant
    readonly targetId: string | undefined
  }): Work {
    const { mailboxes, request, tenant, targetId } = job
    const options: MailRestoreOptions = {
      place: targetId === undefined ? 'original' : 'other',
      missing: request.missing ?? true,
      changed: request.changed ?? true,
      markUnread: request.markUnread ?? false,
      ...(request.to?.folder === undefined ? {} : { folderPath: request.to.folder }),
    }
    return async function* (signal) {
      for (const mailbox of mailboxes) {
        const folders = mailbox.catalogue.allFolders(mailbox.key, mailbox.version)
        const left = leftOut(folders, request)
        const restore = {
          target: tenant.mailbox(targetId ?? mailbox.userId),
          targetName: request.to?.mailbox ?? mailbox.principalName,
          sourceName: mailbox.principalName,
          folders: new Map(folders.map((folder) => [folder.id, folder])),
          options,
          isSaved: (id: string) => mailbox.catalogue.rowsById(mailbox.key, mailbox.version, [id]).size > 0,
          signal,
        }
        const wanted = chosenMails(mailbox, request.selection)
          .filter((row) => !left.has(row.folderId) && !(request.excludeDrafts === true && row.isDraft))
          .map((row) => savedMail(mailbox, row))
        yield* restoreMails(restore, wanted)
      }
    }
  }

  #driveWork(job: {
    readonly drives: readonly LocatedObject[]
    readonly request: DriveRestoreRequest
    readonly tenant: Tenant
    readonly targetId: string | undefined
    readonly at: Date
  }): Work {
    const { drives, request, tenant, targetId, at } = job
    const options: DriveRestoreOptions = {
      place: targetId === undefined ? 'original' : 'other',
      onDifferent: request.onDifferent ?? 'overwrite',
      missing: request.missing ?? true,
      changed: request.changed ?? true,
      withPermissions: request.permissions ?? targetId === undefined,
      withVersions: request.versions ?? false,
      pointLabel: at.toISOString().slice(0, 16).replace('T', ' ').replace(':', ''),
      ...(request.to?.folder === undefined ? {} : { folderPath: request.to.folder }),
    }
    return async function* (signal) {
      for (const drive of drives) {
        const restore = {
          target: tenant.drive(targetId ?? drive.userId),
          targetName: request.to?.drive ?? drive.principalName,
          sourceName: drive.principalName,
          options,
          signal,
        }
        const wanted = chosenDriveRows(drive, request.selection).map((row) => savedDriveItem(drive, row))
        yield* restoreDriveItems(restore, wanted)
      }
    }
  }

  async #begin(job: {
    readonly principal: Principal
    readonly session: RestoreSession
    readonly name: string
    readonly total: number
    readonly work: Work
  }): Promise<RestoreOperation> {
    const { sessions, audit } = this.#parts
    const { principal, name } = job
    const session = await audit.around(principal, 'restores.begin', job.session.organizationName, () =>
      sessions.beginRestore(principal, job.session, name),
    )
    const stop = new AbortController()
    const finished = this.#run(session, job.total, job.work, stop.signal).finally(() => {
      this.#running.delete(session.id)
    })
    this.#running.set(session.id, { stop, finished })
    // Who watches the session and not the promise must not bring the process down.
    finished.catch(() => {})
    return { session, finished }
  }

  async #run(
    session: RestoreSession,
    total: number,
    work: Work,
    signal: AbortSignal,
  ): Promise<RestoreReport> {
    const { sessions, log, clock } = this.#parts
    let report = emptyReport
    let shownAtMs = 0
    try {
      for await (const item of work(signal)) {
        report = addToReport(report, item)
        await this.#note(session.id, item)
        if (clock.nowMs() - shownAtMs < 500) continue
        shownAtMs = clock.nowMs()
        await sessions.progress(session.id, { total, ...countsOf(report) })
      }
    } catch (error) {
      await sessions.progress(session.id, { total, ...countsOf(report) })
      const details = signal.aborted ? 'stopped' : messageOf(error)
      await sessions.end(session.id, { result: 'Failed', details })
      log.warn(
        { sessionId: session.id, err: isHoldfastError(error) ? error.code : error },
        'restore ended early',
      )
      throw error
    }
    await sessions.progress(session.id, { total, ...countsOf(report) })
    await sessions.end(session.id, { result: RESULTS[resultOf(report)] })
    log.info({ sessionId: session.id, ...countsOf(report) }, 'restore finished')
    return report
  }

  async #note(sessionId: string, item: RestoredItem): Promise<void> {
    const now = this.#parts.clock.now()
    const { name, itemType, outcome, sizeBytes, message, source, target } = item
    const hasProblem = outcome !== 'failed' && message !== undefined
    await this.#parts.sessions.note(sessionId, {
      type: 'Restore',
      status: hasProblem ? 'Warning' : STATUS[outcome],
      title: name,
      message: message === undefined ? DONE[outcome] : `${DONE[outcome]}: ${message}`,
      startTime: now,
      endTime: now,
      itemName: name,
      itemType,
      itemSizeBytes: sizeBytes,
      source,
      target,
    })
  }
}

const RESULTS = { success: 'Success', warning: 'Warning', failed: 'Failed' } as const

const countsOf = ({
  created,
  updated,
  skipped,
  failed,
}: RestoreReport): Omit<RestoreStatistics, 'total'> => ({
  created,
  updated,
  skipped,
  failed,
})

const countOf = (all: readonly Iterable<unknown>[]): number => {
  let count = 0
  for (const items of all) for (const _ of items) count += 1
  return count
}

/** Folders whose messages are not wanted: Deleted Items with all below it, and what was deleted for good. */
const leftOut = (
  folders: readonly { readonly id: string; readonly parentId?: string; readonly wellKnownName?: string }[],
  request: MailRestoreRequest,
): ReadonlySet<string> => {
  const left = new Set<string>()
  if (request.excludeDeletedItems !== true) return left
  const tops = ['deleteditems', 'recoverableitemsdeletions']
  const open = folders.filter(({ wellKnownName }) => tops.includes(wellKnownName ?? '')).map(({ id }) => id)
  for (let id = open.shift(); id !== undefined; id = open.shift()) {
    if (left.has(id)) continue
    left.add(id)
    open.push(...folders.filter(({ parentId }) => parentId === id).map((folder) => folder.id))
  }
  return left
}
