import type { TenantRequest } from '../core/contract.ts'
import type { EntraParts } from './entra.ts'
import { EntraRefusal } from './refusals.ts'

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const DOMAIN = /^([a-z0-9-]+\.)+[a-z]{2,}$/i
const SHARED = new Set(['common', 'organizations', 'consumers'])

export const isSharedTenant = (name: string): boolean => SHARED.has(name.toLowerCase())

/** A tenant that is known, but to another national cloud. */
const ELSEWHERE = /^other-cloud\./i

/** Refuses a tenant that is not ours, in the way Entra does. */
export const checkTenant = (parts: EntraParts, request: TenantRequest): void => {
  const tenant = request.params['tenant'] ?? ''
  if (isSharedTenant(tenant)) return
  if (!GUID.test(tenant) && !DOMAIN.test(tenant)) throw new EntraRefusal(900023, { tenant })
  if (ELSEWHERE.test(tenant)) throw new EntraRefusal(90038, { tenant })
  const isOurs = tenant.toLowerCase() === parts.state.tenantId || tenant.toLowerCase() === parts.domain
  if (!isOurs) throw new EntraRefusal(90002, { tenant })
}
