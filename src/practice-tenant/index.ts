export * from './core/contract.ts'
export {
  startPracticeTenant,
  type PracticeTenant,
  type PracticeTenantOptions,
} from './core/practice-tenant.ts'
