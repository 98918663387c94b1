import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { conflict, silentLogger, systemClock, systemRandom } from '#base'
import { openDatabase, recoveryKitRows, type Database } from '#database'
import {
  Accounts,
  Audit,
  BackupRepositories,
  ObjectStorages,
  Secrets,
  systemPrincipal,
  type RecoveryKit,
} from '#engine'
import { Bandwidth, localStorage } from '#storage'
import { cloudOpener, resolveHost } from './cloud-storages.ts'
import { decideConfig, type ServerOptions } from './config.ts'
import { openDataFolder } from './data-folder.ts'
import { readRootKey } from './root-key.ts'
import { trustedAuthorities } from './trusted-authorities.ts'

const safe = (name: string): string =>
  name.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[.-]+/, '') || 'repository'

interface KitEntry {
  readonly repository: string
  readonly organization: string
  readonly path: string
  readonly passwordFile: string
  /** What restic needs in its environment: names, and values that are no secrets. */
  readonly environment?: Readonly<Record<string, string>>
}

/**
 * Writes into `folder` what is needed to read every repository with stock restic: passwords, a list of the repositories
 * (`repositories.json`), and instructions. Works on the data folder, also while the server is running. Files are for
 * their owner alone; `conflict` when the folder holds a kit already. Returns the names of the files.
 */
export const writeRecoveryKit = async (options: ServerOptions, folder: string): Promise<string[]> =>
  withKits(options, async (kits, database) => {
    const written = await writeKits(kits, folder)
    const contents = contentsOf(kits)
    await recoveryKitRows.put(database.queries, { id: LAST, folder, writtenAt: systemClock.now(), contents })
    return written
  })

const LAST = 'last'

/** Whether the last kit that was written still opens everything. */
export interface RecoveryKitState {
  /** Undefined: none was written since the server can tell. */
  readonly writtenAt?: Date
  /** Why it does not, for a person; empty when it does. */
  readonly reasons: readonly string[]
}

/** Compares the last kit with what one would hold now. Works on the data folder, also while the server is running. */
export const recoveryKitState = async (options: ServerOptions): Promise<RecoveryKitState> =>
  withKits(options, async (kits, database) => {
    const last = await recoveryKitRows.find(database.queries, LAST)
    if (last?.writtenAt === undefined) return { reasons: ['no recovery kit was written yet'] }
    const before = last.contents as Readonly<Record<string, string>>
    const reasons = Object.entries(contentsOf(kits)).flatMap(([path, password]) => {
      if (before[path] === password) return []
      return before[path] === undefined ? `${path} is not in it` : `${path} has another password`
    })
    return { writtenAt: last.writtenAt, reasons }
  })

/** By place: the hash of its password, which is 256 random bits and cannot be found by trying. */
const contentsOf = (kits: readonly RecoveryKit[]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    kits
      .flatMap(({ shards }) => shards)
      .map(({ path, password }) => [path, createHash('sha256').update(password.reveal()).digest('hex')]),
  )

const writeKits = async (kits: readonly RecoveryKit[], folder: string): Promise<string[]> => {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const written: string[] = []
  const entries: KitEntry[] = []
  const write = async (name: string, text: string): Promise<void> => {
    await writeFile(join(folder, name), text, { mode: 0o600, flag: 'wx' }).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      throw conflict(`${name} is there already: give an empty folder`)
    })
    written.push(name)
  }
  for (const kit of kits) {
    const name = safe(kit.repositoryName)
    await write(`${name}.txt`, kit.instructions)
    for (const [index, shard] of kit.shards.entries()) {
      const passwordFile = `${name}-${safe(shard.organizationName)}-${index}.password`
      await write(passwordFile, `${shard.password.reveal()}\n`)
      const { organizationName: organization, path, environment } = shard
      const further = Object.keys(environment).length === 0 ? {} : { environment }
      entries.push({ repository: kit.repositoryName, organization, path, passwordFile, ...further })
    }
  }
  await write('repositories.json', `${JSON.stringify(entries, null, 2)}\n`)
  return written
}

const withKits = async <Result>(
  options: ServerOptions,
  work: (kits: readonly RecoveryKit[], database: Database) => Promise<Result>,
): Promise<Result> => {
  const config = decideConfig(options)
  const parts = { clock: systemClock, random: systemRandom, log: silentLogger }
  const data = await openDataFolder(config.dataFolder)
  await using opened = new AsyncDisposableStack()
  const database = opened.use(await openDatabase(data.database, systemClock))
  const rootKey = await readRootKey(config, data, database)
  const secrets = new Secrets({ rootKey, clock: systemClock })
  const audit = new Audit({ database, clock: systemClock, rootKey })
  const openStorage = (path: string) => localStorage(path)
  const accounts = new Accounts({ ...parts, database, secrets, audit })
  const authorities = await trustedAuthorities(config.microsoft365.caFiles)
  const bandwidth = new Bandwidth(systemClock)
  const cloud = cloudOpener({ ...parts, config: config.storage, authorities, bandwidth })
  const servicePoints = { trusted: config.storage.endpoints, resolve: resolveHost }
  const objectStorages = new ObjectStorages({ ...parts, database, audit, accounts, cloud, servicePoints })
  const places = { openStorage, objectStorages, reserved: [data.path] }
  const repositories = opened.use(new BackupRepositories({ ...parts, ...places, database, secrets, audit }))
  const { items } = await repositories.list(systemPrincipal)
  const kits: RecoveryKit[] = []
  for (const { id } of items) kits.push(await repositories.recoveryKit(id))
  return await work(kits, database)
}
