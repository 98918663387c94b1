import { buffer } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { fromBufferPromise, type ZipFile } from 'yauzl'
import { zipFiles, type ZipEntry } from './zip-files.ts'

async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text)
}
const entry = (path: string, ...texts: string[]): ZipEntry => ({
  path,
  modifiedAt: new Date('2021-03-04T05:06:08Z'),
  open: () => chunks(...texts),
})
async function* listed(...entries: ZipEntry[]): AsyncGenerator<ZipEntry> {
  yield* entries
}
const unzip = async (bytes: Buffer): Promise<Record<string, { text: string; date: Date }>> => {
  const zip: ZipFile = await fromBufferPromise(bytes)
  const found: Record<string, { text: string; date: Date }> = {}
  for await (const item of zip.eachEntry()) {
    const content = await buffer(await zip.openReadStreamPromise(item))
    found[item.fileName] = { text: content.toString(), date: item.getLastModDate() }
  }
  return found
}

describe('zipFiles', () => {
  it('writes files with their paths, bytes and dates', async () => {
    const found = await unzip(
      await buffer(zipFiles(listed(entry('a/ü.txt', 'one', 'two'), entry('b.pdf', 'x'), entry('c')))),
    )
    expect(Object.keys(found)).toEqual(['a/ü.txt', 'b.pdf', 'c'])
    expect(found['a/ü.txt']).toEqual({ text: 'onetwo', date: new Date('2021-03-04T05:06:08Z') })
    expect(found['c']!.text).toBe('')
  })

  it('opens one entry at a time', async () => {
    let openNow = 0
    let most = 0
    const counted = (path: string): ZipEntry => ({
      ...entry(path),
      open: async function* () {
        most = Math.max(most, (openNow += 1))
        yield Buffer.from(path)
        openNow -= 1
      },
    })
    await buffer(zipFiles(listed(counted('1'), counted('2'), counted('3'))))
    expect(most).toBe(1)
  })

  it('breaks off when a file cannot be read', async () => {
    const broken: ZipEntry = {
      ...entry('x'),
      open: async function* () {
        yield Buffer.from('half')
        throw new Error('gone')
      },
    }
    await expect(buffer(zipFiles(listed(entry('a', 'ok'), broken)))).rejects.toThrow('gone')
  })
})
