import { notBuilt } from '#base'
import type { Tenant } from '../connectors/connectors.ts'

/** The tenant as the applications that were given see it. The same object where both parts use one application. */
export interface OrganizationTenants {
  readonly directory: Tenant
  /** Present when Exchange Online is protected. */
  readonly mail?: Tenant
  /** Present when SharePoint Online and OneDrive are protected. */
  readonly onedrive?: Tenant
}

/**
 * The open connections to tenants: one per organization and application, shared by all that work on it, so that they
 * share one limiter. Do not dispose of what it hands out.
 */
export class Tenants implements AsyncDisposable {
  async of(_organizationId: string): Promise<OrganizationTenants> {
    throw notBuilt('connections to tenants')
  }
  /** After a change of credentials or a removal: the next `of` connects anew. */
  async forget(_organizationId: string): Promise<void> {
    throw notBuilt('connections to tenants')
  }
  async [Symbol.asyncDispose](): Promise<void> {}
}
