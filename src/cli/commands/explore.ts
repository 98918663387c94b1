import { invalid } from '#base'
import type { ServerConnection } from '../connection.ts'
import { named } from './named.ts'
import type { JobView } from './jobs.ts'
import type { OrganizationView } from './organizations.ts'

export interface ExploreOptions {
  readonly organization?: string
  readonly job?: string
  /** ISO date; absent: the newest state. */
  readonly at?: string
}

export interface RestoreSessionView {
  readonly id: string
  readonly state: 'Working' | 'Stopped'
  readonly result: string
  readonly details?: string
}

/** Opens an explorer, hands its address to `work`, and closes it. */
export const exploring = async <Result>(
  server: ServerConnection,
  type: 'Vex' | 'Veod',
  options: ExploreOptions,
  work: (base: string) => Promise<Result>,
): Promise<Result> => {
  const body = { type, ...(options.at === undefined ? {} : { dateTime: options.at }) }
  const session = await server.post<RestoreSessionView>(await explorePath(server, options), body)
  try {
    return await work(`/RestoreSessions/${session.id}`)
  } finally {
    await server.post(`/RestoreSessions/${session.id}/Stop`, {})
  }
}

const explorePath = async (
  server: ServerConnection,
  { organization, job }: ExploreOptions,
): Promise<string> => {
  if (job !== undefined) return `/Jobs/${(await named<JobView>(server, '/Jobs', job)).id}/explore`
  if (organization !== undefined)
    return `/Organizations/${(await named<OrganizationView>(server, '/Organizations', organization)).id}/explore`
  const { results } = await server.get<{ results: OrganizationView[] }>('/Organizations', { limit: 2 })
  if (results.length !== 1 || results[0] === undefined)
    throw invalid('name the organization with --organization')
  return `/Organizations/${results[0].id}/explore`
}

export interface MailboxView {
  readonly id: string
  readonly name: string
  readonly email: string
}
export interface MailFolderView {
  readonly id: string
  readonly name: string
}
export interface MailItemView {
  readonly id: string
  readonly subject?: string
  readonly from?: string
  readonly received?: string
}
export interface OneDriveView {
  readonly id: string
  readonly name: string
}
export interface DriveItemView {
  readonly id: string
  readonly name: string
  readonly sizeBytes?: number
  readonly modificationTime?: string
}
