import { buffer } from 'node:stream/consumers'
import { fromBufferPromise } from 'yauzl'

export interface ZipFile {
  readonly path: string
  readonly modifiedAt: Date
  readonly bytes: Buffer
}

/** All files of a ZIP, read by a library that did not write it. */
export const openZip = async (bytes: Buffer): Promise<ZipFile[]> => {
  const zip = await fromBufferPromise(bytes)
  const found: ZipFile[] = []
  for await (const entry of zip.eachEntry()) {
    const content = await zip.openReadStreamPromise(entry)
    found.push({ path: entry.fileName, modifiedAt: entry.getLastModDate(), bytes: await buffer(content) })
  }
  return found
}
