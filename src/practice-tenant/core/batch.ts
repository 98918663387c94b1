import type { JsonObject, Random } from '#base'
import type { Finished } from './answers.ts'
import { GraphError, type Route, type TenantAnswer, type TenantRequest } from './contract.ts'
import type { Dispatcher, Gatekeeper } from './dispatcher.ts'

const MOST_ENTRIES = 20
/** Entries for one mailbox that run at a time. */
const MAILBOX_PARALLEL = 4
const METHODS = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])

interface Entry {
  readonly id: string
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  readonly dependsOn: readonly string[]
}

interface Done {
  readonly status: number
  readonly text: string
}

const refused = (message: string): GraphError => new GraphError(400, 'BadRequest', message)

const headersOf = (value: unknown): Record<string, string> => {
  const headers: Record<string, string> = {}
  if (typeof value !== 'object' || value === null) return headers
  for (const [name, text] of Object.entries(value)) headers[name.toLowerCase()] = String(text)
  return headers
}

const bodyOf = (id: string, body: unknown, headers: Readonly<Record<string, string>>): Buffer => {
  if (body === undefined || body === null) return Buffer.alloc(0)
  const type = headers['content-type']
  if (type === undefined)
    throw refused(`Write request id : ${id} does not contain Content-Type header or body.`)
  if (typeof body === 'string' && !type.includes('json')) return Buffer.from(body, 'base64')
  return Buffer.from(JSON.stringify(body))
}

const entryOf = (value: unknown): Entry => {
  if (typeof value !== 'object' || value === null) throw refused('Invalid batch payload format.')
  const { id, method, url, headers, body, dependsOn } = value as Record<string, unknown>
  if (typeof id !== 'string' || id === '') throw refused('The request id is missing.')
  if (typeof method !== 'string' || !METHODS.has(method.toUpperCase())) {
    throw refused(`Request id : ${id} has no valid method.`)
  }
  if (typeof url !== 'string' || /^https?:/i.test(url))
    throw refused(`Request id : ${id} has no relative url.`)
  const read = headersOf(headers)
  return {
    id,
    method: method.toUpperCase(),
    url: url.startsWith('/') ? url : `/${url}`,
    headers: read,
    body: bodyOf(id, body, read),
    dependsOn: Array.isArray(dependsOn) ? dependsOn.map(String) : [],
  }
}

const entriesOf = (payload: JsonObject): Entry[] => {
  const { requests } = payload
  if (!Array.isArray(requests) || requests.length === 0) throw refused('Invalid batch payload format.')
  if (requests.length > MOST_ENTRIES) {
    throw refused(`Number of batch request steps exceeds the maximum value of ${MOST_ENTRIES}.`)
  }
  const entries = requests.map(entryOf)
  const seen = new Set<string>()
  for (const { id, dependsOn } of entries) {
    if (seen.has(id)) throw refused(`The request id '${id}' is used more than once.`)
    // Only what stands before: so there is no circle.
    const unknown = dependsOn.find((other) => !seen.has(other))
    if (unknown !== undefined)
      throw refused(`Request id : ${id} depends on '${unknown}', which does not stand before it.`)
    seen.add(id)
  }
  return entries
}

/** Lets a few callers in at a time, in the order they came. */
class Turnstile {
  #free = MAILBOX_PARALLEL
  readonly #waiting: (() => void)[] = []

  async pass<T>(run: () => Promise<T>): Promise<T> {
    if (this.#free === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#free -= 1
    try {
      return await run()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free += 1
      else next()
    }
  }
}

const collect = async (body: Finished['body']): Promise<Buffer> => {
  if (body === undefined) return Buffer.alloc(0)
  if (body instanceof Uint8Array) return Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const LEFT_OUT = new Set([
  'content-length',
  'strict-transport-security',
  'client-request-id',
  'request-id',
  'x-ms-ags-diagnostic',
])

/** The text of one response: its JSON goes in as it is, other bytes as base64. */
const responseText = async (id: string, finished: Finished): Promise<string> => {
  const bytes = await collect(finished.body)
  const headers = Object.fromEntries(Object.entries(finished.headers).filter(([name]) => !LEFT_OUT.has(name)))
  const head = `{"id":${JSON.stringify(id)},"status":${finished.status},"headers":${JSON.stringify(headers)}`
  if (bytes.length === 0) return `${head}}`
  const isJson = (finished.headers['content-type'] ?? '').includes('json')
  return `${head},"body":${isJson ? bytes.toString('utf8') : JSON.stringify(bytes.toString('base64'))}}`
}

const failedDependency = (id: string): Done => {
  const error = {
    code: 'FailedDependency',
    message: 'The request was not run: one that it depends on has failed.',
  }
  return {
    status: 424,
    text: `{"id":${JSON.stringify(id)},"status":424,"headers":{"content-type":"application/json"},"body":${JSON.stringify({ error })}}`,
  }
}

const groupOf = (entry: Entry): string => entry.url.split('/').slice(1, 3).join('/').toLowerCase()

const shuffled = (texts: readonly string[], random: Random): string[] =>
  texts
    .map((text) => ({ text, at: random.fraction() }))
    .sort((left, right) => left.at - right.at)
    .map(({ text }) => text)

export interface BatchParts {
  readonly dispatcher: () => Dispatcher
  readonly gatekeeper: Gatekeeper
  readonly random: Random
}

/** `POST /$batch`: up to 20 requests, each routed, admitted and throttled as if it had come alone. */
export const batchRoute = (parts: BatchParts): Route => ({
  role: 'graph',
  method: 'POST',
  path: '/$batch',
  area: 'open',
  handler: async (request): Promise<TenantAnswer> => {
    parts.gatekeeper.identify(request as Parameters<Gatekeeper['identify']>[0])
    const entries = entriesOf(await request.json())
    const turnstiles = new Map<string, Turnstile>()
    const running = new Map<string, Promise<Done>>()
    for (const entry of entries) {
      const group = groupOf(entry)
      const turnstile = turnstiles.get(group) ?? new Turnstile()
      turnstiles.set(group, turnstile)
      running.set(
        entry.id,
        afterOthers(entry, running, () => turnstile.pass(() => runEntry(parts, request, entry))),
      )
    }
    const done = await Promise.all(running.values())
    const texts = shuffled(
      done.map(({ text }) => text),
      parts.random,
    )
    return { status: 200, jsonText: `{"responses":[${texts.join(',')}]}` }
  },
})

const afterOthers = async (
  entry: Entry,
  running: ReadonlyMap<string, Promise<Done>>,
  run: () => Promise<Done>,
): Promise<Done> => {
  const before = await Promise.all(entry.dependsOn.map((id) => running.get(id)!))
  return before.some(({ status }) => status >= 400) ? failedDependency(entry.id) : run()
}

const runEntry = async (parts: BatchParts, outer: TenantRequest, entry: Entry): Promise<Done> => {
  const base = outer.url.pathname.replace(/\/\$batch\/?$/i, '')
  if (/^\/\$batch(\/|\?|$)/i.test(entry.url)) throw refused('A batch may not hold a batch.')
  const sent: (() => void)[] = []
  try {
    const finished = await parts.dispatcher().dispatch({
      role: 'graph',
      method: entry.method,
      url: new URL(outer.origin('graph') + base + entry.url),
      headers: {
        ...entry.headers,
        authorization: String(outer.headers['authorization']),
        'user-agent': String(outer.headers['user-agent'] ?? ''),
      },
      readBody: () => Promise.resolve(entry.body),
      origin: (role) => outer.origin(role),
      signal: outer.signal,
      onSent: (callback) => void sent.push(callback),
    })
    return { status: finished.status, text: await responseText(entry.id, finished) }
  } finally {
    for (const callback of sent) callback()
  }
}
