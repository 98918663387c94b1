const DATE = /^(\d{4})[-.](\d{2})[-.](\d{2})$/
const DATE_TIME =
  /^(\d{4})[-.](\d{2})[-.](\d{2})[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?\s*(Z|[+-]\d{2}:?\d{2})?$/i

/**
 * A point in time in any of the forms that callers send: ISO 8601, `2026-01-01`, `2026.01.02 15:04`,
 * `2026-01-02 15:04:05.678`. Without a zone it is UTC. Undefined for anything else and for days that do not exist.
 */
export const parseMoment = (source: string): Date | undefined => {
  const text = source.trim()
  const day = DATE.exec(text)
  if (day !== null) return real(`${day[1]}-${day[2]}-${day[3]}T00:00:00.000Z`, day[3])
  const time = DATE_TIME.exec(text)
  if (time === null) return undefined
  const [, year, month, date, hours = '', minutes, seconds = '00', fraction = '0', zone = 'Z'] = time
  const clock = `${hours.padStart(2, '0')}:${minutes}:${seconds}.${fraction.slice(0, 3).padEnd(3, '0')}`
  return real(`${year}-${month}-${date}T${clock}Z`, date, offsetMinutes(zone))
}

const offsetMinutes = (zone: string): number => {
  if (zone.toUpperCase() === 'Z') return 0
  const digits = zone.replace(':', '').slice(1)
  const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2))
  return zone.startsWith('-') ? -minutes : minutes
}

// The engine's own parser turns 31 February into 3 March: refuse it by comparing the day.
const real = (iso: string, date: string | undefined, offset = 0): Date | undefined => {
  const parsed = new Date(iso)
  if (Number.isNaN(parsed.getTime()) || parsed.getUTCDate() !== Number(date)) return undefined
  return new Date(parsed.getTime() - offset * 60_000)
}
