export * from './mail.ts'
export * from './drive.ts'
export * from './directory.ts'
