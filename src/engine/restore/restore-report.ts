/** What became of one item of a restore. */
export type RestoreOutcome =
  | 'created' // was missing and is back
  | 'updated' // was there, changed since, and is as it was again
  | 'skipped' // is there as it was
  | 'failed'

export interface RestoredItem {
  readonly name: string
  readonly itemType: 'mail' | 'document' | 'folder'
  readonly outcome: RestoreOutcome
  readonly sizeBytes: number
  /** Why it failed, or what could not be given back with it (a permission for an account that is gone, say). */
  readonly message?: string
  readonly source: string
  readonly target: string
}

export interface RestoreReport {
  readonly created: number
  readonly updated: number
  readonly skipped: number
  readonly failed: number
  /** Items that are back, but not with everything that they had. */
  readonly warnings: number
  /** What went wrong with the first of them, for a person. */
  readonly errors: readonly string[]
  readonly remarks: readonly string[]
}

export const emptyReport: RestoreReport = {
  created: 0,
  updated: 0,
  skipped: 0,
  failed: 0,
  warnings: 0,
  errors: [],
  remarks: [],
}

const MOST_TOLD = 50

export const addToReport = (report: RestoreReport, item: RestoredItem): RestoreReport => {
  const isFailed = item.outcome === 'failed'
  const told = item.message === undefined ? [] : [`${item.name}: ${item.message}`]
  return {
    ...report,
    [item.outcome]: report[item.outcome] + 1,
    warnings: report.warnings + (isFailed ? 0 : told.length),
    errors: isFailed ? [...report.errors, ...told].slice(0, MOST_TOLD) : report.errors,
    remarks: isFailed ? report.remarks : [...report.remarks, ...told].slice(0, MOST_TOLD),
  }
}

/** The class of a finished restore: nothing failed, something did, or nothing came back at all. */
export const resultOf = (report: RestoreReport): 'success' | 'warning' | 'failed' => {
  if (report.failed === 0) return report.warnings === 0 ? 'success' : 'warning'
  return report.created + report.updated + report.skipped > 0 ? 'warning' : 'failed'
}
