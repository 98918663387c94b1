import { createCipheriv, randomFillSync } from 'node:crypto'
import { isHoldfastError, messageOf } from '#base'
import { openBlob } from '../format/blob.ts'
import { chunkLength } from '../format/chunker.ts'
import { compress } from '../format/compression.ts'
import { blobIdOf, sha256Hex } from '../format/ids.ts'
import { locateHeader, openHeader } from '../format/pack-header.ts'
import { authenticate, IV_BYTES, oneTimeKeys, SEAL_BYTES } from '../format/sealing.ts'
import type {
  ChunkJob,
  ChunkResult,
  Job,
  OpenJob,
  OpenResult,
  Result,
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
  const lengths = texts.map((text) => text.length + SEAL_BYTES)
  const sealed = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0))
  // A fresh IV each, all at once: a call costs more than the bytes.
  const ivs = randomFillSync(new Uint8Array(blobs.length * IV_BYTES))
  const oneTime = oneTimeKeys(key, ivs)
  let at = 0
  texts.forEach((text, number) => {
    const iv = ivs.subarray(number * IV_BYTES, (number + 1) * IV_BYTES)
    sealed.set(iv, at)
    const place = sealed.subarray(at + IV_BYTES, at + IV_BYTES + text.length)
    place.set(createCipheriv('aes-256-ctr', key.encrypt, iv).update(text))
    const mac = authenticate(place, oneTime.subarray(number * 2 * IV_BYTES, (number + 1) * 2 * IV_BYTES))
    sealed.set(mac, at + IV_BYTES + text.length)
    at += text.length + SEAL_BYTES
  })
  return { sealed, lengths, uncompressed }
}

const openAll = ({ key, bytes, blobs }: OpenJob): OpenResult => {
  const opened = blobs.map((blob) => {
    try {
      return openBlob(key, bytes.subarray(blob.offset, blob.offset + blob.length), blob)
    } catch (error) {
      if (isHoldfastError(error, 'corrupt')) return undefined
      throw error
    }
  })
  const plain = new Uint8Array(opened.reduce((sum, blob) => sum + (blob?.length ?? 0), 0))
  let at = 0
  for (const blob of opened) {
    if (blob === undefined) continue
    plain.set(blob, at)
    at += blob.length
  }
  return { plain, lengths: opened.map((blob) => blob?.length ?? -1) }
}

const verify = ({ key, pack, bytes, indexed }: VerifyJob): VerifyResult => {
  const problems: string[] = []
  const attempt = (what: string, work: () => void): void => {
    try {
      work()
    } catch (error) {
      problems.push(`${what}: ${messageOf(error)}`)
    }
  }
  if (sha256Hex(bytes) !== pack) problems.push(`pack ${pack}: its content is not what its name says`)
  const inHeader = new Map<string, string>()
  attempt(`pack ${pack}`, () => {
    const header = locateHeader(bytes.length, bytes.subarray(-4))
    const sealed = bytes.subarray(header.offset, header.offset + header.length)
    for (const blob of openHeader(key, sealed, header.offset)) {
      inHeader.set(`${blob.type === 'tree'} ${blob.id} ${blob.offset}`, `${blob.length} ${blob.uncompressed}`)
    }
  })
  for (const blob of indexed) {
    const told = inHeader.get(`${blob.isTree} ${blob.id} ${blob.offset}`)
    if (told !== `${blob.length} ${blob.uncompressed}`) {
      problems.push(`blob ${blob.id} in pack ${pack}: the index and the pack disagree`)
    }
    attempt(`blob ${blob.id} in pack ${pack}`, () => {
      openBlob(key, bytes.subarray(blob.offset, blob.offset + blob.length), blob)
    })
  }
  return { problems }
}
