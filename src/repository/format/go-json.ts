/** JSON text of a string as Go's encoder writes it: `<`, `>`, `&` and the line separators are escaped. */
export const goJsonString = (text: string): string => {
  const json = JSON.stringify(text)
  return /[<>&\u2028\u2029]/.test(json) ? json.replace(/[<>&\u2028\u2029]/g, escape) : json
}

const escape = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

/** JSON text of any value, as `goJsonString` for strings, without spaces. */
export const goJson = (value: unknown): string => {
  if (typeof value === 'string') return goJsonString(value)
  if (Array.isArray(value)) return `[${value.map(goJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  return `{${Object.entries(value)
    .map(([name, each]) => `${goJsonString(name)}:${goJson(each)}`)
    .join(',')}}`
}

/** RFC 3339 as Go writes it: no fraction when it is zero, no trailing zeros, `Z`. Years 0 to 9999. */
export const goTime = (time: Date): string => {
  const ms = Math.min(Math.max(time.getTime(), EARLIEST_MS), LATEST_MS)
  const text = new Date(ms).toISOString()
  return ms % 1000 === 0 ? `${text.slice(0, -5)}Z` : text.replace(/0{1,2}Z$/, 'Z')
}

const EARLIEST_MS = new Date('0001-01-01T00:00:00Z').getTime()
const LATEST_MS = new Date('9999-12-31T23:59:59.999Z').getTime()

/** Reads what `goTime` or Go wrote, with up to nine digits and any zone, to the millisecond; undefined when it is none. */
export const parseGoTime = (text: unknown): Date | undefined => {
  if (typeof text !== 'string') return undefined
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/.exec(text)
  if (match === null) return undefined
  const time = new Date(`${match[1]!}${(match[2] ?? '').slice(0, 4)}${match[3]!}`)
  return Number.isNaN(time.getTime()) ? undefined : time
}
