import { HoldfastError, notBuilt } from '#base'
import type { RestoreOperation, RestoreReport } from '#engine'
import { Type, type Static, type TSchema } from 'typebox'
import { answersObject, type Answerable, type Call, type Operation } from '../contract/operation.ts'
import { listOf, oneOf, secret, text, uuid } from '../contract/schema.ts'
import { administratorOrOwner } from '../edge/policies.ts'
import { AsyncRestore } from './restore-session.schema.ts'

/**
 * Fields by which older programs say who restores. The work is done by the organization's own application, whatever they
 * hold; another organization than the session's is refused.
 */
export const credentials = {
  userName: text(),
  userPassword: secret(),
  userCode: text(),
  applicationId: uuid(),
  applicationCertificate: secret(),
  applicationCertificatePassword: secret(),
  impersonationAccountName: text({ since: 'v6' }),
  officeRegion: oneOf(['Worldwide', 'Germany', 'China', 'USDefence', 'USGovernment'], { since: 'v6' }),
}

export const idsOf = ($id: string) => listOf(Type.Object({ id: text() }, { $id }))

export const plainIds = (
  items: readonly { readonly id?: string | undefined }[] | undefined,
): string[] | undefined => items?.map(({ id }) => id ?? '').filter((id) => id !== '')

/** Restoring into another organization is not there yet: say so rather than restore into this one. */
export const sameOrganization = (wanted: string | undefined, names: readonly string[]): void => {
  if (wanted === undefined || wanted === '') return
  if (names.some((name) => name.toLowerCase() === wanted.toLowerCase())) return
  throw notBuilt('restoring into another organization is not built yet')
}

interface Restoring<Body extends TSchema, Statistics extends TSchema> {
  readonly path: string
  readonly tag: string
  readonly summary: string
  readonly body: Body
  /** What is answered up to v7, when all is done. */
  readonly statistics: Statistics
  readonly count: (report: RestoreReport) => Answerable<Static<Statistics>>
  readonly start: (call: Call<unknown, Static<Body>>) => Promise<RestoreOperation>
}

/** A restore: up to v7 its call waits to the end; from v8 it answers which session to watch. */
export const restoring = <Body extends TSchema, Statistics extends TSchema>(
  restore: Restoring<Body, Statistics>,
): { readonly waits: Operation; readonly both: readonly Operation[] } => {
  const { path, tag, summary, body, start } = restore
  const common = { method: 'POST', path, tag, summary, body, access: administratorOrOwner } as const
  const waits = answersObject(restore.statistics, {
    ...common,
    until: 'v8',
    status: { v4: 200 },
    handle: async (call: Call<unknown, Static<Body>>) => restore.count(await ended(await start(call))),
  } as never)
  const answers = answersObject(AsyncRestore, {
    ...common,
    since: 'v8',
    status: { v8: 200 },
    handle: async (call: Call<unknown, Static<Body>>) => ({ sessionId: (await start(call)).session.id }),
  } as never)
  return { waits, both: [{ ...waits, since: 'v6' }, answers] }
}

const ended = async ({ finished }: RestoreOperation): Promise<RestoreReport> => {
  try {
    return await finished
  } catch (cause) {
    if (cause instanceof HoldfastError) throw cause
    throw new HoldfastError('unavailable', 'the restore was stopped', { cause })
  }
}
