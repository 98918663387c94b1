import { setTimeout as delay } from 'node:timers/promises'
import type { VersionClient, World } from '#world'
import type { Json } from './tenant-graph.ts'

export interface Session {
  readonly id: string
  readonly status: string
  readonly endTime?: string | null
  readonly details?: string
  readonly statistics: { readonly processedObjects?: number; readonly transferredDataBytes?: number }
}

/** What v4 answers when a restore of mail is over. */
export interface MailCounts {
  readonly createdItemsCount: number
  readonly mergedItemsCount: number
  readonly skippedItemsCount: number
  readonly failedItemsCount: number
}

/** What v4 answers when a restore of files is over. */
export interface FileCounts {
  readonly totalItemsCount: number
  readonly restoredItemsCount: number
  readonly failedItemsCount: number
  readonly skippedItemsByNoChangesCount: number
  readonly restoreIssues: readonly { readonly message: string }[]
}

const WAITS = 1_500
const PAUSE_MS = 40

/** The JSON of an answer that must be a success. */
export const good = async <Body>(answer: Promise<{ status: number; text: string }>): Promise<Body> => {
  const { status, text } = await answer
  if (status >= 300) throw new Error(`answered ${status}: ${text.slice(0, 600)}`)
  return (text === '' ? undefined : JSON.parse(text)) as Body
}

/** A job of v4 over the whole organization, in the repository that the server begins with. */
export const addJob = async (
  world: Pick<World, 'api'>,
  organizationId: string,
  more: Json = {},
): Promise<string> => {
  const api = world.api('v4')
  const [repository] = await good<{ id: string }[]>(api.get('/BackupRepositories'))
  const { id } = await good<{ id: string }>(
    api.post(`/Organizations/${organizationId}/Jobs`, {
      name: 'Everything',
      repositoryId: repository!.id,
      backupType: 'EntireOrganization',
      ...more,
    }),
  )
  return id
}

/** Starts a job by v4's door and waits for the end of the run. */
export const runJob = async (world: World, jobId: string): Promise<Session> => {
  const api = world.api('v4')
  const before = await sessionsOf(api, jobId)
  await good(api.post(`/Jobs/${jobId}/Action`, { start: null }))
  return endOfRun(api, jobId, before.length + 1)
}

/** Waits until the job has had so many runs and the last of them is over. */
export const endOfRun = async (api: VersionClient, jobId: string, runs: number): Promise<Session> => {
  for (let wait = 0; wait < WAITS; wait += 1) {
    const sessions = await sessionsOf(api, jobId)
    const [newest] = sessions
    if (newest !== undefined && sessions.length >= runs && isOver(newest)) return newest
    await delay(PAUSE_MS)
  }
  throw new Error('the run does not end')
}

const isOver = ({ endTime, status }: Session): boolean =>
  typeof endTime === 'string' && status !== 'Running' && status !== 'Queued'

const sessionsOf = (api: VersionClient, jobId: string): Promise<Session[]> =>
  good<Session[]>(api.get(`/Jobs/${jobId}/JobSessions`))

/** What the log of a run says, oldest first. */
export const logOf = async (world: World, sessionId: string): Promise<string[]> => {
  const answer = await good<{ results: { title: string }[] }>(
    world.api('v4').get(`/JobSessions/${sessionId}/LogItems?limit=10000`),
  )
  return answer.results.map(({ title }) => title)
}

export type Explorer = 'vex' | 'veod'

/** Opens a restore session of v4 for an organization and gives its path. */
export const explore = async (
  world: World,
  organizationId: string,
  type: Explorer,
  more: Json = {},
): Promise<string> => {
  const { id } = await good<{ id: string }>(
    world.api('v4').post(`/Organizations/${organizationId}/Action`, { explore: { type, ...more } }),
  )
  return `/RestoreSessions/${id}/Organization`
}
