import { notFound, type Logger } from '#base'
import type { BlobId, RepositoryReader, Snapshot, SnapshotId } from '#repository'
import type { CacheDatabase } from './cache-file.ts'
import {
  OBJECTS_FOLDER,
  readObjectState,
  readRunRecord,
  type ObjectIdentity,
  type ObjectRunStatus,
  type RunRecord,
} from './object-state.ts'
import type { Moment, ObjectAtPoint, RestorePoint } from './restore-point.ts'
import { Statements } from './statements.ts'
import { unlessDamaged } from './unless-damaged.ts'

interface PointRow {
  readonly no: number
  readonly snapshot: SnapshotId
  readonly time: number
  readonly tree: BlobId
  readonly job: string
  readonly session: string
  readonly mail: number
  readonly onedrive: number
}

interface ObjectRow {
  readonly key: string
  readonly version: number
  readonly identity: string
  readonly snapshot: SnapshotId
  readonly time: number
  readonly status: ObjectAtPoint['status']
  readonly reason: string | null
}

interface FoundObject {
  readonly object: number
  readonly stateTree: BlobId
  readonly status: ObjectRunStatus
  /** The number of its state where that is known. */
  readonly identity: ObjectIdentity | number
}

/** Where the newest state of an object is. */
export interface NewestState {
  readonly snapshot: SnapshotId
  readonly tree: BlobId
  readonly version: number
  readonly stateTree: BlobId
}

const OBJECTS = `
  SELECT o.key, p.version, s.identity, n.snapshot, p.time, p.status, p.reason FROM objects o
    JOIN point_objects p ON p.object = o.no
    JOIN points n ON n.no = p.point
    JOIN states s ON s.object = p.object AND s.version = p.version`

/** The restore points that the cache knows, and which state each object had at them. */
export class KnownPoints {
  readonly #database: CacheDatabase
  readonly #statements: Statements
  readonly #reader: RepositoryReader
  readonly #log: Logger
  #syncing: Promise<void> | undefined

  constructor(database: CacheDatabase, reader: RepositoryReader, log: Logger) {
    this.#database = database
    this.#statements = new Statements(database)
    this.#reader = reader
    this.#log = log
  }

  /** See Catalogue. */
  sync(signal?: AbortSignal): Promise<void> {
    this.#syncing ??= this.#sync(signal).finally(() => {
      this.#syncing = undefined
    })
    return this.#syncing
  }

  async #sync(signal: AbortSignal | undefined): Promise<void> {
    const snapshots = (await this.#reader.snapshots(signal)).filter(({ tags }) => tags.includes('holdfast'))
    const there = new Set<string>(snapshots.map(({ id }) => id))
    for (const { no, snapshot } of this.#statements.all<PointRow>('SELECT no, snapshot FROM points', {}))
      if (there.has(snapshot)) there.delete(snapshot)
      else this.#forget(no)
    const unknown = snapshots.filter(({ id }) => there.has(id))
    unknown.sort((a, b) => a.time.getTime() - b.time.getTime() || (a.id < b.id ? -1 : 1))
    for (const snapshot of unknown) await this.#read(snapshot, signal)
  }

  #forget(no: number): void {
    this.#database.transaction(() => {
      this.#statements.run('DELETE FROM points WHERE no = @no', { no })
      this.#statements.run('DELETE FROM runs WHERE point = @no', { no })
      this.#statements.run('DELETE FROM point_objects WHERE point = @no', { no })
    })()
  }

  async #read(snapshot: Snapshot, signal: AbortSignal | undefined): Promise<void> {
    const { run, entries } = (await unlessDamaged(this.#log, snapshot.tree, () =>
      this.#contents(snapshot),
    )) ?? {
      entries: [],
    }
    // Snapshots of other programs, or with a damaged catalogue, are no restore points of ours.
    if (run === undefined) return
    const statuses = new Map(run.objects.map((object) => [object.key, object]))
    const found: FoundObject[] = []
    for (const entry of entries) {
      if (entry.type !== 'folder') continue
      signal?.throwIfAborted()
      const { name: key, subtree: stateTree } = entry
      const status = statuses.get(key) ?? { key, status: 'success' as const }
      const object = this.numberFor(key)
      const identity = this.#knownVersion(object, stateTree) ?? (await this.#identity(stateTree, status))
      if (identity !== undefined) found.push({ object, stateTree, status, identity })
    }
    this.#database.transaction(() => this.#writePoint(snapshot, run, found))()
  }

  async #contents({ tree }: Snapshot) {
    const run = await readRunRecord(this.#reader, tree)
    const folder = await this.#reader.entryAt(tree, OBJECTS_FOLDER)
    return { run, entries: folder?.type === 'folder' ? await this.#reader.tree(folder.subtree) : [] }
  }

  /** Undefined for a damaged catalogue: the object is left out here, and the next run takes up an earlier state. */
  async #identity(stateTree: BlobId, { identity }: ObjectRunStatus): Promise<ObjectIdentity | undefined> {
    return (
      identity ?? (await unlessDamaged(this.#log, stateTree, () => readObjectState(this.#reader, stateTree)))
    )
  }

  #writePoint(snapshot: Snapshot, run: RunRecord, found: readonly FoundObject[]): void {
    const time = snapshot.time.getTime()
    const holds = (kind: string): number =>
      found.some(({ status: { key } }) => key.startsWith(`${kind}-`)) ? 1 : 0
    const { lastInsertRowid } = this.#statements
      .of(
        `INSERT INTO points (snapshot, time, tree, job, session, mail, onedrive)
       VALUES (@snapshot, @time, @tree, @job, @session, @mail, @onedrive)`,
      )
      .run({
        snapshot: snapshot.id,
        time,
        tree: snapshot.tree,
        job: run.jobId,
        session: run.sessionId,
        mail: holds('mail'),
        onedrive: holds('onedrive'),
      })
    const point = Number(lastInsertRowid)
    this.#statements.run('INSERT OR REPLACE INTO runs VALUES (@point, @json)', {
      point,
      json: JSON.stringify(run),
    })
    for (const { object, stateTree, status, identity } of found)
      this.#statements.run(
        `INSERT INTO point_objects VALUES (@point, @object, @version, @time, @job, @isRead, @status, @reason)`,
        {
          point,
          object,
          version: typeof identity === 'number' ? identity : this.#addState(object, stateTree, identity),
          time,
          job: run.jobId,
          isRead: status.status === 'success' || status.status === 'warning' ? 1 : 0,
          status: status.status,
          reason: status.reason ?? null,
        },
      )
  }

  #addState(object: number, stateTree: BlobId, of: ObjectIdentity): number {
    const { kind, userId, principalName, displayName } = of
    const identity = JSON.stringify({ kind, userId, principalName, displayName })
    const last = this.#statements.get<{ version: number | null }>(
      'SELECT max(version) AS version FROM states WHERE object = @object',
      { object },
    )
    const version = (last?.version ?? 0) + 1
    const state = { object, version, stateTree, identity }
    this.#statements.run('INSERT INTO states VALUES (@object, @version, @stateTree, @identity)', state)
    return version
  }

  #knownVersion(object: number, stateTree: BlobId): number | undefined {
    const sql = 'SELECT version FROM states WHERE object = @object AND state_tree = @stateTree LIMIT 1'
    return this.#statements.get<{ version: number }>(sql, { object, stateTree })?.version
  }

  /** Of an object that may be new. */
  numberFor(key: string): number {
    this.#statements.run('INSERT INTO objects (key) VALUES (@key) ON CONFLICT DO NOTHING', { key })
    return this.#numberOf(key)!
  }

  /** Throws `not-found` where no restore point ever had the object. */
  existing(key: string): number {
    const number = this.#numberOf(key)
    if (number === undefined) throw notFound('the object is in no restore point')
    return number
  }

  #numberOf(key: string): number | undefined {
    return this.#statements.get<{ no: number }>('SELECT no FROM objects WHERE key = @key', { key })?.no
  }

  points(objectKey?: string): RestorePoint[] {
    const within =
      objectKey === undefined
        ? ''
        : `WHERE no IN (SELECT point FROM point_objects JOIN objects o ON o.no = object WHERE key = @objectKey)`
    const rows = this.#statements.all<PointRow>(
      `SELECT * FROM points ${within} ORDER BY time DESC, snapshot`,
      {
        objectKey,
      },
    )
    return rows.map((row) => this.#point(row))
  }

  #point({ no, snapshot, time, tree, job, session, mail, onedrive }: PointRow): RestorePoint {
    const json = (): string =>
      this.#statements.get<{ json: string }>('SELECT json FROM runs WHERE point = @no', { no })!.json
    return {
      snapshot,
      tree,
      time: new Date(time),
      jobId: job,
      sessionId: session,
      holdsMail: mail === 1,
      holdsDrives: onedrive === 1,
      get run() {
        return JSON.parse(json()) as RunRecord
      },
    }
  }

  objectsAt(at: SnapshotId | Moment): ObjectAtPoint[] {
    const rows = typeof at === 'string' ? this.#objectsOf(at) : this.#newestObjects(at)
    return rows.map(({ key, version, identity, snapshot, time, status, reason }) => ({
      ...(JSON.parse(identity) as ObjectIdentity),
      key,
      version,
      point: snapshot,
      time: new Date(time),
      status,
      ...(reason === null ? {} : { reason }),
    }))
  }

  #objectsOf(snapshot: SnapshotId): ObjectRow[] {
    const point = this.#statements.get<{ no: number }>('SELECT no FROM points WHERE snapshot = @snapshot', {
      snapshot,
    })
    if (point === undefined) throw notFound('there is no such restore point')
    return this.#statements.all<ObjectRow>(`${OBJECTS} WHERE p.point = @no ORDER BY o.key`, point)
  }

  /** By a look at one restore point for each object, however many there are. */
  #newestObjects({ at, jobId, isRead }: Moment): ObjectRow[] {
    const chosen = [
      'q.object = o.no AND q.time <= @at',
      jobId === undefined ? '' : 'q.job = @jobId',
      isRead === true ? 'q.is_read = 1' : '',
    ]
    const newest = `SELECT q.point FROM point_objects q WHERE ${chosen.filter(Boolean).join(' AND ')} ORDER BY q.time DESC LIMIT 1`
    return this.#statements.all<ObjectRow>(`${OBJECTS} WHERE p.point = (${newest}) ORDER BY o.key`, {
      at: at.getTime(),
      jobId,
    })
  }

  newestState(objectKey: string): NewestState | undefined {
    return this.#statements.get<NewestState>(
      `SELECT p.snapshot, p.tree, o.version, s.state_tree AS stateTree FROM point_objects o
       JOIN points p ON p.no = o.point JOIN objects n ON n.no = o.object
       JOIN states s ON s.object = o.object AND s.version = o.version
       WHERE n.key = @objectKey ORDER BY p.time DESC, p.snapshot LIMIT 1`,
      { objectKey },
    )
  }
}
