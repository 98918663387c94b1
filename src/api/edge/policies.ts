import { denied, notFound } from '#base'
import type { Principal } from '#engine'

export interface Subject {
  readonly principal: Principal
  readonly params: Readonly<Record<string, string>>
}

/** Who may call a route. `check` throws: what it does not let through ends as 403 or 404. */
export interface Policy {
  readonly name: string
  /** No token is asked for. */
  readonly isOpen?: boolean
  readonly check: (subject: Subject) => void
}

/** Anyone at all: the way in. */
export const open: Policy = { name: 'open', isOpen: true, check: () => {} }

/** Administrators of this server. */
export const administrator: Policy = {
  name: 'administrator',
  check: ({ principal }) => {
    if (principal.kind !== 'administrator') throw denied('only an administrator of the server may do this')
  },
}

/** Administrators, and tenants for what is their own: the engine answers not-found for what is another's. */
export const administratorOrOwner: Policy = { name: 'administrator or owner', check: () => {} }

/** Administrators, and the tenant whose organization the path names. Another's is as if it were not there. */
export const organizationInPath: Policy = {
  name: 'administrator or the organization in the path',
  check: ({ principal, params }) => {
    if (principal.kind !== 'organization') return
    if (params['organizationId']?.toLowerCase() !== principal.organizationId.toLowerCase())
      throw notFound('the organization is not known')
  },
}

/** Tenants alone, for their own organization. */
export const tenant: Policy = {
  name: 'tenant',
  check: ({ principal }) => {
    if (principal.kind !== 'organization') throw denied('only a tenant may do this')
  },
}
