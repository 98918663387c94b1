import type { Json } from '#base'
import type { Repository } from '#repository'
import type { OrganizationTenants } from '../organizations/tenants.ts'
import type { LogItemType } from '../sessions/job-session.ts'

/** Which versions of files are protected: all that the service has, or the latest alone. */
export type FileVersions = 'All' | 'Latest'

/** A person's or a shared mailbox's data, as one job run protects it. One per user, whatever selected it. */
export interface ProtectedObject {
  readonly kind: 'user'
  /** The directory's GUID. */
  readonly id: string
  readonly principalName: string
  readonly displayName: string
  readonly mailbox: boolean
  readonly archiveMailbox: boolean
  readonly oneDrive: boolean
}

/** The shard repositories of one organization in one backup repository. They stay open: do not dispose of them. */
export interface Shards {
  readonly count: number
  /** 0 ≤ index < count. Made when it is not there yet. */
  open(index: number, signal?: AbortSignal): Promise<Repository>
  /** Those that exist, for reading. */
  existing(
    signal?: AbortSignal,
  ): Promise<readonly { readonly index: number; readonly repository: Repository }[]>
}

/** What a run has to remember so that it can go on after a crash. Removed when its session ends. */
export interface Checkpoints {
  load(key: string): Promise<Json | undefined>
  all(): Promise<ReadonlyMap<string, Json>>
  /** Durable when it resolves. */
  save(key: string, value: Json): Promise<void>
  remove(key: string): Promise<void>
}

/** Totals so far, not differences. */
export interface RunTotals {
  readonly objectsDone: number
  readonly objectsTotal: number
  /** Items looked at. */
  readonly processedItems: number
  /** Bytes that came from the service. */
  readonly readBytes: number
  /** Bytes written to the storage. */
  readonly writtenBytes: number
  /** Milliseconds that workers waited for the service and for the storage: what is larger is the bottleneck. */
  readonly sourceWaitMs: number
  readonly targetWaitMs: number
}

/** Where a run tells how it goes. Calls are cheap: totals are written to the database at most once a second. */
export interface RunReport {
  /** A log row that stays open until `finish`. The same `key` again goes on with the same row. */
  start(key: string, message: string): Promise<void>
  finish(key: string, type: Exclude<LogItemType, 'Running'>, message: string): Promise<void>
  /** A row that is finished at once. */
  note(type: Exclude<LogItemType, 'Running'>, message: string): Promise<void>
  totals(totals: RunTotals): void
}

/** One run of one job, everything it needs. */
export interface BackupRun {
  readonly sessionId: string
  readonly jobId: string
  readonly jobName: string
  readonly organization: { readonly id: string; readonly name: string; readonly tenantId: string }
  readonly repositoryId: string
  /** Ignore what earlier runs know and read everything. */
  readonly full: boolean
  /** Keys of objects that are read in full although the run is not: something of theirs is damaged. */
  readonly readInFull?: ReadonlySet<string>
  /** Which versions of a new or changed file are kept. Absent: the latest. */
  readonly fileVersions?: FileVersions
  /** True when this session was cut off and goes on from its checkpoints. */
  readonly isResumed: boolean
  readonly objects: readonly ProtectedObject[]
  readonly tenants: OrganizationTenants
  readonly shards: Shards
  readonly checkpoints: Checkpoints
  readonly report: RunReport
  /** Fires for a stop and for a shutdown. Throw `cancelled` (or the signal's reason) then. */
  readonly signal: AbortSignal
}

export interface BackupOutcome {
  readonly totals: RunTotals
  readonly succeeded: number
  /** Protected, but with items lost or parts skipped. */
  readonly warnings: number
  readonly failed: number
  /** For a person; shown as the session's details. */
  readonly details?: string
}

/** A failing object never throws: it is counted. What is thrown fails (or stops) the whole run. */
export type RunBackup = (run: BackupRun) => Promise<BackupOutcome>
