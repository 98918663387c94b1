import { GraphError } from '../core/contract.ts'
import type { TenantState } from '../core/contract.ts'
import type { MailCall } from './mail-call.ts'
import { boxRow } from './mailbox.ts'

/** What a delta link remembers: where in the log it stands and what the first call asked for. */
export interface DeltaState {
  readonly kind: 'messages' | 'folders'
  /** The folder's number; 0 for the folder tree. */
  readonly folder: number
  /** The last change that was told. */
  readonly position: number
  /** Removals before it are of no interest: the round began there. */
  readonly since: number
  /** Links of an earlier epoch have expired. */
  readonly epoch: number
  readonly select?: string | undefined
  readonly expand?: string | undefined
  /** Page size of the first call. */
  readonly size?: number | undefined
  /** Least time of receiving, in seconds since 1970. */
  readonly from?: number | undefined
  /** How many items `$top` still allows in all. */
  readonly left?: number | undefined
  readonly isHiddenToo?: boolean | undefined
  /** Pages told in this round. */
  readonly page: number
}

/** Not a secret, only opaque: clients must hand links back as they came. */
export const writeToken = (state: DeltaState, box: number): string =>
  Buffer.from(JSON.stringify({ ...state, box })).toString('base64url')

const isState = (value: unknown): value is DeltaState & { box: number } =>
  typeof value === 'object' && value !== null && 'position' in value && 'epoch' in value && 'box' in value

const invalidToken = (): GraphError => new GraphError(400, 'SyncStateInvalid', 'The sync state is invalid.')

const parseToken = (text: string): DeltaState & { box: number } => {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
    if (isState(value)) return value
  } catch {
    // Refused below like any other text that is no token.
  }
  throw invalidToken()
}

/** The token in a request's query, and whether it is one of a finished round. */
export interface GivenToken {
  readonly state: DeltaState
  readonly isFinished: boolean
}

/** Reads the call's token. Throws 400 for one that is none of this place and 410 with a fresh start for one that has expired. */
export const givenToken = (
  call: MailCall,
  kind: DeltaState['kind'],
  folder: number,
  freshStart: (state: DeltaState) => string,
): GivenToken | undefined => {
  const { request, mailbox, state: tenant } = call
  const finished = request.query.get('$deltatoken')
  const text = finished ?? request.query.get('$skiptoken')
  if (text === undefined) return undefined
  const state = parseToken(text)
  if (state.kind !== kind || state.folder !== folder || state.box !== mailbox.box) throw invalidToken()
  const { epoch } = boxRow(mailbox)
  // `expired-delta@…` finds its first links expired, once; what it is given then is good.
  const isDoomed = finished !== undefined && epoch === 0 && tenant.isSentinel(mailbox.user, 'expired-delta')
  if (isDoomed) expireDeltaTokens(tenant, mailbox.user.id)
  if (isDoomed || state.epoch !== epoch) {
    throw new GraphError(410, 'syncStateNotFound', 'The sync state generation is not found; continuing would lead to data loss.', { headers: { Location: freshStart(state) } }) // prettier-ignore
  }
  return { state, isFinished: finished !== undefined }
}

/** Makes every delta and next link of a user's mail expire: the next use answers 410. */
export const expireDeltaTokens = (state: TenantState, userIdOrName: string): void => {
  const { id } = state.user(userIdOrName)
  state.db.prepare('UPDATE mail_boxes SET epoch = epoch + 1 WHERE user = ?').run(id)
}
