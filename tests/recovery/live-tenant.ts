import type { TenantAddresses } from '../../scripts/demo/tenant.ts'
import type { Random } from '#base'
import { HttpClient, type Answer, type Call } from '../world/http-client.ts'
import { Program } from './program.ts'

export interface TenantReady extends TenantAddresses {
  readonly practiceKey: string
}

export interface LiveUser {
  readonly id: string
  readonly userPrincipalName: string
}

export interface LiveMessage {
  readonly id: string
  readonly changeKey: string
  readonly subject: string
  readonly internetMessageId: string
}

export interface LiveFile {
  readonly id: string
  readonly name: string
  readonly size: number
  readonly parentReference?: { readonly id?: string }
  readonly file?: { readonly hashes?: { readonly quickXorHash?: string } }
  readonly folder?: object
  readonly root?: object
  readonly malware?: object
  readonly deleted?: object
}

interface Listed<Item> {
  readonly value: readonly Item[]
  readonly '@odata.nextLink'?: string
}

/** A request as the practice tenant remembers it. */
export interface LoggedRequest {
  readonly atMs: number
  readonly area: string
  readonly role: string
  readonly method: string
  readonly path: string
  readonly status: number
  readonly application: string | undefined
}

/** A practice tenant as a process, and somebody who works in it. */
export class LiveTenant implements AsyncDisposable {
  readonly ready: TenantReady
  /** Who has a mailbox. */
  readonly users: readonly LiveUser[]
  readonly #program: Program
  readonly #graph: Caller
  readonly #controls: Caller

  private constructor(
    program: Program,
    ready: TenantReady,
    parts: { graph: Caller; controls: Caller; users: readonly LiveUser[] },
  ) {
    this.#program = program
    this.ready = ready
    this.#graph = parts.graph
    this.#controls = parts.controls
    this.users = parts.users
  }

  static async start(
    folder: string,
    size: { users: number; mails: number; files: number },
  ): Promise<LiveTenant> {
    const numbers = Object.entries(size).flatMap(([name, value]) => [`--${name}`, String(value)])
    const program = new Program(['practice-tenant', ...numbers, '--no-throttling', '--data', folder])
    try {
      const ready = await program.ready<TenantReady>()
      const controls = new Caller(ready.login, ready.caFile, ready.practiceKey)
      const graph = new Caller(ready.graph, ready.caFile, await editorToken(ready))
      const { value } = await graph.ok<Listed<LiveUser>>('GET', '/v1.0/users?$top=999')
      const users: LiveUser[] = []
      for (const user of value)
        if ((await graph.call('GET', `/v1.0/users/${user.id}/mailFolders/inbox`)).status === 200)
          users.push(user)
      return new LiveTenant(program, ready, { graph, controls, users })
    } catch (error) {
      await program.kill()
      throw error
    }
  }

  /** `/_practice/…`: faults, counters, settings. */
  async control<Answer>(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    name: string,
    body?: object,
  ): Promise<Answer> {
    return this.#controls.ok<Answer>(method, `/_practice/${name}`, body)
  }

  async requests(): Promise<readonly LoggedRequest[]> {
    return (await this.control<{ value: LoggedRequest[] }>('GET', 'requests')).value
  }

  async #all<Item>(path: string): Promise<Item[]> {
    const items: Item[] = []
    for (let at: string | undefined = path; at !== undefined;) {
      const page: Listed<Item> = await this.#graph.ok<Listed<Item>>('GET', at)
      items.push(...page.value)
      at = page['@odata.nextLink']?.replace(this.ready.graph, '')
    }
    return items
  }

  async messages(userId: string, folderId?: string): Promise<LiveMessage[]> {
    const from = folderId === undefined ? '' : `/mailFolders/${folderId}`
    const select = '$select=id,changeKey,subject,internetMessageId'
    return this.#all<LiveMessage>(`/v1.0/users/${userId}${from}/messages?$top=500&${select}`)
  }

  /** Files that may be read: without those that the service holds back. */
  async files(userId: string): Promise<LiveFile[]> {
    const items = await this.#all<LiveFile>(`/v1.0/users/${userId}/drive/root/delta`)
    return items.filter(({ file, malware, deleted }) => file !== undefined && !malware && !deleted)
  }

  async fileBytes(userId: string, id: string): Promise<Uint8Array> {
    const answer = await this.#graph.call('GET', `/v1.0/users/${userId}/drive/items/${id}/content`)
    const address = new URL(String(answer.headers['location']))
    await using client = new HttpClient(address.origin, this.ready.caFile)
    return (await client.send(address.pathname + address.search)).bytes
  }

  async destroyMessage(userId: string, id: string): Promise<void> {
    await this.#graph.ok('POST', `/v1.0/users/${userId}/messages/${id}/permanentDelete`, {})
  }

  async destroyFile(userId: string, id: string): Promise<void> {
    await this.#graph.ok('POST', `/v1.0/users/${userId}/drive/items/${id}/permanentDelete`, {})
  }

  /** A working day: somebody writes, reads, moves, deletes mail; makes, changes, renames and deletes files. */
  async change(chance: Random, name: string): Promise<void> {
    for (const { id: user } of this.users) {
      const mail = `/v1.0/users/${user}/messages`
      const messages = await this.messages(user, 'inbox')
      const pick = <Item>(items: Item[]): Item =>
        items.splice(Math.floor(chance.fraction() * items.length), 1)[0]!
      await this.#graph.ok('PATCH', `${mail}/${pick(messages).id}`, { isRead: true, categories: [name] })
      await this.#graph.ok('POST', `${mail}/${pick(messages).id}/move`, { destinationId: 'archive' })
      await this.destroyMessage(user, pick(messages).id)
      for (let number = 0; number < 4; number += 1)
        await this.#graph.ok('POST', `/v1.0/users/${user}/mailFolders/inbox/messages`, {
          subject: `${name} ${number}`,
          body: { contentType: 'text', content: `${name} ${chance.fraction()}` },
        })
      const drive = `/v1.0/users/${user}/drive`
      const files = await this.files(user)
      await this.#graph.ok('PATCH', `${drive}/items/${pick(files).id}`, { name: `${name} renamed.bin` })
      await this.destroyFile(user, pick(files).id)
      await this.#put(`${drive}/items/${pick(files).id}/content`, `changed ${name}`.repeat(2_000))
      await this.#put(`${drive}/root:/${encodeURIComponent(`${name} new.txt`)}:/content`, `new ${name}`)
    }
  }

  async #put(path: string, content: string): Promise<void> {
    await this.#graph.ok('PUT', path, Buffer.from(content))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#graph[Symbol.asyncDispose]()
    await this.#controls[Symbol.asyncDispose]()
    await this.#program.terminate()
  }
}

/** One caller of one host. */
export class Caller implements AsyncDisposable {
  readonly #client: HttpClient
  readonly #token: string

  constructor(url: string, caFile: string, token: string) {
    this.#client = new HttpClient(url, caFile)
    this.#token = token
  }

  async call(method: NonNullable<Call['method']>, path: string, body?: unknown): Promise<Answer> {
    const headers = { prefer: 'IdType="ImmutableId"' }
    return this.#client.send(path, { method, body, token: this.#token, headers })
  }

  /** The JSON of an answer that must be a success. */
  async ok<Body>(method: NonNullable<Call['method']>, path: string, body?: unknown): Promise<Body> {
    const answer = await this.call(method, path, body)
    if (answer.status >= 300)
      throw new Error(`${method} ${path} answered ${answer.status}: ${answer.text.slice(0, 500)}`)
    return (answer.text === '' ? undefined : answer.json()) as Body
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]()
  }
}

const editorToken = async (ready: TenantReady): Promise<string> => {
  await using login = new HttpClient(ready.login, ready.caFile)
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: ready.editorApplicationId,
    client_secret: ready.editorApplicationSecret,
    scope: 'https://graph.microsoft.com/.default',
  })
  const answer = await login.send(`/${ready.tenantId}/oauth2/v2.0/token`, {
    method: 'POST',
    body: form.toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })
  return answer.json<{ access_token: string }>().access_token
}
