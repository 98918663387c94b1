import { HoldfastError, isHoldfastError, type JsonObject } from '#base'
import type { DriveInfo } from '#items'
import { segment } from '../graph-json.ts'
import type { Answer, Call, Content, ContentCall, GraphClient, Page } from '../http/graph-client.ts'
import type { QuotaPool } from '../http/quota-pool.ts'
import { toDriveInfo } from './drive-json.ts'

/** Resource units of SharePoint and OneDrive. */
export const UNITS = { one: 1, list: 2, write: 2, permissions: 5 } as const

export type DriveCall = Omit<Call, 'pool'>

/** Graph as one user's drive sees it. Paths are below `/drives/{id}`; the id is asked for once. */
export class DriveCalls {
  readonly #graph: GraphClient
  readonly #pool: QuotaPool
  readonly #userId: string
  #info: Promise<DriveInfo> | undefined

  constructor(graph: GraphClient, pool: QuotaPool, userId: string) {
    this.#graph = graph
    this.#pool = pool
    this.#userId = userId
  }

  /** Throws reason `no-drive` for a user whose OneDrive is not there, `locked` for one that is locked. */
  async info(signal?: AbortSignal): Promise<DriveInfo> {
    this.#info ??= this.#askInfo(signal)
    try {
      return await this.#info
    } catch (error) {
      this.#info = undefined
      throw error
    }
  }

  async request(call: DriveCall): Promise<Answer> {
    return await this.#graph.request(await this.#whole(call))
  }

  async json(call: DriveCall): Promise<JsonObject> {
    return await this.#graph.json(await this.#whole(call))
  }

  async page(call: DriveCall): Promise<Page> {
    return await this.#graph.page(await this.#whole(call))
  }

  /** A page by a path that an earlier page gave. */
  async pageAt(call: DriveCall): Promise<Page> {
    return await this.#graph.page({ ...call, pool: this.#pool })
  }

  async *pages(call: DriveCall): AsyncGenerator<readonly JsonObject[]> {
    yield* this.#graph.pages(await this.#whole(call))
  }

  /** Undefined for what is not there. */
  async find(call: DriveCall): Promise<JsonObject | undefined> {
    try {
      return await this.json(call)
    } catch (error) {
      if (isHoldfastError(error, 'not-found') && error.reason !== 'no-drive') return undefined
      throw error
    }
  }

  async outside(call: Omit<ContentCall, 'pool'>): Promise<Content> {
    return await this.#graph.outside({ ...call, pool: this.#pool })
  }

  async #whole(call: DriveCall): Promise<Call> {
    const { id } = await this.info(call.signal)
    return { ...call, path: `/drives/${segment(id)}${call.path}`, pool: this.#pool }
  }

  async #askInfo(signal: AbortSignal | undefined): Promise<DriveInfo> {
    const path = `/users/${segment(this.#userId)}/drive`
    try {
      return toDriveInfo(await this.#graph.json({ path, pool: this.#pool, cost: UNITS.one, signal }))
    } catch (error) {
      throw noDrive(error)
    }
  }
}

/** A user without OneDrive is 404 when it was never opened and 400 when the tenant has no licence for it. */
function noDrive(error: unknown): unknown {
  if (isHoldfastError(error, 'not-found')) {
    return new HoldfastError('not-found', `the user has no OneDrive: ${error.message}`, {
      cause: error,
      reason: 'no-drive',
    })
  }
  if (isHoldfastError(error, 'invalid') && /\blicense\b/i.test(error.message)) {
    return new HoldfastError('not-found', error.message, { cause: error, reason: 'not-licensed' })
  }
  return error
}
