import { describe, expect, it } from 'vitest'
import { seededRandom } from '#base'
import { keepReserve, memoryStorage, spendReserve, type Storage } from '../index.ts'

/** A disk of so many bytes. */
const disk = (totalBytes: number, taken = 0): Storage & { taken: number } => {
  const files = memoryStorage()
  const used = async (): Promise<number> => {
    let bytes = 0
    for await (const { sizeBytes } of files.list('')) bytes += sizeBytes
    return bytes
  }
  const storage = {
    ...files,
    taken,
    name: 'disk',
    write: files.write.bind(files),
    stat: files.stat.bind(files),
    remove: files.remove.bind(files),
    read: files.read.bind(files),
    list: files.list.bind(files),
    space: async () => ({ totalBytes, freeBytes: totalBytes - storage.taken - (await used()) }),
    [Symbol.asyncDispose]: async () => {},
  }
  return storage
}
const MB = 1024 * 1024
const freeOf = async (storage: Storage): Promise<number> => (await storage.space())!.freeBytes

describe('the room that is set aside on a disk', () => {
  it('is a small share of it, kept once, and let go only when the disk is nearly full', async () => {
    const storage = disk(128 * MB)
    await keepReserve(storage, seededRandom(1))
    await keepReserve(storage, seededRandom(2))
    expect(await freeOf(storage)).toBe(127 * MB)
    await spendReserve(storage)
    expect(await freeOf(storage)).toBe(127 * MB)
    storage.taken = 127 * MB
    await spendReserve(storage)
    expect(await freeOf(storage)).toBe(MB)
  })

  it('keeps a run from beginning on a disk that is full', async () => {
    const storage = disk(128 * MB, 127 * MB)
    await expect(keepReserve(storage, seededRandom(1))).rejects.toMatchObject({
      code: 'full',
      message: 'the disk is full: 1.0 MB are free and a run needs 2.0 MB to begin',
    })
    expect(await freeOf(storage)).toBe(MB)
  })

  it('is nothing where a storage has no end', async () => {
    const storage = memoryStorage()
    await keepReserve(storage, seededRandom(1))
    await spendReserve(storage)
    expect(await storage.stat('.holdfast-reserve')).toBeUndefined()
  })
})
