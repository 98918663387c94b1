export * from './core/contract.ts'
