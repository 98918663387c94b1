import type { PracticeTenant, PracticeTenantOptions } from '../index.ts'
import { startPracticeTenant } from '../index.ts'
import { ews } from '../ews/ews.ts'
import { outlook } from '../outlook/outlook.ts'
import { http } from './http.ts'
import type { HttpAnswer } from './http.ts'

export type Json = Record<string, unknown>

export interface Page {
  readonly value: Json[]
  readonly '@odata.nextLink'?: string
  readonly '@odata.deltaLink'?: string
  readonly '@odata.count'?: number
}

export interface DeskCall {
  readonly headers?: Record<string, string>
  readonly body?: object | string | Buffer
}

export const IMMUTABLE = { prefer: 'IdType="ImmutableId"' }

/** A practice tenant with mail alone, and a client that may do everything with it. */
export class MailDesk {
  readonly tenant: PracticeTenant
  readonly #token: string

  private constructor(tenant: PracticeTenant) {
    this.tenant = tenant
    this.#token = tenant.token({ application: tenant.editor.id })
  }

  static async open(options: PracticeTenantOptions = {}): Promise<MailDesk> {
    return new MailDesk(await startPracticeTenant({ throttling: false, parts: [outlook, ews], ...options }))
  }

  /** The address of a user's mail: `/users/…` of the user with the number, or the sentinel with the name. */
  user(which: number | string): string {
    if (typeof which === 'string') return `/users/${which}@${this.tenant.domain}`
    const users = [...this.tenant.state.users()].filter(({ mailboxKind }) => mailboxKind === 'user')
    return `/users/${users[which]!.id}`
  }

  call(method: string, path: string, { headers, body }: DeskCall = {}): Promise<HttpAnswer> {
    const url = path.startsWith('https:') ? path : `${this.tenant.origin('graph')}/v1.0${path}`
    return http(url, {
      ca: this.tenant.ca,
      method,
      headers: { authorization: `Bearer ${this.#token}`, ...headers },
      ...(body === undefined ? {} : { body }),
    })
  }

  async get<T = Json>(path: string, headers: Record<string, string> = {}): Promise<T> {
    const answer = await this.call('GET', path, { headers })
    if (answer.status !== 200) throw new Error(`${answer.status} ${path}: ${answer.text.slice(0, 500)}`)
    return answer.json<T>()
  }

  async post(path: string, body: object, headers: Record<string, string> = {}): Promise<Json> {
    const answer = await this.call('POST', path, { headers, body })
    if (answer.status !== 201) throw new Error(`${answer.status} ${path}: ${answer.text.slice(0, 500)}`)
    return answer.json()
  }

  /** All items of a list or delta round, and the link of the next round. */
  async all(
    path: string,
    headers: Record<string, string> = {},
  ): Promise<{ items: Json[]; deltaLink: string | undefined; pages: number }> {
    const items: Json[] = []
    let next: string | undefined = path
    let deltaLink: string | undefined
    let pages = 0
    while (next !== undefined) {
      if (pages > 500) throw new Error(`${path} never ends`)
      const page: Page = await this.get<Page>(next, headers)
      items.push(...page.value)
      next = page['@odata.nextLink']
      deltaLink = page['@odata.deltaLink']
      pages += 1
    }
    return { items, deltaLink, pages }
  }

  /** Status and code of a refused call. */
  async refusal(method: string, path: string, call: DeskCall = {}): Promise<string> {
    const answer = await this.call(method, path, call)
    return `${answer.status} ${answer.json<{ error?: { code: string } }>().error?.code ?? ''}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.tenant[Symbol.asyncDispose]()
  }
}
