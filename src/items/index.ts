export * from './mail.ts'
export * from './drive.ts'
export * from './directory.ts'
export * from './quick-xor-hash.ts'
