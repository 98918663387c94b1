import { denied, notFound } from '#base'

/** Who calls. Made by `Access.authenticate`, never by hand at the edge. */
export type Principal = AdministratorPrincipal | OrganizationPrincipal | SystemPrincipal

/** A user of this server who may do everything but read content without leaving a trace. */
export interface AdministratorPrincipal {
  readonly kind: 'administrator'
  readonly userId: string
  readonly name: string
  readonly address?: string
}

/** A tenant: knows the credentials that one organization was added with and sees that organization alone. */
export interface OrganizationPrincipal {
  readonly kind: 'organization'
  readonly organizationId: string
  readonly name: string
  readonly address?: string
}

/** Holdfast itself: schedules, resumed runs, the first start. */
export interface SystemPrincipal {
  readonly kind: 'system'
  readonly name: string
  readonly address?: string
}

export const systemPrincipal: SystemPrincipal = { kind: 'system', name: 'holdfast' }

/** Throws `denied` for anyone but an administrator of the server. */
export const requireAdministrator = (principal: Principal): void => {
  if (principal.kind === 'organization') throw denied('only an administrator of the server may do this')
}

/** Throws `not-found` with `message` for a tenant that asks for what belongs to another: as if it were not there. */
export const requireOrganization = (principal: Principal, organizationId: string, message: string): void => {
  if (principal.kind === 'organization' && principal.organizationId !== organizationId)
    throw notFound(message)
}

/** The organization that a list has to be narrowed to, or undefined for all. */
export const scopeOf = (principal: Principal): string | undefined =>
  principal.kind === 'organization' ? principal.organizationId : undefined
