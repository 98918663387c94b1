import { conflict, corrupt, isHoldfastError, silentLogger } from '#base'
import type { Storage } from '#storage'
import { isDamage } from './damage.ts'
import { newConfig, openConfig, sealConfig } from './format/config.ts'
import { openDocumentText } from './format/document.ts'
import { IV_BYTES, type KeySet } from './format/sealing.ts'
import { listIds } from './index-files.ts'
import { findKey } from './keys.ts'
import { keepAside } from './repair-packs.ts'
import type { OpenOptions } from './repository.ts'

const CONFIG = 'config'
/** So many files are tried before a key is taken for that of another repository. */
const MOST_TRIED = 20

export interface RebuiltConfig {
  /** The new id, or the old one where it was told. */
  readonly id: string
  /** Where the damaged config lies now. */
  readonly movedAside?: string
}

/**
 * Makes a config anew where it was lost or damaged and everything else is there, so that the repository opens again. What
 * only the config knew is gone: the repository has a new id unless `id` tells the old one, which caches and records of it go
 * by, and new borders of chunks, so that what changes of large files is stored once more. It is version 2 from then on,
 * which is right for packs of version 1 too. Throws `conflict` where the config is sound, `denied` for a wrong password,
 * `corrupt` where the key opens nothing of what is stored.
 */
export const rebuildConfig = async (
  storage: Storage,
  options: OpenOptions & { readonly id?: string },
): Promise<RebuiltConfig> => {
  const { random, password, log = silentLogger } = options
  const { master } = await findKey(storage, password, log)
  const isStored = (await storage.stat(CONFIG)) !== undefined
  if (isStored && (await isSound(storage, master))) throw conflict('the config of the repository is sound')
  if (!(await opensAnything(storage, master))) throw corrupt('the key opens nothing of what is stored here')
  const movedAside = isStored ? await keepAside({ storage }, CONFIG) : undefined
  if (isStored) await storage.remove(CONFIG)
  const made = newConfig(random)
  const config = { ...made, id: options.id ?? made.id }
  await storage.write(CONFIG, [sealConfig(master, config, random.bytes(IV_BYTES))])
  log.warn({ id: config.id }, 'the config of the repository was made anew')
  return { id: config.id, ...(movedAside === undefined ? {} : { movedAside }) }
}

const isSound = async (storage: Storage, key: KeySet): Promise<boolean> => {
  try {
    openConfig(key, await storage.read(CONFIG))
    return true
  } catch (error) {
    if (!isDamage(error)) throw error
    return false
  }
}

/** True for a repository that holds nothing yet. */
const opensAnything = async (storage: Storage, key: KeySet): Promise<boolean> => {
  let tried = 0
  for (const folder of ['snapshots', 'index']) {
    for (const id of (await listIds(storage, folder)).slice(0, MOST_TRIED)) {
      tried += 1
      try {
        openDocumentText(key, await storage.read(`${folder}/${id}`))
        return true
      } catch (error) {
        if (!isDamage(error) && !isHoldfastError(error, 'not-found')) throw error
      }
    }
  }
  return tried === 0
}
