import { notBuilt } from '#base'
import type { Page, PageRequest } from '#database'
import type { Principal } from '../access/principal.ts'
import type { JobSession, LogItem, SessionFilter } from './job-session.ts'

/** Job sessions and their logs, for reading. */
export class JobSessions {
  async get(_principal: Principal, _id: string): Promise<JobSession> {
    throw notBuilt('job sessions')
  }
  /** Newest first. */
  async list(_principal: Principal, _filter?: SessionFilter & PageRequest): Promise<Page<JobSession>> {
    throw notBuilt('job sessions')
  }
  /** In the order they were written. */
  async logItems(_principal: Principal, _sessionId: string, _page?: PageRequest): Promise<Page<LogItem>> {
    throw notBuilt('log items')
  }
  async logItem(_principal: Principal, _sessionId: string, _logItemId: string): Promise<LogItem> {
    throw notBuilt('log items')
  }
}
