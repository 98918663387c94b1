import type { BlobId } from '../contract.ts'
import type { KeySet } from '../format/sealing.ts'
import type { InspectJob, InspectResult } from './inspect-pack.ts'
import type { ReadIndexJob, ReadIndexResult } from './read-index.ts'
import type { ResealJob, ResealResult } from './reseal-blobs.ts'
import type { RewriteIndexJob, RewriteIndexResult } from './rewrite-index.ts'
import type { TreeReferencesJob, TreeReferencesResult } from './tree-references.ts'

// What is asked of a worker thread. Buffers are handed over, not copied.

/** Cuts bytes into chunks and names them. */
export interface ChunkJob {
  readonly kind: 'chunk'
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Where the first chunk begins. */
  readonly start: number
  readonly gear: Int32Array
  readonly isLast: boolean
}

export interface ChunkResult {
  /** The same bytes, handed back. */
  readonly bytes: Uint8Array<ArrayBuffer>
  /** From the start on; what is left belongs to a chunk that is not complete. */
  readonly lengths: readonly number[]
  readonly ids: readonly BlobId[]
}

/**
 * Compresses and seals blobs in the buffer that they lie in. Each has free bytes in front of it: `SEAL_BYTES`, and what a
 * frame may have more than its text when it stays compressed in any case.
 */
export interface SealJob {
  readonly kind: 'seal'
  readonly key: KeySet
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Offset and length of each blob in `bytes`. */
  readonly blobs: readonly (readonly [offset: number, length: number])[]
  /** Whether a blob stays compressed even when that is no shorter, as restic expects of trees. */
  readonly alwaysCompress: boolean
}

export interface SealResult {
  /** The same buffer, handed back. The sealed blobs lie in it one after the other, from the first byte on. */
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly lengths: readonly number[]
  /** Plain length of each compressed blob, 0 for one that is stored as it is. */
  readonly uncompressed: readonly number[]
}

/** Tells the name of a pack: the SHA-256 of its sealed blobs and its end. */
export interface NamePackJob {
  readonly kind: 'name-pack'
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly end: Uint8Array
}

export interface NamePackResult {
  /** The same buffer, handed back. */
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly id: string
}

/** A sealed blob within a buffer, with what it must turn out to be. */
export interface SealedBlob {
  readonly id: BlobId
  readonly offset: number
  readonly length: number
  readonly uncompressed: number
}

/** Opens blobs and checks them. */
export interface OpenJob {
  readonly kind: 'open'
  readonly key: KeySet
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly blobs: readonly SealedBlob[]
}

export interface OpenResult {
  /** The same buffer, handed back. */
  readonly bytes: Uint8Array<ArrayBuffer>
  /** The plain blobs, one after the other. */
  readonly plain: Uint8Array<ArrayBuffer>
  /** Of each blob; -1 for one that is damaged. */
  readonly lengths: readonly number[]
}

/** Checks a whole pack: its name, its header, every blob, and that the index agrees. */
export interface VerifyJob {
  readonly kind: 'verify'
  readonly key: KeySet
  readonly pack: string
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly indexed: readonly (SealedBlob & { readonly isTree: boolean })[]
}

export interface VerifyResult {
  /** The same buffer, handed back. */
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly problems: readonly string[]
}

export interface Jobs {
  chunk: { job: ChunkJob; result: ChunkResult }
  seal: { job: SealJob; result: SealResult }
  'name-pack': { job: NamePackJob; result: NamePackResult }
  open: { job: OpenJob; result: OpenResult }
  verify: { job: VerifyJob; result: VerifyResult }
  inspect: { job: InspectJob; result: InspectResult }
  'read-index': { job: ReadIndexJob; result: ReadIndexResult }
  'tree-references': { job: TreeReferencesJob; result: TreeReferencesResult }
  'rewrite-index': { job: RewriteIndexJob; result: RewriteIndexResult }
  reseal: { job: ResealJob; result: ResealResult }
}

export type Job = Jobs[keyof Jobs]['job']
export type Result = Jobs[keyof Jobs]['result']
