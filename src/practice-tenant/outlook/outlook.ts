import type { TenantPart } from '../core/contract.ts'
import { attachmentRoutes } from './attachments.routes.ts'
import { deltaRoutes } from './delta.routes.ts'
import { folderRoutes } from './folders.routes.ts'
import { MailRoutes } from './mail-call.ts'
import { messageRoutes } from './messages.routes.ts'
import { makeMailTables } from './tables.ts'
import { uploadSessionRoutes } from './upload-sessions.ts'

export { expireDeltaTokens } from './delta-tokens.ts'

/** Mail by Graph. */
export const outlook: TenantPart = (state) => {
  makeMailTables(state.db)
  const routes = new MailRoutes(state)
  folderRoutes(routes)
  messageRoutes(routes)
  deltaRoutes(routes)
  attachmentRoutes(routes)
  const sessions = uploadSessionRoutes(routes, state)
  return [...routes.routes, ...sessions]
}
