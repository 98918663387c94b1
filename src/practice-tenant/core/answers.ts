import type { IncomingHttpHeaders } from 'node:http'
import type { Clock, Random } from '#base'
import { GraphError, type ServiceArea, type TenantAnswer } from './contract.ts'

/** Ids and time of one answer. */
export interface Stamp {
  readonly requestId: string
  readonly clientRequestId: string
  readonly date: string
}

const DIAGNOSTIC = JSON.stringify({
  ServerInfo: {
    DataCenter: 'West Europe',
    Slice: 'E',
    Ring: '5',
    ScaleUnit: '001',
    RoleInstance: 'AM2PEPF00000001',
  },
})
const ODATA_JSON =
  'application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8'

export const stampFor = (headers: IncomingHttpHeaders, clock: Clock, random: Random): Stamp => {
  const requestId = random.uuid()
  const asked = headers['client-request-id']
  return {
    requestId,
    clientRequestId: typeof asked === 'string' && asked !== '' ? asked : requestId,
    date: clock.now().toISOString().slice(0, 19),
  }
}

/** The headers that Graph puts on every answer. */
export const graphHeaders = (stamp: Stamp): Record<string, string> => ({
  'cache-control': 'no-store, no-cache',
  'strict-transport-security': 'max-age=31536000',
  'request-id': stamp.requestId,
  'client-request-id': stamp.clientRequestId,
  'x-ms-ags-diagnostic': DIAGNOSTIC,
})

/** An answer with its body as bytes or a stream, ready to be written. */
export interface Finished {
  readonly status: number
  readonly headers: Record<string, string>
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | undefined
}

const bodyOf = (answer: TenantAnswer): { body: Finished['body']; isJson: boolean } => {
  if (answer.bytes !== undefined) return { body: answer.bytes, isJson: false }
  if (answer.jsonText !== undefined) {
    const { jsonText } = answer
    return { body: typeof jsonText === 'string' ? Buffer.from(jsonText) : jsonText, isJson: true }
  }
  if (answer.json !== undefined) return { body: Buffer.from(JSON.stringify(answer.json)), isJson: true }
  return { body: undefined, isJson: false }
}

/** Adds what the core owes to every answer; what the handler has set stays. */
export const finish = (
  answer: TenantAnswer,
  common: Readonly<Record<string, string>>,
  area: ServiceArea,
): Finished => {
  const { body, isJson } = bodyOf(answer)
  const headers: Record<string, string> = { ...common }
  if (isJson) {
    headers['content-type'] = area === 'login' ? 'application/json; charset=utf-8' : ODATA_JSON
    if (area !== 'login') headers['odata-version'] = '4.0'
  }
  for (const [name, value] of Object.entries(answer.headers ?? {})) headers[name.toLowerCase()] = value
  if (body instanceof Uint8Array) headers['content-length'] ??= String(body.byteLength)
  if (body === undefined && answer.status !== 204 && answer.status !== 304) headers['content-length'] ??= '0'
  return { status: answer.status, headers, body }
}

/** The error envelope of Graph. */
export const errorAnswer = (error: GraphError, stamp: Stamp): TenantAnswer => {
  const inner = {
    ...(error.innerCode === undefined ? {} : { code: error.innerCode }),
    date: stamp.date,
    'request-id': stamp.requestId,
    'client-request-id': stamp.clientRequestId,
  }
  return {
    status: error.status,
    headers: error.headers,
    json: { error: { code: error.code, message: error.message, innerError: inner } },
  }
}
