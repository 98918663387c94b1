import { styleText } from 'node:util'
import Table from 'cli-table3'

/** Where a command writes: a person reads tables and lines, a script one JSON value. */
export interface Output {
  readonly isJson: boolean
  /** The command's result. Nothing else goes to standard output with `--json`. */
  result(value: unknown, show: () => string): void
  /** For people alone. */
  say(line: string): void
}

export const outputFor = (isJson: boolean): Output => ({
  isJson,
  result: (value, show) => {
    process.stdout.write(isJson ? `${JSON.stringify(value)}\n` : `${show()}\n`)
  },
  say: (line) => {
    if (!isJson) process.stdout.write(`${line}\n`)
  },
})

const isColoured = (): boolean => process.stdout.isTTY && process.env.NO_COLOR === undefined

const NO_LINES_BETWEEN_ROWS = { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' }

/** A table with a heading; a sentence when there are no rows. */
export const table = (
  heading: readonly string[],
  rows: readonly (readonly unknown[])[],
  empty: string,
): string => {
  if (rows.length === 0) return empty
  const colours = isColoured() ? {} : { style: { head: [], border: [] } }
  const made = new Table({ head: [...heading], chars: NO_LINES_BETWEEN_ROWS, ...colours })
  for (const row of rows) made.push(row.map(cell))
  return made.toString()
}

const cell = (value: unknown): string => (value === undefined || value === null ? '' : String(value))

export const sizeText = (bytes: number | undefined): string => {
  if (bytes === undefined) return ''
  const units = ['B', 'KB', 'MB', 'GB', 'TB']
  let [size, unit] = [bytes, 0]
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000
    unit += 1
  }
  return `${unit === 0 ? size : size.toFixed(1)} ${units[unit]}`
}

/** `2026-11-24 09:30:05` in UTC. */
export const timeText = (iso: string | undefined): string =>
  iso === undefined ? '' : iso.slice(0, 19).replace('T', ' ')

export const statusText = (status: string | undefined): string => {
  if (status === undefined || !isColoured()) return status ?? ''
  if (status === 'Success') return styleText('green', status)
  if (status === 'Failed' || status === 'Error') return styleText('red', status)
  return status === 'Warning' ? styleText('yellow', status) : status
}
