import { hash } from 'node:crypto'
import { corrupt } from '#base'
import type { BlobId, BlobType } from '../contract.ts'

export const ID_BYTES = 32

/** SHA-256, the name of everything in a repository. */
export const sha256 = (bytes: Uint8Array): Buffer => hash('sha256', bytes, 'buffer')
export const sha256Hex = (bytes: Uint8Array): string => hash('sha256', bytes, 'hex')

const ID = /^[0-9a-f]{64}$/

export const isId = (text: unknown): text is string => typeof text === 'string' && ID.test(text)

/** An id that stored data names. Throws `corrupt` when it is none. */
export const parseId = (text: unknown): string => {
  if (!isId(text)) throw corrupt('an id is not 64 hexadecimal digits')
  return text
}

export const blobIdOf = (plain: Uint8Array): BlobId => sha256Hex(plain) as BlobId

/** Type is part of a blob's identity. */
export const blobKey = (type: BlobType, id: BlobId): string => (type === 'tree' ? `t${id}` : `d${id}`)

export const hexOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
