import { invalid } from '#base'
import type { BodyNode } from '../reading/body-node.ts'
import { parseMoment } from '../reading/dates.ts'
import type { VersionSchema } from './schema-for.ts'

// Readers of single values. None repeats the value in its message: it may be a secret in the wrong place.

type Scalar = Exclude<BodyNode, null>

const MAX_TEXT = 65_536
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

const isNothing = (node: Scalar): boolean => node === ''

export const readBoolean = (node: Scalar, path: string): boolean | undefined => {
  if (isNothing(node)) return undefined
  const word = typeof node === 'string' ? node.trim().toLowerCase() : node
  if (word === true || word === 'true') return true
  if (word === false || word === 'false') return false
  throw invalid(`${path} must be true or false`, path)
}

const NUMERAL = /^\s*[+-]?\d+(?:\.\d+)?\s*$/

export const readNumber =
  ({ type, minimum, maximum }: VersionSchema) =>
  (node: Scalar, path: string): number | undefined => {
    if (isNothing(node)) return undefined
    const value = typeof node === 'string' && NUMERAL.test(node) ? Number(node) : node
    if (typeof value !== 'number') throw invalid(`${path} must be a number`, path)
    if (type === 'integer' && !Number.isSafeInteger(value))
      throw invalid(`${path} must be a whole number`, path)
    if (minimum !== undefined && value < minimum) throw invalid(`${path} must be at least ${minimum}`, path)
    if (maximum !== undefined && value > maximum) throw invalid(`${path} must be at most ${maximum}`, path)
    return value
  }

export const readMoment = (node: Scalar, path: string): string | undefined => {
  if (isNothing(node)) return undefined
  const moment = typeof node === 'string' ? parseMoment(node) : undefined
  if (moment === undefined) throw invalid(`${path} must be a date, such as 2026-01-31T15:04:05Z`, path)
  return moment.toISOString()
}

export const readUuid = (node: Scalar, path: string): string | undefined => {
  if (isNothing(node)) return undefined
  if (typeof node !== 'string' || !UUID.test(node)) throw invalid(`${path} must be a GUID`, path)
  return node.toLowerCase()
}

export const readText =
  ({ minLength = 0, maxLength = MAX_TEXT, pattern }: VersionSchema) =>
  (node: Scalar, path: string): string => {
    const value = typeof node === 'number' ? String(node) : node
    if (typeof value !== 'string') throw invalid(`${path} must be a text`, path)
    if (value.length > maxLength) throw invalid(`${path} is longer than ${maxLength} characters`, path)
    if (value.length < minLength) throw invalid(`${path} must not be empty`, path)
    if (value.includes('\0') || !value.isWellFormed())
      throw invalid(`${path} holds characters that are no text`, path)
    if (pattern !== undefined && !new RegExp(pattern).test(value))
      throw invalid(`${path} is not written as expected`, path)
    return value
  }

/** In any letter case, in this version's words or another's; a Map, so that `constructor` is no word. */
export const readWord = ({ words = [], aliases = [] }: VersionSchema) => {
  const known = new Map([...aliases, ...words].map(({ wire, model }) => [wire.toLowerCase(), model]))
  const list = words.map(({ wire }) => wire).join(', ')
  return (node: Scalar, path: string): string | undefined => {
    if (isNothing(node)) return undefined
    const model = typeof node === 'string' ? known.get(node.toLowerCase()) : undefined
    if (model === undefined) throw invalid(`${path} must be one of ${list}`, path)
    return model
  }
}
