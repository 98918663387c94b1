import { HoldfastError, invalid } from '#base'
import type { BodyNode } from './body-node.ts'
import { parseForm } from './form.ts'
import { parseLenientJson } from './lenient-json.ts'

const unsupported = (what: string): HoldfastError =>
  new HoldfastError('invalid', what, { reason: 'unsupported-media-type' })

const mediaTypeOf = (contentType: string | undefined): string =>
  contentType?.split(';')[0]?.trim().toLowerCase() ?? ''

const decode = (bytes: Uint8Array): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw invalid('the body is not UTF-8')
  }
}

/**
 * Reads a body by what it is rather than by its label alone: JSON labelled as a form, and a form labelled as multipart,
 * are both sent by real programs. An empty body is undefined.
 */
export const parseBody = (
  bytes: Uint8Array,
  headers: { readonly contentType: string | undefined; readonly contentEncoding: string | undefined },
): BodyNode | undefined => {
  if (bytes.length === 0) return undefined
  if (headers.contentEncoding !== undefined && headers.contentEncoding.toLowerCase() !== 'identity')
    throw unsupported('compressed bodies are not taken')
  const text = decode(bytes)
  if (text.trim() === '') return undefined
  const media = mediaTypeOf(headers.contentType)
  if (isForm(media)) return /^\s*[[{]/.test(text) ? parseLenientJson(text) : parseForm(text)
  if (media === 'multipart/form-data') return parseMislabelled(text)
  if (isJson(media)) return parseLenientJson(text)
  throw unsupported('the body must be application/json')
}

const isForm = (media: string): boolean => media === 'application/x-www-form-urlencoded'
const isJson = (media: string): boolean =>
  media === '' || media === 'application/json' || media === 'text/json' || media.endsWith('+json')

const parseMislabelled = (text: string): BodyNode => {
  if (/^\s*--/.test(text)) throw unsupported('multipart bodies are not taken')
  return /^\s*[[{]/.test(text) ? parseLenientJson(text) : parseForm(text)
}
