import { invalid } from '#base'
import { readFlag } from '../organizations/read-input.ts'
import type { ProxyInput, Throttling, ThrottlingUnit } from './proxy.ts'

const BYTES_PER_SECOND: Readonly<Record<ThrottlingUnit, number>> = {
  Mbps: 1_000_000 / 8,
  MBs: 1024 * 1024,
  KBs: 1024,
}
/** Less than this and calls would run into the timeouts of those who answer them. */
const LEAST_BYTES_PER_SECOND = 16 * 1024

/** Undefined while there is no limit. */
export const bytesPerSecond = (throttling: Throttling | undefined): number | undefined => {
  const { isOn = false, value, unit = 'Mbps' } = throttling ?? {}
  return isOn && value !== undefined ? value * BYTES_PER_SECOND[unit] : undefined
}

/** Merges what was given into what was set. Throws `invalid` for a limit that cannot be kept. */
export const readThrottling = (input: ProxyInput, stored: Throttling | undefined): Throttling => {
  const isOn = readFlag(input.enableNetworkThrottling, 'enableNetworkThrottling') ?? stored?.isOn ?? false
  const value = input.throttlingValue ?? stored?.value
  const unit = readUnit(input.throttlingUnit) ?? stored?.unit
  if (value !== undefined && (!Number.isSafeInteger(value) || value < (isOn ? 1 : 0)))
    throw invalid('throttlingValue has to be a whole number above 0', 'throttlingValue')
  if (isOn && value === undefined)
    throw invalid('throttlingValue is needed with enableNetworkThrottling', 'throttlingValue')
  const throttling = {
    isOn,
    ...(value === undefined ? {} : { value }),
    ...(unit === undefined ? {} : { unit }),
  }
  if ((bytesPerSecond(throttling) ?? LEAST_BYTES_PER_SECOND) < LEAST_BYTES_PER_SECOND)
    throw invalid('throttlingValue is below 16 KB a second, too slow for Microsoft 365', 'throttlingValue')
  return throttling
}

const readUnit = (value: ProxyInput['throttlingUnit']): ThrottlingUnit | undefined => {
  if (value === undefined || value === null) return undefined
  if (!(value in BYTES_PER_SECOND)) throw invalid('throttlingUnit is Mbps, MBs or KBs', 'throttlingUnit')
  return value
}
