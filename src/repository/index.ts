export type * from './contract.ts'
export {
  initRepository,
  openRepository,
  type NewRepositoryOptions,
  type OpenOptions,
} from './repository.ts'
export { type LockOwner } from './locks.ts'
export { ownIdentity, readIdentity, startTicks, type ProcessIdentity } from './process-identity.ts'
export { rebuildConfig, type RebuiltConfig } from './rebuild-config.ts'
export { type ScryptCost } from './format/key-file.ts'
export { type Host } from './format/snapshot.ts'
export { isPlainName } from './format/go-quote.ts'
export { SMALLEST_CHUNK } from './format/chunker.ts'
