import { HoldfastError, invalid } from '#base'

const TOO_LARGE = new Set(['FST_ERR_CTP_BODY_TOO_LARGE'])
const WRONG_BODY = new Set(['FST_ERR_CTP_INVALID_CONTENT_LENGTH', 'FST_ERR_BAD_URL'])

/** What the HTTP framework throws, in our terms. Anything else is returned as it is. */
export const fromFramework = (error: unknown): unknown => {
  if (error instanceof HoldfastError || !(error instanceof Error) || !('code' in error)) return error
  const code = String(error.code)
  if (TOO_LARGE.has(code)) return new HoldfastError('too-large', 'the body is too large')
  if (WRONG_BODY.has(code)) return invalid('the request is broken: its length or address is not what it says')
  return error
}
