import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { corrupt, Secret } from '#base'

// A secret is sealed with a data key of its own, and the data key with the root key, both by AES-256-GCM. The place
// (table, row, field) is authenticated too: an envelope that is moved to another row does not open.

const ALGORITHM = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16
const VERSION = 'v1'

export interface Place {
  readonly table: string
  readonly row: string
  readonly field: string
}

const bindingOf = ({ table, row, field }: Place): Buffer =>
  Buffer.from(JSON.stringify([VERSION, table, row, field]))

const seal = (key: Uint8Array, plain: Uint8Array, binding: Uint8Array): Buffer => {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES }).setAAD(binding)
  const sealed = Buffer.concat([cipher.update(plain), cipher.final()])
  return Buffer.concat([nonce, sealed, cipher.getAuthTag()])
}

const unseal = (key: Uint8Array, sealed: Buffer, binding: Uint8Array): Buffer => {
  const nonce = sealed.subarray(0, NONCE_BYTES)
  const tag = sealed.subarray(sealed.length - TAG_BYTES)
  const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES })
    .setAAD(binding)
    .setAuthTag(tag)
  return Buffer.concat([
    decipher.update(sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES)),
    decipher.final(),
  ])
}

const keyBytes = (rootKey: Secret): Buffer => Buffer.from(rootKey.reveal(), 'base64')

/** `v1.<wrapped data key>.<sealed value>`, both base64. */
export const sealSecret = (rootKey: Secret, place: Place, value: Secret): string => {
  const dataKey = randomBytes(32)
  const binding = bindingOf(place)
  const wrapped = seal(keyBytes(rootKey), dataKey, binding)
  const sealed = seal(dataKey, Buffer.from(value.reveal(), 'utf8'), binding)
  return [VERSION, wrapped.toString('base64'), sealed.toString('base64')].join('.')
}

/** Throws `corrupt` for another root key, another place, or changed bytes. */
export const openSecret = (rootKey: Secret, place: Place, envelope: string): Secret => {
  try {
    const [version, wrapped, sealed] = envelope.split('.')
    if (version !== VERSION || wrapped === undefined || sealed === undefined) throw new Error('unknown form')
    const binding = bindingOf(place)
    const dataKey = unseal(keyBytes(rootKey), Buffer.from(wrapped, 'base64'), binding)
    return new Secret(unseal(dataKey, Buffer.from(sealed, 'base64'), binding).toString('utf8'))
  } catch (error) {
    throw corrupt(
      `the stored secret ${place.table}.${place.field} cannot be opened with this root key`,
      error,
    )
  }
}
