import { readFile, rename, rm } from 'node:fs/promises'
import { HoldfastError, invalid, Secret, systemClock, type Clock } from '#base'
import { holdAlone, openDatabase, secretRows, type Database } from '#database'
import {
  Audit,
  newRootKey,
  opensSecrets,
  rootKeyFrom,
  rootKeyOf,
  sealAnew,
  systemPrincipal,
  type SealedAnew,
} from '#engine'
import { decideConfig, type ServerConfig, type ServerOptions } from './config.ts'
import { checkDatabase, openDataFolder, type DataFolder } from './data-folder.ts'
import { syncFolderOf, writeWholeFile } from './whole-file.ts'

type Settings = Pick<ServerConfig, 'rootKey'>

/**
 * The key that the stored secrets are sealed with: of the environment, else of the data folder, where it is made the first time. A
 * change of it that was cut off is brought to its end: the database alone says which key is in force. The caller holds the
 * data folder.
 */
export const rootKeyFor = async (
  { rootKey }: Settings,
  folder: DataFolder,
  database: Database,
): Promise<Secret> => {
  if (rootKey !== undefined) return rootKeyFrom(rootKey)
  const next = await nextRootKey(folder)
  if (next !== undefined) {
    if ((await opensSecrets(database.queries, next)) === true) await turn(folder)
    else await rm(folder.nextRootKey)
  }
  const mayMake = !(await secretRows.any(database.queries))
  return rootKeyOf(folder.rootKey, { mayMake })
}

/** The same for who only reads, also beside a server. */
export const readRootKey = async (
  { rootKey }: Settings,
  folder: DataFolder,
  database: Database,
): Promise<Secret> => {
  if (rootKey !== undefined) return rootKeyFrom(rootKey)
  const next = await nextRootKey(folder)
  if (next !== undefined && (await opensSecrets(database.queries, next)) === true) return next
  return rootKeyOf(folder.rootKey, { mayMake: false })
}

const nextRootKey = async ({ nextRootKey: file }: DataFolder): Promise<Secret | undefined> => {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  })
  return text === undefined ? undefined : rootKeyFrom(new Secret(text))
}

const turn = async ({ nextRootKey: next, rootKey }: DataFolder): Promise<void> => {
  await rename(next, rootKey)
  await syncFolderOf(rootKey)
}

export interface NewRootKeyOptions {
  /** Where the key comes from the environment: the one to be, in base64. */
  readonly newKey?: Secret
  readonly clock?: Clock
}

/**
 * Seals everything that is secret in the database with a new root key. `conflict` while a server runs on the data folder. Cut off
 * anywhere, the next start of the server, or the next call, finds the key that is in force.
 */
export const rotateRootKey = async (
  options: ServerOptions,
  { newKey, clock = systemClock }: NewRootKeyOptions = {},
): Promise<SealedAnew> => {
  const config = decideConfig(options)
  const folder = await openDataFolder(config.dataFolder)
  using _held = holdAlone(folder.lock)
  await checkDatabase(folder)
  await using database = await openDatabase(folder.database, clock)
  const from = await rootKeyFor(config, folder, database)
  const to = newKeyFor(config, newKey)
  if ((await opensSecrets(database.queries, from)) === false) {
    if (newKey !== undefined && (await opensSecrets(database.queries, to)) === true)
      throw new HoldfastError('conflict', 'the new root key is in force already')
    throw new HoldfastError('corrupt', 'the stored secrets cannot be opened with this root key')
  }
  if (config.rootKey === undefined) await writeWholeFile(folder.nextRootKey, `${to.reveal()}\n`, 0o600)
  const sealed = await sealAnew(database, { from, to, clock })
  if (config.rootKey === undefined) await turn(folder)
  const audit = new Audit({ database, clock, rootKey: to })
  await audit.record({ actor: systemPrincipal, action: 'secrets.rotateRootKey', object: '', result: 'done' })
  return sealed
}

const newKeyFor = ({ rootKey }: Settings, given: Secret | undefined): Secret => {
  if (rootKey === undefined) {
    if (given !== undefined) throw invalid('the root key is in the data folder: a new one is made there')
    return newRootKey()
  }
  if (given === undefined)
    throw invalid('the root key comes from the environment: give the new one in a file, with --new-key-file')
  const to = rootKeyFrom(given)
  if (to.equals(rootKeyFrom(rootKey))) throw invalid('the new root key is the one that is in force')
  return to
}
