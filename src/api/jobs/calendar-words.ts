/** Words that jobs and repositories share. */
export const DAILY_TYPES = [
  'Everyday',
  'Workdays',
  'Weekends',
  'Sunday',
  'Monday',
  'Tuesday',
  'Wednesday',
  'Thursday',
  'Friday',
  'Saturday',
] as const

export const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const
