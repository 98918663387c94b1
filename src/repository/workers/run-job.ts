import { randomFillSync } from 'node:crypto'
import { isHoldfastError, messageOf } from '#base'
import { unpackBlob } from '../format/blob.ts'
import { chunkLength } from '../format/chunker.ts'
import { compress } from '../format/compression.ts'
import { blobIdOf, sha256Hex } from '../format/ids.ts'
import { locateHeader, openHeader } from '../format/pack-header.ts'
import { IV_BYTES, type KeySet, SEAL_BYTES } from '../format/sealing.ts'
import { openMany, sealMany } from '../format/sealing-many.ts'
import type {
  ChunkJob,
  ChunkResult,
  Job,
  OpenJob,
  OpenResult,
  Result,
  SealedBlob,
  SealJob,
  SealResult,
  VerifyJob,
  VerifyResult,
} from './jobs.ts'

/** Does a job on this thread. */
export const runJob = (job: Job): Result => {
  switch (job.kind) {
    case 'chunk':
      return chunk(job)
    case 'seal':
      return sealAll(job)
    case 'open':
      return openAll(job)
    case 'verify':
      return verify(job)
  }
}

/** The buffers of a result that are handed over. */
export const transferable = (value: Job | Result): ArrayBuffer[] => {
  if ('sealed' in value) return [value.sealed.buffer]
  if ('plain' in value) return [value.plain.buffer]
  if ('bytes' in value) return [value.bytes.buffer]
  return []
}

const chunk = ({ bytes, gear, isLast }: ChunkJob): ChunkResult => {
  const lengths: number[] = []
  const ids: ChunkResult['ids'][number][] = []
  for (let start = 0; start < bytes.length;) {
    const length = chunkLength(gear, bytes, start, { end: bytes.length, isLast })
    if (length === 0) break
    lengths.push(length)
    ids.push(blobIdOf(bytes.subarray(start, start + length)))
    start += length
  }
  return { bytes, lengths, ids }
}

const sealAll = ({ key, bytes, blobs, alwaysCompress }: SealJob): SealResult => {
  const texts: Uint8Array[] = []
  const uncompressed: number[] = []
  for (const [offset, length] of blobs) {
    const plain = bytes.subarray(offset, offset + length)
    const frame = compress(plain)
    const isShorter = alwaysCompress || frame.length < length
    texts.push(isShorter ? frame : plain)
    uncompressed.push(isShorter ? length : 0)
  }
  const ivs = randomFillSync(new Uint8Array(blobs.length * IV_BYTES))
  const sealed = sealMany(key, texts, ivs)
  return { sealed, lengths: texts.map((text) => text.length + SEAL_BYTES), uncompressed }
}

/** What is wrong with each blob, or its plain bytes. */
const openEach = (
  key: KeySet,
  bytes: Uint8Array,
  blobs: readonly SealedBlob[],
): readonly (Uint8Array | string)[] => {
  const sealed = blobs.map(({ offset, length }) => bytes.subarray(offset, offset + length))
  return openMany(key, sealed).map((opened, number) => {
    if (opened === undefined) return 'it fails its authentication'
    try {
      return unpackBlob(opened, blobs[number]!)
    } catch (error) {
      if (isHoldfastError(error, 'corrupt')) return error.message
      throw error
    }
  })
}

const openAll = ({ key, bytes, blobs }: OpenJob): OpenResult => {
  const opened = openEach(key, bytes, blobs)
  const lengths = opened.map((blob) => (typeof blob === 'string' ? -1 : blob.length))
  const plain = Buffer.allocUnsafeSlow(lengths.reduce((sum, length) => sum + Math.max(0, length), 0))
  let at = 0
  for (const blob of opened) {
    if (typeof blob === 'string') continue
    plain.set(blob, at)
    at += blob.length
  }
  return { plain, lengths }
}

const verify = ({ key, pack, bytes, indexed }: VerifyJob): VerifyResult => {
  const problems: string[] = []
  if (sha256Hex(bytes) !== pack) problems.push(`pack ${pack}: its content is not what its name says`)
  const inHeader = new Map<string, string>()
  try {
    const header = locateHeader(bytes.length, bytes.subarray(-4))
    const sealed = bytes.subarray(header.offset, header.offset + header.length)
    for (const blob of openHeader(key, sealed, header.offset)) {
      inHeader.set(`${blob.type === 'tree'} ${blob.id} ${blob.offset}`, `${blob.length} ${blob.uncompressed}`)
    }
  } catch (error) {
    problems.push(`pack ${pack}: ${messageOf(error)}`)
  }
  openEach(key, bytes, indexed).forEach((opened, number) => {
    const blob = indexed[number]!
    const told = inHeader.get(`${blob.isTree} ${blob.id} ${blob.offset}`)
    if (told !== `${blob.length} ${blob.uncompressed}`) {
      problems.push(`blob ${blob.id} in pack ${pack}: the index and the pack disagree`)
    }
    if (typeof opened === 'string') problems.push(`blob ${blob.id} in pack ${pack}: ${opened}`)
  })
  return { problems }
}
