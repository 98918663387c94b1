import { corrupt } from '#base'
import type { MailAttachment } from '#items'
import { ByteReader } from './byte-reader.ts'
import type { Bytes, ItemAttachment, MailItemFile } from './contract.ts'
import { unpackAttachment, unpackMailItem } from './mail-item-json.ts'
import { ATTACHMENT_HEADER, ATTACHMENT_TYPE, ITEM_TYPE, LENGTH_HEADER } from './mail-item-file.ts'

const MAX_LINE = 1 << 16
const MAX_HEADER_BYTES = 8 << 20
/** A body or a JSON part is held in memory. */
const MAX_HELD_BYTES = 256 << 20
const MAX_ATTACHMENTS = 100_000

/**
 * Reads an item file back: equal to what was written. Reads up to the first attachment at once and the rest as it is asked
 * for; the content of an attachment that was not read is skipped. Throws `corrupt` for what is no item file, or is cut.
 */
export const readMailItemFile = async (bytes: Bytes): Promise<MailItemFile> => {
  const reader = new ByteReader(bytes)
  const boundary = boundaryIn(await readHeader(reader))
  const delimiter = Buffer.from(`\r\n--${boundary}`)
  if ((await reader.line(MAX_LINE)) !== `--${boundary}`)
    throw corrupt('the item file lacks its first boundary')
  const body = await heldPart(reader, await readHeader(reader))
  if (!(await passDelimiter(reader, delimiter))) throw corrupt('the item file ends after its body')
  const header = await readHeader(reader)
  if (header.get('content-type') !== ITEM_TYPE) throw corrupt('the item file lacks the part with the item')
  const item = unpackMailItem((await heldPart(reader, header)).toString(), body.toString())
  return { item, attachments: readAttachments(reader, delimiter) }
}

async function* readAttachments(reader: ByteReader, delimiter: Buffer): AsyncGenerator<ItemAttachment> {
  let announced: MailAttachment | undefined
  try {
    for (let count = 0; await passDelimiter(reader, delimiter); count += 1) {
      if (count > MAX_ATTACHMENTS) throw corrupt('the item file has too many parts')
      const header = await readHeader(reader)
      if (header.get('content-type') === ATTACHMENT_TYPE) {
        const { attachment, hasContent } = unpackAttachment((await heldPart(reader, header)).toString())
        if (hasContent) announced = attachment
        else yield { attachment, content: undefined }
        continue
      }
      const attachment = announced ?? attachmentIn(header)
      announced = undefined
      const content = contentOf(reader, header, delimiter)
      yield { attachment, content }
      await skip(content)
    }
  } finally {
    await reader.close()
  }
}

const contentOf = (
  reader: ByteReader,
  header: ReadonlyMap<string, string>,
  delimiter: Buffer,
): AsyncGenerator<Uint8Array> => {
  const length = lengthIn(header)
  const content = length === undefined ? reader.until(delimiter) : reader.stream(length)
  return keepOpen(content)
}

/** A generator whose early `return` leaves the rest to be skipped, not lost. */
const keepOpen = (inner: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> => {
  const outer: AsyncGenerator<Uint8Array> = {
    next: () => inner.next(),
    return: async () => ({ done: true, value: undefined }),
    throw: (error) => inner.throw(error),
    [Symbol.asyncIterator]: () => outer,
    [Symbol.asyncDispose]: async () => {},
  }
  return outer
}

const skip = async (content: AsyncGenerator<Uint8Array>): Promise<void> => {
  for (let next = await content.next(); next.done !== true; next = await content.next());
}

/** Stands behind a part: passes the delimiter. False at the end of the file. */
const passDelimiter = async (reader: ByteReader, delimiter: Buffer): Promise<boolean> => {
  if (!(await reader.exactly(delimiter.length)).equals(delimiter))
    throw corrupt('a part of the item file does not end')
  const rest = await reader.line(MAX_LINE)
  if (rest === '--') return false
  if (rest === '') return true
  throw corrupt('a boundary of the item file is broken')
}

const readHeader = async (reader: ByteReader): Promise<ReadonlyMap<string, string>> => {
  const fields = new Map<string, string>()
  let field: { name: string; lines: string[] } | undefined
  const keep = (): void => {
    if (field !== undefined && !fields.has(field.name)) fields.set(field.name, field.lines.join(''))
  }
  let size = 0
  for (;;) {
    const line = await reader.line(MAX_LINE)
    size += line.length
    if (size > MAX_HEADER_BYTES) throw corrupt('a header of the item file is too long')
    if (line === '') break
    if (line.startsWith(' ') && field !== undefined) {
      field.lines.push(line.slice(1))
      continue
    }
    keep()
    const colon = line.indexOf(': ')
    if (colon <= 0) throw corrupt('a header of the item file is broken')
    field = { name: line.slice(0, colon).toLowerCase(), lines: [line.slice(colon + 2)] }
  }
  keep()
  return fields
}

const boundaryIn = (header: ReadonlyMap<string, string>): string => {
  const match = /^multipart\/mixed;boundary="(=_holdfast_[0-9a-f]{32})"$/.exec(
    header.get('content-type') ?? '',
  )
  if (match === null) throw corrupt('this is not an item file')
  return match[1]!
}

const lengthIn = (header: ReadonlyMap<string, string>): number | undefined => {
  const text = header.get(LENGTH_HEADER.toLowerCase())
  if (text === undefined) return undefined
  if (!/^\d{1,15}$/.test(text)) throw corrupt('a length in the item file is broken')
  return Number(text)
}

const heldPart = async (reader: ByteReader, header: ReadonlyMap<string, string>): Promise<Buffer> => {
  const length = lengthIn(header)
  if (length === undefined || length > MAX_HELD_BYTES)
    throw corrupt('a part of the item file has no length to trust')
  return reader.exactly(length)
}

const attachmentIn = (header: ReadonlyMap<string, string>): MailAttachment => {
  const base64 = header.get(ATTACHMENT_HEADER.toLowerCase())
  if (base64 === undefined) throw corrupt('an attachment in the item file lacks its metadata')
  return unpackAttachment(Buffer.from(base64, 'base64').toString()).attachment
}
