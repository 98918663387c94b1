import { describe, expect, it } from 'vitest'
import { isHoldfastError } from '#base'
import type { Storage } from '../storage.ts'

const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const codeOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work
  } catch (error) {
    return isHoldfastError(error) ? error.code : `other: ${String(error)}`
  }
  return 'none'
}
const pathsOf = async (storage: Storage, folder: string): Promise<string[]> => {
  const paths: string[] = []
  for await (const file of storage.list(folder)) paths.push(file.path)
  return paths.sort()
}

/** What every storage and every wrapper around one keeps. `open` gives an empty storage; the suite closes it. */
export const storageConformance = (name: string, open: () => Promise<Storage>): void => {
  describe(`${name} keeps the promises of a storage`, () => {
    it('gives back what was written in parts', async () => {
      await using storage = await open()
      await storage.write('data/3b/one', [text('ab'), text(''), text('cdef')])
      expect(await storage.read('data/3b/one')).toEqual(text('abcdef'))
    })

    it('reads a range, and less where the file ends', async () => {
      await using storage = await open()
      await storage.write('data/range', [text('0123456789')])
      expect(await storage.read('data/range', { offset: 2, length: 3 })).toEqual(text('234'))
      expect(await storage.read('data/range', { offset: 8, length: 9 })).toEqual(text('89'))
      expect(await storage.read('data/range', { offset: 90, length: 9 })).toHaveLength(0)
    })

    it('never overwrites', async () => {
      await using storage = await open()
      await storage.write('keys/a', [text('first')])
      expect(await codeOf(storage.write('keys/a', [text('second')]))).toBe('conflict')
      expect(await storage.read('keys/a')).toEqual(text('first'))
    })

    it('lets one of two writers of a name win', async () => {
      await using storage = await open()
      const outcomes = await Promise.all(
        ['x', 'y'].map((value) => codeOf(storage.write('locks/same', [text(value.repeat(70_000))]))),
      )
      expect(outcomes.sort()).toEqual(['conflict', 'none'])
      expect(await storage.read('locks/same')).toHaveLength(70_000)
    })

    it('stores an empty file', async () => {
      await using storage = await open()
      await storage.write('empty', [])
      const empty = await storage.stat('empty')
      expect(empty).toMatchObject({ path: 'empty', sizeBytes: 0 })
      expect(empty?.modifiedAt).toBeInstanceOf(Date)
      expect(await storage.read('empty')).toHaveLength(0)
    })

    it('answers not-found for reading what is not there, and nothing for its stat', async () => {
      await using storage = await open()
      expect(await codeOf(storage.read('data/none'))).toBe('not-found')
      expect(await storage.stat('data/none')).toBeUndefined()
    })

    it('lists all files below a folder at any depth, with sizes', async () => {
      await using storage = await open()
      for (const path of ['data/aa/1', 'data/ab/2', 'database', 'index/3']) {
        await storage.write(path, [text(path)])
      }
      expect(await pathsOf(storage, 'data')).toEqual(['data/aa/1', 'data/ab/2'])
      expect(await pathsOf(storage, '')).toEqual(['data/aa/1', 'data/ab/2', 'database', 'index/3'])
      expect(await pathsOf(storage, 'snapshots')).toEqual([])
      for await (const file of storage.list('index')) expect(file.sizeBytes).toBe(7)
    })

    it('removes, and removes again without an error', async () => {
      await using storage = await open()
      await storage.write('data/gone', [text('x')])
      await storage.remove('data/gone')
      await storage.remove('data/gone')
      expect(await storage.stat('data/gone')).toBeUndefined()
      await storage.write('data/gone', [text('again')])
      expect(await storage.read('data/gone')).toEqual(text('again'))
    })

    it.each(['', '/etc/passwd', '../up', 'a/../../b', 'a//b', './a', 'a/', 'a\\b', 'a\0b', 'a-tmp-b'])(
      'refuses the path %j',
      async (path) => {
        await using storage = await open()
        expect(await codeOf(storage.write(path, [text('x')]))).toBe('invalid')
        expect(await codeOf(storage.read(path))).toBe('invalid')
        expect(await codeOf(storage.remove(path))).toBe('invalid')
      },
    )

    it('stops when the signal has fired', async () => {
      await using storage = await open()
      const stopped = AbortSignal.abort()
      await expect(storage.write('data/x', [text('x')], stopped)).rejects.toThrow()
      expect(await storage.stat('data/x')).toBeUndefined()
    })

    it('keeps a file of several megabytes whole', async () => {
      await using storage = await open()
      const part = Uint8Array.from({ length: 1 << 20 }, (_, at) => (at * 31) & 255)
      await storage.write('data/big', [part, part, part])
      expect(Buffer.compare(await storage.read('data/big'), Buffer.concat([part, part, part]))).toBe(0)
    })

    it('tells a plausible space or none', async () => {
      await using storage = await open()
      const space = await storage.space()
      if (space !== undefined) expect(space.totalBytes).toBeGreaterThanOrEqual(space.freeBytes)
    })
  })
}
