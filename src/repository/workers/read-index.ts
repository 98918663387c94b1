import { isHoldfastError, messageOf } from '#base'
import { openDocumentBriefly } from '../format/document.ts'
import { type ReadColumns, readIndexColumns } from '../format/index-columns.ts'
import type { PrintFactors } from '../format/id-print.ts'
import type { KeySet } from '../format/sealing.ts'
import { release } from '../release.ts'

/** Opens an index file and reads it into columns. */
export interface ReadIndexJob {
  readonly kind: 'read-index'
  readonly key: KeySet
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly factors: PrintFactors
}

export interface ReadIndexResult extends Omit<ReadColumns, 'buffer'> {
  /** The columns, in one buffer. */
  readonly bytes: Uint8Array<ArrayBuffer>
  /** What is wrong with the file; the columns are empty then. */
  readonly problem?: string
}

export const readIndex = ({ key, bytes, factors }: ReadIndexJob): ReadIndexResult => {
  try {
    const { buffer, ...read } = readIndexColumns(openDocumentBriefly(key, bytes), factors)
    release(bytes)
    return { bytes: new Uint8Array(buffer), ...read }
  } catch (error) {
    if (!isHoldfastError(error, 'corrupt')) throw error
    return { bytes: new Uint8Array(0), rows: 0, packIds: [], packRows: [], problem: messageOf(error) }
  }
}
