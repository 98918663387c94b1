import type { Retention } from './retention.ts'

/** A file in a storage. */
export interface StoredFile {
  /** Relative, with `/`: `data/3b/3b7a…`. */
  readonly path: string
  readonly sizeBytes: number
  /** From `stat` alone: when it was written, by the clock of the storage. Good for comparing two files of one storage. */
  readonly modifiedAt?: Date
}

/**
 * Where a repository lives. Paths are relative with `/`, without `..`. Every call may be repeated safely.
 * Errors: `not-found` for a missing file, `conflict` for one that is there, `full`, `unavailable`.
 */
export interface Storage extends AsyncDisposable {
  /** For people and logs: never a credential. */
  readonly name: string
  /** Durable when it resolves: all or nothing. Never overwrites: `conflict` when the path exists. */
  write(path: string, parts: readonly Uint8Array[], signal?: AbortSignal): Promise<void>
  /**
   * With `range`, fewer bytes where the file ends earlier. Where they fit into `into`, they may come as a view of it: it is
   * the storage's until the call ends.
   */
  read(
    path: string,
    range?: { readonly offset: number; readonly length: number },
    signal?: AbortSignal,
    into?: Uint8Array<ArrayBuffer>,
  ): Promise<Uint8Array>
  stat(path: string, signal?: AbortSignal): Promise<StoredFile | undefined>
  /** All files below a folder, at any depth, in no order. A folder that does not exist has none. */
  list(folder: string, signal?: AbortSignal): AsyncIterable<StoredFile>
  /** A file that is not there is no error. Before its date, where there is retention: `isLocked`. */
  remove(path: string, signal?: AbortSignal): Promise<void>
  /** Bytes; undefined where the storage has no end or does not tell. */
  space(
    signal?: AbortSignal,
  ): Promise<{ readonly totalBytes: number; readonly freeBytes: number } | undefined>
  /** Where nobody can remove a file before its date. */
  readonly retention?: Retention
}

/** For storages that may not tell it. */
export const modifiedAt = (at: Date | undefined): Pick<StoredFile, 'modifiedAt'> =>
  at === undefined ? {} : { modifiedAt: at }
