import type { Route, TenantState } from '../core/contract.ts'
import type { EntraRows } from '../entra/entra-rows.ts'
import { seedGroups } from '../seed/groups.ts'
import { domainOf } from '../seed/people.ts'
import { deletedRoutes } from './deleted-routes.ts'
import { GroupRows } from './group-rows.ts'
import { groupRoutes } from './group-routes.ts'
import { organizationRoutes } from './organization-routes.ts'
import { servicePrincipalRoutes } from './service-principal-routes.ts'
import { userRoutes } from './user-routes.ts'
import type { UserRows } from './user-rows.ts'

/** Everything that Graph's directory answers. Seeds the groups of a new tenant. */
export const directory = (state: TenantState, users: UserRows, entra: EntraRows): readonly Route[] => {
  const groups = new GroupRows(state.db, users)
  if (groups.isEmpty) state.db.transaction(() => seedGroups(groups, state.seed, users.all()))()
  const parts = { state, users, groups, entra, domain: domainOf(state.seed) }
  return [
    ...userRoutes(parts),
    ...groupRoutes(parts),
    ...organizationRoutes(parts),
    ...deletedRoutes(parts),
    ...servicePrincipalRoutes(parts),
  ]
}
