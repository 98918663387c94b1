import type { JsonObject } from '#base'
import { segment } from '../graph-json.ts'
import { batchGet, type BatchAnswer } from '../http/batch.ts'
import type { Answer, Call, Content, ContentCall, GraphClient, Page } from '../http/graph-client.ts'
import type { QuotaPool } from '../http/quota-pool.ts'
import { MESSAGE_PREFERENCES } from './mail-json.ts'

/** A call about one mailbox: the path is below `/users/{id}`, unless it is one that `page` gave. */
export type MailboxCall = Omit<Call, 'pool' | 'cost'>

/** Graph as one mailbox sees it: its own pool, immutable ids with every call. */
export class MailboxCalls {
  readonly #graph: GraphClient
  readonly #pool: () => QuotaPool
  readonly #base: string

  constructor(graph: GraphClient, pool: () => QuotaPool, userId: string) {
    this.#graph = graph
    this.#pool = pool
    this.#base = `/users/${segment(userId)}`
  }

  async request(call: MailboxCall): Promise<Answer> {
    return await this.#graph.request(this.#whole(call))
  }

  async json(call: MailboxCall): Promise<JsonObject> {
    return await this.#graph.json(this.#whole(call))
  }

  async page(call: MailboxCall): Promise<Page> {
    return await this.#graph.page(this.#whole(call))
  }

  /** A page by a path that an earlier page gave. */
  async pageAt(call: MailboxCall): Promise<Page> {
    return await this.#graph.page({ ...this.#whole(call), path: call.path })
  }

  pages(call: MailboxCall): AsyncGenerator<readonly JsonObject[]> {
    return this.#graph.pages(this.#whole(call))
  }

  async content(call: MailboxCall): Promise<Content> {
    return await this.#graph.content(this.#whole(call))
  }

  async outside(call: Omit<ContentCall, 'pool'>): Promise<Content> {
    return await this.#graph.outside({ ...call, pool: this.#pool() })
  }

  async batch(paths: readonly string[], signal?: AbortSignal): Promise<readonly BatchAnswer[]> {
    return await batchGet(this.#graph, {
      paths: paths.map((path) => this.#base + path),
      prefer: MESSAGE_PREFERENCES,
      pool: this.#pool(),
      signal,
    })
  }

  #whole(call: MailboxCall): Call {
    return {
      ...call,
      path: this.#base + call.path,
      pool: this.#pool(),
      prefer: [...(call.prefer ?? []), ...MESSAGE_PREFERENCES],
    }
  }
}
