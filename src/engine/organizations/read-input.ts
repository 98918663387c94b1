import { invalid, Secret } from '#base'
import type { Given, SecretInput } from './organization.ts'

// Reading what came from outside: an empty string and null are the same as nothing.

const CONTROL = /[\p{Cc}\p{Cs}]/u
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}]/u
const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const NO_GUID = '00000000-0000-0000-0000-000000000000'

/** Text without leading or trailing blanks. Throws for control and invisible characters. */
export const readText = (value: Given<string>, property: string, most: number): string | undefined => {
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value !== 'string') throw invalid(`${property} has to be text`, property)
  if (value.length > most) throw invalid(`${property} has more than ${most} characters`, property)
  if (UNSEEN.test(value)) throw invalid(`${property} holds characters that cannot be seen`, property)
  const trimmed = value.trim()
  return trimmed === '' ? undefined : trimmed
}

/** Text of several lines. */
export const readDescription = (value: Given<string>, property: string, most = 2_048): string | undefined => {
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string') throw invalid(`${property} has to be text`, property)
  if (value.length > most) throw invalid(`${property} has more than ${most} characters`, property)
  if (CONTROL.test(value.replace(/[\r\n\t]/g, '')))
    throw invalid(`${property} holds control characters`, property)
  return value
}

export const readFlag = (value: Given<boolean>, property: string): boolean | undefined => {
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'boolean') throw invalid(`${property} has to be true or false`, property)
  return value
}

/** Kept as it is: blanks may belong to it. */
export const readSecret = (value: Given<SecretInput>, property: string, most: number): Secret | undefined => {
  if (value === undefined || value === null || value === '') return undefined
  const secret = typeof value === 'string' ? new Secret(value) : value
  if (!(secret instanceof Secret)) throw invalid(`${property} has to be text`, property)
  const text = secret.reveal()
  if (text === '') return undefined
  if (text.length > most) throw invalid(`${property} has more than ${most} characters`, property)
  if (CONTROL.test(text)) throw invalid(`${property} holds control characters`, property)
  return secret
}

/** Base64 without its white space. */
export const readBase64 = (value: Given<SecretInput>, property: string, most: number): Secret | undefined => {
  if (value === undefined || value === null) return undefined
  const given = typeof value === 'string' ? value : value instanceof Secret ? value.reveal() : undefined
  if (given === undefined) throw invalid(`${property} has to be text`, property)
  if (given.length > 2 * most) throw invalid(`${property} is larger than ${most} characters`, property)
  const text = given.replace(/\s+/g, '')
  if (text === '') return undefined
  if (text.length > most) throw invalid(`${property} is larger than ${most} characters`, property)
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text) || text.length % 4 !== 0)
    throw invalid(`${property} is not base64: send the bytes of the whole PFX file`, property)
  return new Secret(text)
}

/** A GUID with hyphens, lower case. */
export const readGuid = (value: Given<string>, property: string): string | undefined => {
  const text = readText(value, property, 64)
  if (text === undefined) return undefined
  if (!GUID.test(text))
    throw invalid(`${property} is not a GUID like 01234567-89ab-cdef-0123-456789abcdef`, property)
  if (text === NO_GUID) throw invalid(`${property} is a GUID of zeros, which names nothing`, property)
  return text.toLowerCase()
}

/** One of a list of words, in any letter case. */
export const readWord = <Word extends string>(
  value: Given<string>,
  property: string,
  words: readonly Word[],
  aliases: ReadonlyMap<string, Word> = new Map(),
): Word | undefined => {
  if (value === undefined || value === null || value === '') return undefined
  const key = typeof value === 'string' ? value.toLowerCase() : ''
  const word = words.find((one) => one.toLowerCase() === key) ?? aliases.get(key)
  if (word === undefined) throw invalid(`${property} has to be one of ${words.join(', ')}`, property)
  return word
}

export const readWhole = (
  value: Given<number>,
  property: string,
  bounds: { readonly least: number; readonly most: number },
): number | undefined => {
  if (value === undefined || value === null) return undefined
  if (!Number.isSafeInteger(value) || value < bounds.least || value > bounds.most)
    throw invalid(`${property} has to be a whole number from ${bounds.least} to ${bounds.most}`, property)
  return value
}

export const needed = <Value>(value: Value | undefined, property: string): Value => {
  if (value === undefined) throw invalid(`${property} is needed`, property)
  return value
}

/** A time of day, answered as `HH:mm:ss`. */
export const readTimeOfDay = (value: Given<string>, property: string): string | undefined => {
  const text = readText(value, property, 16)
  if (text === undefined) return undefined
  const [, hour, minute, second] = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:\.0+)?)?$/.exec(text) ?? []
  if (hour === undefined || Number(hour) > 23 || Number(minute) > 59 || Number(second ?? 0) > 59)
    throw invalid(`${property} has to be a time of day like 22:30:00`, property)
  return [hour.padStart(2, '0'), minute, second ?? '00'].join(':')
}
