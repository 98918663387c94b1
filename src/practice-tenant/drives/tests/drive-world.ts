import { systemClock, type Clock } from '#base'
import { validateGraph } from '../../../../tests/data/validate-graph.ts'
import type { SeedOptions } from '../../core/contract.ts'
import { startPracticeTenant, type PracticeTenant } from '../../core/practice-tenant.ts'
import { http, type HttpAnswer, type HttpCall } from '../../tests/http.ts'
import { drives } from '../drives.ts'

/** The system's clock, moved ahead at will. */
export class MovingClock implements Clock {
  #aheadMs = 0
  nowMs(): number {
    return systemClock.nowMs() + this.#aheadMs
  }
  now(): Date {
    return new Date(this.nowMs())
  }
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return systemClock.sleep(ms, signal)
  }
  advance(ms: number): void {
    this.#aheadMs += ms
  }
}

export const SENTINELS = [
  'expired-delta',
  'repeat-delta',
  'tiny-quota',
  'promote-office',
  'no-sharing',
] as const

export interface Item {
  readonly id: string
  readonly name: string
  readonly size: number
  readonly eTag: string
  readonly cTag?: string
  readonly file?: { readonly mimeType: string; readonly hashes?: { readonly quickXorHash: string } }
  readonly folder?: { readonly childCount: number }
  readonly deleted?: object
  readonly shared?: { readonly scope: string }
  readonly package?: object
  readonly remoteItem?: object
  readonly malware?: object
  readonly root?: object
  readonly fileSystemInfo: { readonly createdDateTime: string; readonly lastModifiedDateTime: string }
  readonly parentReference: { readonly id?: string; readonly path?: string; readonly driveId: string }
  readonly '@microsoft.graph.downloadUrl'?: string
  readonly '@microsoft.graph.sharedChanged'?: string
}

export interface Page {
  readonly value: readonly Item[]
  readonly '@odata.nextLink'?: string
  readonly '@odata.deltaLink'?: string
}

/** A tenant with drives alone. */
export const startDrives = (clock: Clock, seed: Partial<SeedOptions> = {}): Promise<PracticeTenant> =>
  startPracticeTenant({
    clock,
    parts: [drives],
    throttling: false,
    sentinels: SENTINELS,
    seed: { users: 3, files: 40, mails: 0, ...seed },
  })

type CallOptions = Omit<HttpCall, 'ca' | 'method'> & { readonly noToken?: boolean }

/** Calls on one user's drive. Every good JSON answer is held against Microsoft's metadata. */
export class DriveClient {
  readonly tenant: PracticeTenant
  readonly user: string
  #id: string | undefined

  constructor(tenant: PracticeTenant, user: string) {
    this.tenant = tenant
    this.user = user
  }

  /** By index, or by the name of a sentinel. */
  static of(tenant: PracticeTenant, which: number | (typeof SENTINELS)[number]): DriveClient {
    const users = [...tenant.state.users()]
    const user = users.find(({ index, userPrincipalName }) =>
      typeof which === 'number' ? index === which : userPrincipalName.startsWith(which),
    )
    return new DriveClient(tenant, user!.userPrincipalName)
  }

  async id(): Promise<string> {
    return (this.#id ??= (await this.graph('GET', `/users/${this.user}/drive`)).json<{ id: string }>().id)
  }

  /** A path below the drive, `/root/children`, or a whole address. */
  async call(method: string, path: string, options: CallOptions = {}): Promise<HttpAnswer> {
    if (path.startsWith('https:')) return this.graph(method, path, options)
    return this.graph(method, `/drives/${await this.id()}${path}`, options)
  }

  async graph(method: string, path: string, { noToken, ...options }: CallOptions = {}): Promise<HttpAnswer> {
    const url = path.startsWith('https:') ? path : `${this.tenant.origin('graph')}/v1.0${path}`
    const token = this.tenant.token({ application: this.tenant.editor.id })
    const headers = { ...(noToken === true ? {} : { authorization: `Bearer ${token}` }), ...options.headers }
    const answer = await http(url, { method, ...options, headers, ca: this.tenant.ca })
    if (answer.status < 300 && answer.text.startsWith('{"@odata.context"')) validate(answer)
    return answer
  }

  /** The pre-authenticated address as it is, without a token. */
  async plain(method: string, url: string, options: CallOptions = {}): Promise<HttpAnswer> {
    return this.graph(method, url, { ...options, noToken: true })
  }

  async item(path: string): Promise<Item> {
    const answer = await this.call('GET', path)
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.text}`)
    return answer.json<Item>()
  }

  async put(path: string, body: Buffer | string, query = ''): Promise<Item> {
    const answer = await this.call('PUT', `/root:/${encodeURI(path)}:/content${query}`, {
      body: Buffer.from(body),
    })
    if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${answer.text}`)
    return answer.json<Item>()
  }

  /** All pages from an address on, with the link that ends them. */
  async pages(
    path: string,
    options: CallOptions = {},
  ): Promise<{ items: Item[]; link: string | undefined; pages: number }> {
    const items: Item[] = []
    let next: string | undefined = path
    for (let pages = 1; pages < 1000; pages += 1) {
      const answer = await this.call('GET', next, options)
      if (answer.status !== 200) throw new Error(`${next}: ${answer.status} ${answer.text}`)
      const page = answer.json<Page>()
      items.push(...page.value)
      next = page['@odata.nextLink']
      if (next === undefined) return { items, link: page['@odata.deltaLink'], pages }
    }
    throw new Error('pages without end')
  }

  /** The bytes, as a client fetches them: the address from Graph, the bytes from there. */
  async content(path: string): Promise<Buffer> {
    const { headers, status } = await this.call('GET', `${path}/content`)
    if (status !== 302) throw new Error(`content of ${path}: ${status}`)
    return (await this.plain('GET', String(headers['location']))).bytes
  }
}

export const errorOf = (answer: HttpAnswer): { status: number; code: string; inner?: string } => {
  const { error } = answer.json<{ error: { code: string; innerError: { code?: string } } }>()
  const inner = error.innerError.code
  return { status: answer.status, code: error.code, ...(inner === undefined ? {} : { inner }) }
}

const TYPES: Readonly<Record<string, string>> = {
  drives: 'drive',
  driveItems: 'driveItem',
  driveItemVersions: 'driveItemVersion',
  permissions: 'permission',
}

const validate = (answer: HttpAnswer): void => {
  const { '@odata.context': context, ...body } = answer.json()
  const name = /#(?:Collection\((\w+)\)|(\w+))/.exec(String(context))
  const type = name?.[1] ?? TYPES[name?.[2] ?? ''] ?? 'unknown'
  const values = Array.isArray(body['value']) ? (body['value'] as unknown[]) : [body]
  const wrong = values.flatMap((value) => validateGraph(type, value))
  if (wrong.length > 0) throw new Error(`not what Graph would say: ${wrong.slice(0, 5).join('; ')}`)
}
