import { request } from 'node:https'

export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly bytes: Buffer
  readonly text: string
  /** The body as JSON; throws when it is none. */
  json<T = Record<string, unknown>>(): T
}

export interface HttpCall {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string | Buffer | object
  readonly ca: string
}

const encodeBody = (body: HttpCall['body']): { bytes: Buffer | undefined; type: string | undefined } => {
  if (body === undefined) return { bytes: undefined, type: undefined }
  if (Buffer.isBuffer(body)) return { bytes: body, type: undefined }
  if (typeof body === 'string') return { bytes: Buffer.from(body), type: 'application/x-www-form-urlencoded' }
  return { bytes: Buffer.from(JSON.stringify(body)), type: 'application/json' }
}

/** One HTTPS request to the practice tenant, its authority trusted. Strings are sent as forms, objects as JSON. */
export const http = (url: string, call: HttpCall): Promise<HttpAnswer> =>
  new Promise((resolve, reject) => {
    const { bytes, type } = encodeBody(call.body)
    const headers = { ...(type === undefined ? {} : { 'content-type': type }), ...call.headers }
    const outgoing = request(url, { method: call.method ?? 'GET', headers, ca: call.ca }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const whole = Buffer.concat(chunks)
        const text = whole.toString('utf8')
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          bytes: whole,
          text,
          json: <T>() => JSON.parse(text) as T,
        })
      })
    })
    outgoing.on('error', reject)
    outgoing.end(bytes)
  })
