import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Clock, systemClock, systemRandom } from '#base'
import type { OpenOptions } from '../repository.ts'

/** Does not wait to see whether somebody else takes a lock at the same moment. */
const hastyClock: Clock = { ...systemClock, sleep: async () => {} }

/** Cheap key derivation: these passwords protect nothing. */
export const TEST_OPTIONS = {
  password: 'correct horse',
  clock: hastyClock,
  random: systemRandom,
  scrypt: { N: 1024, r: 8, p: 1 },
  host: { hostname: 'test-host', username: 'tester' },
} satisfies OpenOptions

/** A folder that is gone at the end of the block. */
export const temporaryFolder = async (): Promise<{ readonly path: string } & AsyncDisposable> => {
  const path = await mkdtemp(join(tmpdir(), 'holdfast-repository-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

export const SAMPLE_PASSWORD = 'holdfast-sample'

/** A repository that stock restic made, with what is in it. */
export const unpackSample = async (): Promise<
  { readonly repo: string; readonly src: string; readonly path: string } & AsyncDisposable
> => {
  const folder = await temporaryFolder()
  const archive = fileURLToPath(new URL('../../../tests/data/restic-v2-sample.tar.gz', import.meta.url))
  await promisify(execFile)('tar', ['-xzf', archive, '-C', folder.path])
  const path = join(folder.path, 'restic-v2-sample')
  return {
    path,
    repo: join(path, 'repo'),
    src: join(path, 'src'),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

interface SampleBlob {
  readonly type_byte: number
  readonly id: string
  readonly offset: number
  readonly length: number
  readonly uncompressed_length: number | null
  readonly plain_length: number
  readonly text?: string
}

/** What stock restic's files hold, found out without any code of this project. */
export interface Vectors {
  readonly keys: readonly {
    readonly file: string
    readonly password: string
    readonly data_plaintext_json: { mac: { k: string; r: string }; encrypt: string }
  }[]
  readonly poly1305_aes: Readonly<Record<string, string>>
  readonly poly1305_aes_with_unmasked_r: Readonly<Record<string, string>>
  readonly unpacked: readonly { readonly file: string; readonly json_text: string }[]
  readonly lock: { readonly file: string; readonly json_text: string }
  readonly packs: readonly {
    readonly file: string
    readonly size: number
    readonly blobs: readonly SampleBlob[]
  }[]
}

export const readVectors = async (sample: string): Promise<Vectors> =>
  JSON.parse(await readFile(join(sample, 'vectors.json'), 'utf8')) as Vectors

/** All bytes of a stream. */
export const collect = async (stream: AsyncIterable<Uint8Array>): Promise<Buffer> => {
  const pieces: Uint8Array[] = []
  for await (const piece of stream) pieces.push(piece)
  return Buffer.concat(pieces)
}
