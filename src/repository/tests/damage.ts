import { seededRandom } from '#base'
import type { Storage } from '#storage'
import type { BlobType, Repository, Snapshot } from '../contract.ts'
import { openKeyFile } from '../format/key-file.ts'
import type { PackedBlob } from '../format/pack-header.ts'
import { readPackHeader } from '../pack-header-file.ts'
import { TEST_OPTIONS } from './fixtures.ts'

// Repositories to damage, and ways to do it.

export const text = (value: string): Buffer => Buffer.from(value)

/** Bytes that nothing compresses, the same for the same seed. */
export const noise = (seed: number, length: number): Buffer => {
  const random = seededRandom(seed)
  const words = Uint32Array.from({ length: Math.ceil(length / 4) }, () =>
    Math.floor(random.fraction() * 2 ** 32),
  )
  return Buffer.from(words.buffer, 0, length)
}

export const pathsIn = async (storage: Storage, folder: string): Promise<string[]> => {
  const paths: string[] = []
  for await (const { path } of storage.list(folder)) paths.push(path)
  return paths.sort()
}

const AT = new Date('2026-01-05T12:00:00Z')

export const backUp = (
  repository: Repository,
  files: Readonly<Record<string, Uint8Array>>,
  { time = AT, tags = [] }: { readonly time?: Date; readonly tags?: readonly string[] } = {},
): Promise<Snapshot> =>
  repository.withWriter(async (writer) => {
    const tree = writer.edit()
    for (const [path, bytes] of Object.entries(files))
      await tree.putFile(path, { ...(await writer.saveFile([bytes])), modifiedAt: time })
    return writer.saveSnapshot({ time, tree: (await tree.save())!, paths: ['/'], tags })
  })

/** The packs that hold blobs of one type, and their blobs. */
export const packsOf = async (
  storage: Storage,
  type: BlobType,
): Promise<{ readonly path: string; readonly blobs: readonly PackedBlob[] }[]> => {
  const [file] = await pathsIn(storage, 'keys')
  const key = await openKeyFile(await storage.read(file!), TEST_OPTIONS.password)
  const packs = await Promise.all(
    (await pathsIn(storage, 'data')).map(async (path) => ({
      path,
      blobs: await readPackHeader(storage, key!, path.split('/').at(-1)!),
    })),
  )
  return packs.filter(({ blobs }) => blobs[0]?.type === type)
}

export const replace = async (storage: Storage, path: string, bytes: Uint8Array): Promise<void> => {
  await storage.remove(path)
  await storage.write(path, [bytes])
}

/** Turns a bit around; a negative place counts from the end. */
export const flip = async (storage: Storage, path: string, at: number): Promise<void> => {
  const bytes = Uint8Array.from(await storage.read(path))
  const place = at < 0 ? bytes.length + at : at
  bytes[place] = bytes[place]! ^ 1
  await replace(storage, path, bytes)
}

/** Takes the last third away. */
export const cutOff = async (storage: Storage, path: string): Promise<void> => {
  const bytes = await storage.read(path)
  await replace(storage, path, bytes.subarray(0, Math.floor((bytes.length * 2) / 3)))
}
