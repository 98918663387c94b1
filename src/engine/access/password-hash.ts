import { argon2, timingSafeEqual } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { promisify } from 'node:util'
import PQueue from 'p-queue'
import { HoldfastError, type Random, type Secret } from '#base'

// Argon2id in the PHC string form: $argon2id$v=19$m=19456,t=2,p=1$salt$hash, base64 without padding.
// Parameters: OWASP Password Storage Cheat Sheet.
const MEMORY_KIB = 19_456
const PASSES = 2
const LANES = 1
const HASH_BYTES = 32
const SALT_BYTES = 16
const MOST_WAITING = 200

const derive = promisify(argon2)
// Each hash takes its memory: one per core at a time, however many log in.
const turns = new PQueue({ concurrency: availableParallelism() })

interface Parameters {
  readonly memory: number
  readonly passes: number
  readonly parallelism: number
  readonly nonce: Uint8Array
  readonly tagLength: number
}

const hash = async (password: Secret, parameters: Parameters): Promise<Buffer> => {
  if (turns.size > MOST_WAITING)
    throw new HoldfastError('throttled', 'too many log-ins at once', { retryAfterMs: 1_000 })
  return turns.add(() => derive('argon2id', { message: password.reveal(), ...parameters }))
}

const unpadded = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64').replace(/=+$/, '')

export const hashPassword = async (password: Secret, random: Random): Promise<string> => {
  const nonce = random.bytes(SALT_BYTES)
  const tag = await hash(password, {
    memory: MEMORY_KIB,
    passes: PASSES,
    parallelism: LANES,
    nonce,
    tagLength: HASH_BYTES,
  })
  return `$argon2id$v=19$m=${MEMORY_KIB},t=${PASSES},p=${LANES}$${unpadded(nonce)}$${unpadded(tag)}`
}

const PHC = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/

export const passwordFits = async (password: Secret, phc: string): Promise<boolean> => {
  const [, memory, passes, parallelism, salt, tag] = PHC.exec(phc) ?? []
  if (salt === undefined || tag === undefined)
    throw new HoldfastError('corrupt', 'a stored password hash is damaged')
  const expected = Buffer.from(tag, 'base64')
  const actual = await hash(password, {
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    nonce: Buffer.from(salt, 'base64'),
    tagLength: expected.length,
  })
  return timingSafeEqual(actual, expected)
}

/** Takes as long as a comparison with a real hash: for names that nobody has. */
export const pretendToCompare = async (password: Secret): Promise<void> => {
  const nonce = new Uint8Array(SALT_BYTES)
  await hash(password, {
    memory: MEMORY_KIB,
    passes: PASSES,
    parallelism: LANES,
    nonce,
    tagLength: HASH_BYTES,
  })
}
