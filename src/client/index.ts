export {
  ClientError,
  connect,
  type Connection,
  type Download,
  type Query,
  type ServerAddress,
} from './connect.ts'
export * from './generated/api.ts'
