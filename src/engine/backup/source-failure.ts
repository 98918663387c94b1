import { HoldfastError, isHoldfastError, messageOf } from '#base'
import { RESYNC, SKIP_REASONS, type SkipReason } from '../connectors/connectors.ts'

/** Something that the service failed at, as against our own storage: only the former is a matter of one item. */
export class SourceFailure extends Error {
  override name = 'SourceFailure'
  override readonly cause: unknown
  constructor(cause: unknown, prefix = '') {
    super(prefix + messageOf(cause))
    this.cause = cause
  }
}

/** Bytes of the service on their way into the repository: what the service throws arrives as SourceFailure. */
export async function* fromSource<Piece>(pieces: AsyncIterable<Piece>): AsyncGenerator<Piece> {
  try {
    yield* pieces
  } catch (error) {
    throw error instanceof SourceFailure ? error : new SourceFailure(error)
  }
}

export const askSource = async <Answer>(question: Promise<Answer>): Promise<Answer> => {
  try {
    return await question
  } catch (error) {
    throw new SourceFailure(error)
  }
}

export const isResync = (error: unknown): boolean => isHoldfastError(error) && error.reason === RESYNC

export const skipReasonOf = (error: unknown): SkipReason | undefined => {
  const cause = error instanceof SourceFailure ? error.cause : error
  if (!(cause instanceof HoldfastError)) return undefined
  return SKIP_REASONS.find((reason) => reason === cause.reason)
}

/** Gone between the listing and the reading: the next listing says so too. */
export const isVanished = (failure: SourceFailure): boolean =>
  isHoldfastError(failure.cause, 'not-found') && skipReasonOf(failure) === undefined

/** Not a matter of one item: a stop, lost rights, or an object that became unreachable as a whole. */
export const isForWholeObject = (failure: SourceFailure): boolean =>
  isHoldfastError(failure.cause, 'cancelled') ||
  isHoldfastError(failure.cause, 'unauthenticated') ||
  skipReasonOf(failure) !== undefined ||
  (failure.cause instanceof Error && failure.cause.name === 'AbortError')

/** May pass, and says nothing about the item. */
export const isOutage = (failure: SourceFailure): boolean =>
  (['unavailable', 'timeout', 'throttled'] as const).some((code) => isHoldfastError(failure.cause, code))
