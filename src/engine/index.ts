export * from './connectors/connectors.ts'
