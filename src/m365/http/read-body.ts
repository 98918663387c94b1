import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { HoldfastError, type Json } from '#base'
import { networkFailure, type IncomingResponse } from './transport.ts'

const unzip = promisify(gunzip)

export interface ReadLimits {
  /** Applies to the body as it travelled and to what it unpacks to. */
  readonly maxBytes: number
  readonly onReceived: (bytes: number) => void
}

/** The whole body, unpacked. Throws `too-large` as soon as the limit is passed. */
export async function readBody(response: IncomingResponse, limits: ReadLimits): Promise<Buffer> {
  const declared = Number(response.header('content-length') ?? 0)
  if (declared > limits.maxBytes) {
    discard(response)
    throw tooLarge(limits.maxBytes)
  }
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      size += chunk.length
      limits.onReceived(chunk.length)
      if (size > limits.maxBytes) throw tooLarge(limits.maxBytes)
      chunks.push(chunk)
    }
  } catch (error) {
    throw error instanceof HoldfastError ? error : networkFailure(error)
  }
  const packed = Buffer.concat(chunks, size)
  return response.header('content-encoding') === 'gzip' ? await unpacked(packed, limits.maxBytes) : packed
}

/** JSON of a body, or undefined when it is none. */
export function parseJson(text: Buffer): Json | undefined {
  try {
    return JSON.parse(text.toString('utf8')) as Json
  } catch {
    return undefined
  }
}

/** Ends the reading of a body that nobody wants. */
export function discard(response: IncomingResponse): void {
  response.body.on('error', () => {})
  response.body.destroy()
}

async function unpacked(packed: Buffer, maxBytes: number): Promise<Buffer> {
  try {
    return await unzip(packed, { maxOutputLength: maxBytes })
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge(maxBytes)
    throw networkFailure(error)
  }
}

function tooLarge(maxBytes: number): HoldfastError {
  return new HoldfastError('too-large', `Microsoft 365 answered more than ${maxBytes} bytes at once`)
}
