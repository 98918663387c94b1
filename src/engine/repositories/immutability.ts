import { invalid } from '#base'
import type { Immutability } from '../object-storage/object-storage.ts'
import type { Retention, YearlyRetentionPeriod } from './backup-repository.ts'

const YEARS: Readonly<Record<YearlyRetentionPeriod, number | undefined>> = {
  Year1: 1,
  Years2: 2,
  Years3: 3,
  Years5: 5,
  Years7: 7,
  Years10: 10,
  Years25: 25,
  Keep: undefined,
}
const DAYS_OF_MONTH = 31
const DAYS_OF_YEAR = 366

/** Days that a retention keeps, rounded up; undefined for one that keeps for ever. */
const daysOf = (retention: Retention): number | undefined => {
  switch (retention.retentionPeriodType) {
    case 'Daily':
      return retention.dailyRetentionPeriod
    case 'Monthly':
      return (retention.monthlyRetentionPeriod ?? 1) * DAYS_OF_MONTH
    case 'Yearly': {
      const years = YEARS[retention.yearlyRetentionPeriod ?? 'Years3']
      return years === undefined ? undefined : years * DAYS_OF_YEAR
    }
  }
}

/** Days that nothing can be removed for. Throws `invalid` where neither the days nor the retention say how many. */
export const immutabilityDays = ({ days }: Immutability, retention: Retention): number => {
  const found = days ?? daysOf(retention)
  if (found === undefined)
    throw invalid(
      'immutabilityPeriodDays is needed where the retention keeps for ever',
      'immutabilityPeriodDays',
    )
  return found
}
