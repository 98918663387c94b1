export * from './core/contract.ts'
export {
  startPracticeTenant,
  type PracticeTenant,
  type PracticeTenantOptions,
} from './core/practice-tenant.ts'
export type { CountersView, LoggedRequest } from './core/counters.ts'
export type { FaultKind, FaultPlan, FaultRule } from './core/faults.ts'
export type { Limits } from './core/throttling.ts'
export { expireDeltaTokens } from './outlook/outlook.ts'
