import { isHoldfastError } from '#base'
import { addReferences, IdList } from '../format/tree-references.ts'
import { newBuffer } from '../release.ts'
import { Scratch } from '../scratch.ts'
import type { OpenJob } from './jobs.ts'
import { openEach } from './open-each.ts'

/** Opens trees, checks them, and tells what they name. */
export interface TreeReferencesJob extends Omit<OpenJob, 'kind'> {
  readonly kind: 'tree-references'
}

export interface TreeReferencesResult {
  /** The same buffer, handed back. */
  readonly bytes: Uint8Array<ArrayBuffer>
  /** The ids of all folders that the trees name, then those of all blobs of files, tree by tree. */
  readonly plain: Uint8Array<ArrayBuffer>
  /** How many folders and blobs each tree names; -1 for one that is damaged. */
  readonly folders: readonly number[]
  readonly blobs: readonly number[]
}

const scratch = new Scratch()
const references = { trees: new IdList(), data: new IdList() }

export const treeReferences = (job: TreeReferencesJob): TreeReferencesResult => {
  const { trees, data } = references
  trees.clear()
  data.clear()
  const folders: number[] = []
  const blobs: number[] = []
  let target = new Uint8Array(0)
  openEach(
    job,
    (length) => (target = scratch.take(length)),
    (opened) => {
      const before = { trees: trees.count, data: data.count }
      const isRead = typeof opened === 'number' && isAdded(target.subarray(0, opened))
      folders.push(isRead ? trees.count - before.trees : -1)
      blobs.push(isRead ? data.count - before.data : -1)
    },
  )
  const plain = newBuffer(trees.bytes.length + data.bytes.length)
  plain.set(trees.bytes)
  plain.set(data.bytes, trees.bytes.length)
  return { bytes: job.bytes, plain, folders, blobs }
}

const isAdded = (text: Uint8Array): boolean => {
  try {
    addReferences(text, references)
    return true
  } catch (error) {
    if (!isHoldfastError(error, 'corrupt')) throw error
    return false
  }
}
