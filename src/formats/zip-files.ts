import { Readable } from 'node:stream'
import { ZipFile } from 'yazl'

export interface ZipEntry {
  /** With `/`; made safe by the caller. */
  readonly path: string
  readonly modifiedAt: Date
  /** Called once, when the entry's turn has come. */
  open(): AsyncIterable<Uint8Array>
}

/**
 * A ZIP archive as a stream, with the files' own dates and of any size. One entry is open at a time. What an entry throws
 * destroys the stream, so that a cut archive never looks whole.
 */
export const zipFiles = (entries: AsyncIterable<ZipEntry>): Readable => {
  const zip = new ZipFile()
  const output = zip.outputStream as Readable
  const add = (entry: ZipEntry): Promise<void> =>
    new Promise((resolve, reject) => {
      const options = { mtime: inZipRange(entry.modifiedAt), compress: !isCompressed(entry.path) }
      zip.addReadStreamLazy(entry.path, options, (give) => {
        const content = Readable.from(entry.open(), { objectMode: false })
        content.once('error', reject)
        content.once('end', resolve)
        give(null, content)
      })
    })
  const addAll = async (): Promise<void> => {
    for await (const entry of entries) await add(entry)
    zip.end()
  }
  zip.on('error', (error: Error) => output.destroy(error))
  addAll().catch((error: unknown) =>
    output.destroy(error instanceof Error ? error : new Error(String(error))),
  )
  return output
}

// A ZIP says dates from 1980 to 2107.
const inZipRange = (date: Date): Date =>
  new Date(Math.min(Math.max(date.getTime(), Date.UTC(1980, 0, 2)), Date.UTC(2107, 11, 30)))

const isCompressed = (path: string): boolean =>
  /\.(zip|7z|gz|bz2|xz|zst|rar|jpe?g|png|gif|webp|heic|mp[34]|m4[av]|mov|mkv|avi|docx|xlsx|pptx|pdf)$/i.test(
    path,
  )
