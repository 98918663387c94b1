import type { Clock, Logger } from '#base'
import type { DirectoryGroup, DirectoryOrganization, DirectoryUser } from '#items'
import { Directory } from './directory.ts'
import { DriveCalls } from './drives/drive-calls.ts'
import { GraphDrive } from './drives/graph-drive.ts'
import type { GraphClient } from './http/graph-client.ts'
import type { Traffic, TrafficCounter } from './http/traffic.ts'
import { GraphMailbox } from './mail/graph-mailbox.ts'
import { MailboxCalls } from './mail/mailbox-calls.ts'
import { findPermissions, type PermissionFinding, type Workload } from './permissions.ts'
import type { Pools } from './pools.ts'
import type { AppTokens } from './sign-in/app-tokens.ts'

export interface TenantVerification {
  readonly organization: DirectoryOrganization
  readonly permissions: readonly PermissionFinding[]
}

export interface GraphTenantParts {
  readonly graph: GraphClient
  readonly tokens: AppTokens
  readonly pools: Pools
  readonly traffic: TrafficCounter
  readonly clock: Clock
  readonly log: Logger
}

/** One tenant seen as one application. */
export class GraphTenant implements AsyncDisposable {
  readonly #parts: GraphTenantParts
  readonly #directory: Directory
  readonly #release: () => void

  constructor(parts: GraphTenantParts, release: () => void) {
    this.#parts = parts
    this.#directory = new Directory(parts.graph, parts.pools.directory)
    this.#release = release
  }

  /** Signs in anew, so that permissions granted a moment ago count. */
  async verify(workloads: readonly Workload[], signal?: AbortSignal): Promise<TenantVerification> {
    const roles = await this.#parts.tokens.roles(signal)
    const organization = await this.#directory.organization(signal)
    return { organization, permissions: findPermissions(roles, workloads) }
  }

  users(signal?: AbortSignal): AsyncIterable<DirectoryUser> {
    return this.#directory.users(signal)
  }

  async user(idOrPrincipalName: string, signal?: AbortSignal): Promise<DirectoryUser> {
    return await this.#directory.user(idOrPrincipalName, signal)
  }

  groups(signal?: AbortSignal): AsyncIterable<DirectoryGroup> {
    return this.#directory.groups(signal)
  }

  async group(id: string, signal?: AbortSignal): Promise<DirectoryGroup> {
    return await this.#directory.group(id, signal)
  }

  groupMembers(groupId: string, signal?: AbortSignal): AsyncIterable<DirectoryUser> {
    return this.#directory.groupMembers(groupId, signal)
  }

  mailbox(userId: string): GraphMailbox {
    const { graph, pools } = this.#parts
    return new GraphMailbox(new MailboxCalls(graph, () => pools.mailbox(userId), userId), this.#parts)
  }

  drive(userId: string): GraphDrive {
    const { graph, pools } = this.#parts
    return new GraphDrive(new DriveCalls(graph, pools.files, userId), this.#parts)
  }

  traffic(): Traffic {
    return this.#parts.traffic.snapshot()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#release()
    await Promise.resolve()
  }
}
