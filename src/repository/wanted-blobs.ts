import { corrupt } from '#base'
import type { BlobIndex } from './blob-index.ts'
import type { PackedBlob } from './format/pack-header.ts'
import type { IndexFiles } from './index-files.ts'

/**
 * The blobs of a pack, with their whole ids, whose rows are wanted, in the order of the pack. Looks at the pack only when
 * there are any. Throws `corrupt` when it does not hold them.
 */
export const wantedBlobs = async (
  files: Pick<IndexFiles, 'blobsOf'>,
  index: BlobIndex,
  pack: number,
  isWanted: (row: number) => boolean,
): Promise<readonly PackedBlob[]> => {
  const offsets = new Set<number>()
  for (const [from, to] of index.rowsIn(pack))
    for (let row = from; row < to; row += 1)
      if (index.isPlace(row) && isWanted(row)) offsets.add(index.offsetAt(row))
  if (offsets.size === 0) return []
  const id = index.packs[pack]!
  const blobs = (await files.blobsOf(id)).filter(({ offset }) => offsets.has(offset))
  if (blobs.length !== offsets.size) throw corrupt(`pack ${id} does not hold what the index says`)
  return [...blobs].sort((a, b) => a.offset - b.offset)
}
