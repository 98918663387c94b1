import { createHash, randomFillSync } from 'node:crypto'
import { messageOf } from '#base'
import { chunkLength } from '../format/chunker.ts'
import { compressBriefly } from '../format/compression.ts'
import { blobIdOf, sha256Hex } from '../format/ids.ts'
import { locateHeader, openHeader } from '../format/pack-header.ts'
import { IV_BYTES, SEAL_BYTES } from '../format/sealing.ts'
import { ManySeals } from '../format/sealing-many.ts'
import { newBuffer } from '../release.ts'
import { Scratch } from '../scratch.ts'
import { inspectPack } from './inspect-pack.ts'
import type {
  ChunkJob,
  ChunkResult,
  Job,
  NamePackJob,
  NamePackResult,
  OpenJob,
  OpenResult,
  Result,
  SealJob,
  SealResult,
  VerifyJob,
  VerifyResult,
} from './jobs.ts'
import { readIndex } from './read-index.ts'
import { openEach, plainLength } from './open-each.ts'
import { resealBlobs } from './reseal-blobs.ts'
import { rewriteIndex } from './rewrite-index.ts'
import { treeReferences } from './tree-references.ts'

/** Does a job on this thread. */
export const runJob = (job: Job): Result => {
  switch (job.kind) {
    case 'chunk':
      return chunk(job)
    case 'seal':
      return sealAll(job)
    case 'name-pack':
      return namePack(job)
    case 'open':
      return openAll(job)
    case 'verify':
      return verify(job)
    case 'inspect':
      return inspectPack(job)
    case 'read-index':
      return readIndex(job)
    case 'rewrite-index':
      return rewriteIndex(job)
    case 'tree-references':
      return treeReferences(job)
    case 'reseal':
      return resealBlobs(job)
  }
}

/** The buffers of a job or a result that are handed over. */
export const transferable = (value: Job | Result): ArrayBuffer[] => {
  if ('files' in value) return value.files.map(({ bytes }) => bytes.buffer)
  return 'plain' in value ? [value.bytes.buffer, value.plain.buffer] : [value.bytes.buffer]
}

const chunk = ({ bytes, start, gear, isLast }: ChunkJob): ChunkResult => {
  const lengths: number[] = []
  const ids: ChunkResult['ids'][number][] = []
  for (let at = start; at < bytes.length;) {
    const length = chunkLength(gear, bytes, at, { end: bytes.length, isLast })
    if (length === 0) break
    lengths.push(length)
    ids.push(blobIdOf(bytes.subarray(at, at + length)))
    at += length
  }
  return { bytes, lengths, ids }
}

const sealAll = ({ key, bytes, blobs, alwaysCompress }: SealJob): SealResult => {
  const seals = new ManySeals(key, randomFillSync(new Uint8Array(blobs.length * IV_BYTES)))
  const lengths: number[] = []
  const uncompressed: number[] = []
  let end = 0
  blobs.forEach(([offset, length], number) => {
    const plain = bytes.subarray(offset, offset + length)
    const frame = compressBriefly(plain)
    const isShorter = alwaysCompress || frame.length < length
    const text = isShorter ? frame : plain
    if (end + text.length + SEAL_BYTES > offset + length) throw new Error('a blob lacks room to be sealed in')
    const sealedBytes = seals.seal(number, text, bytes.subarray(end))
    uncompressed.push(isShorter ? length : 0)
    lengths.push(sealedBytes)
    end += sealedBytes
  })
  return { bytes, lengths, uncompressed }
}

const namePack = ({ bytes, end }: NamePackJob): NamePackResult => ({
  bytes,
  id: createHash('sha256').update(bytes).update(end).digest('hex'),
})

const openAll = (job: OpenJob): OpenResult => {
  const plain = newBuffer(job.blobs.reduce((sum, blob) => sum + plainLength(blob), 1))
  const lengths: number[] = []
  let at = 0
  openEach(
    job,
    (length) => plain.subarray(at, at + length),
    (opened) => {
      lengths.push(typeof opened === 'string' ? -1 : opened)
      if (typeof opened === 'number') at += opened
    },
  )
  return { bytes: job.bytes, plain, lengths }
}

const scratch = new Scratch()

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
  const use = (opened: number | string, number: number): void => {
    const blob = indexed[number]!
    const told = inHeader.get(`${blob.isTree} ${blob.id} ${blob.offset}`)
    if (told !== `${blob.length} ${blob.uncompressed}`) {
      problems.push(`blob ${blob.id} in pack ${pack}: the index and the pack disagree`)
    }
    if (typeof opened === 'string') problems.push(`blob ${blob.id} in pack ${pack}: ${opened}`)
  }
  openEach({ key, bytes, blobs: indexed }, (length) => scratch.take(length), use)
  return { bytes, problems }
}
