export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]!
}

/** `1.23 (1.10–1.40)`: median and spread. */
export const spread = (values: readonly number[], digits = 2): string => {
  const round = (value: number): string => value.toFixed(digits)
  return `${round(median(values))} (${round(Math.min(...values))}–${round(Math.max(...values))})`
}
