import { randomFillSync } from 'node:crypto'
import { isHoldfastError, messageOf } from '#base'
import { unpackBlob } from '../format/blob.ts'
import { chunkLength } from '../format/chunker.ts'
import { compress } from '../format/compression.ts'
import { blobIdOf, sha256Hex } from '../format/ids.ts'
import { locateHeader, openHeader } from '../format/pack-header.ts'
import { IV_BYTES, type KeySet, SEAL_BYTES } from '../format/sealing.ts'
import { openMany, sealMany } from '../format/sealing-many.ts'
import { release } from '../release.ts'
import { inspectPack } from './inspect-pack.ts'
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
import { resealBlobs } from './reseal-blobs.ts'

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
    case 'inspect':
      return inspectPack(job)
    case 'reseal':
      return resealBlobs(job)
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
  const uncompressed: number[] = []
  const texts = blobs.map(([offset, length]) => {
    const plain = bytes.subarray(offset, offset + length)
    const frame = compress(plain)
    const isShorter = alwaysCompress || frame.length < length
    uncompressed.push(isShorter ? length : 0)
    if (!isShorter) release(frame)
    return isShorter ? frame : plain
  })
  const ivs = randomFillSync(new Uint8Array(blobs.length * IV_BYTES))
  const sealed = sealMany(key, texts, ivs)
  const lengths = texts.map((text) => text.length + SEAL_BYTES)
  for (const text of texts) release(text)
  release(bytes)
  return { sealed, lengths, uncompressed }
}

/** Hands over each blob's plain bytes, which are gone after the call, or what is wrong with it. */
const openEach = (
  key: KeySet,
  bytes: Uint8Array,
  blobs: readonly SealedBlob[],
  use: (plain: Uint8Array | string, number: number) => void,
): void => {
  const sealed = blobs.map(({ offset, length }) => bytes.subarray(offset, offset + length))
  openMany(key, sealed, (opened, number) => {
    if (opened === undefined) return use('it fails its authentication', number)
    const plain = unpacked(opened, blobs[number]!)
    use(plain, number)
    if (typeof plain !== 'string' && plain !== opened) release(plain)
  })
}

const unpacked = (opened: Uint8Array, blob: SealedBlob): Uint8Array | string => {
  try {
    return unpackBlob(opened, blob)
  } catch (error) {
    if (isHoldfastError(error, 'corrupt')) return error.message
    throw error
  }
}

const openAll = ({ key, bytes, blobs }: OpenJob): OpenResult => {
  const plainBytes = blobs.reduce((sum, blob) => sum + plainLength(blob), 0)
  const plain = Buffer.allocUnsafeSlow(plainBytes)
  const lengths: number[] = []
  let at = 0
  openEach(key, bytes, blobs, (opened) => {
    lengths.push(typeof opened === 'string' ? -1 : opened.length)
    if (typeof opened === 'string') return
    plain.set(opened, at)
    at += opened.length
  })
  release(bytes)
  return { plain, lengths }
}

const plainLength = ({ length, uncompressed }: SealedBlob): number =>
  uncompressed === 0 ? Math.max(0, length - SEAL_BYTES) : uncompressed

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
  openEach(key, bytes, indexed, (opened, number) => {
    const blob = indexed[number]!
    const told = inHeader.get(`${blob.isTree} ${blob.id} ${blob.offset}`)
    if (told !== `${blob.length} ${blob.uncompressed}`) {
      problems.push(`blob ${blob.id} in pack ${pack}: the index and the pack disagree`)
    }
    if (typeof opened === 'string') problems.push(`blob ${blob.id} in pack ${pack}: ${opened}`)
  })
  release(bytes)
  return { problems }
}
