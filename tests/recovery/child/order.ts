/** Where a process dies by its own hand: at a call of its storage, counted from 1. `half` leaves an unfinished file. */
export interface DeathAtCall {
  readonly call: 'any' | 'write' | 'remove'
  readonly number: number
  readonly moment: 'before' | 'half' | 'after'
}

/** What work is done on: repositories of so many shards, their save points, and a copy of them. */
export interface Ground {
  readonly folder: string
  readonly shards: number
  readonly seed: number
}

export interface BackupOrder {
  readonly kind: 'backup'
  /** Rounds of changes that the source has seen; each is backed up by a session of its own. */
  readonly round: number
  readonly sessionId: string
  /** From 0; later ones go on from where the first one was killed. */
  readonly attempt: number
  readonly full: boolean
}

export interface RetentionOrder {
  readonly kind: 'retention'
  /** Points, as `shard time`. */
  readonly forget: readonly string[]
  readonly graceMs: number
}

export interface RemovalOrder {
  readonly kind: 'removal'
  readonly runId: string
  readonly user: string
}

export interface CopyOrder {
  readonly kind: 'copy'
}

export interface RepairOrder {
  readonly kind: 'repair'
}

export type Task = BackupOrder | RetentionOrder | RemovalOrder | CopyOrder | RepairOrder
export type Order = Ground & {
  readonly task: Task
  readonly death?: DeathAtCall | undefined
  /** If nothing ended it before, it dies when all is done, before anybody is told. */
  readonly isDoomed: boolean
}

export const PASSWORD = 'for tests'
export const COPY_PASSWORD = 'for copies'

export const shardFolder = (ground: Pick<Ground, 'folder'>, shard: number): string =>
  `${ground.folder}/repository/s${shard}`
export const copyFolder = (ground: Pick<Ground, 'folder'>, shard: number): string =>
  `${ground.folder}/copy/s${shard}`
