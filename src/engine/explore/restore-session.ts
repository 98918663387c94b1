/** What a restore session shows: Exchange, OneDrive, SharePoint, Teams. Names as the API has them. */
export type ExplorerType = 'Vex' | 'Veod' | 'Vesp' | 'Vet'

/** Whose restore points a session looks at. */
export type ExploreScope =
  | { readonly kind: 'job'; readonly jobId: string }
  | { readonly kind: 'organization'; readonly organizationId: string; readonly repositoryId?: string }
  /** Also for organizations that are no longer on this server. */
  | { readonly kind: 'repository'; readonly repositoryId: string; readonly organizationId: string }

export interface ExploreRequest {
  readonly scope: ExploreScope
  readonly type: ExplorerType
  /** The state at this time: each object at its newest restore point not after it. Absent: the newest. */
  readonly at?: Date
  readonly reason?: string
  readonly clientHost?: string
}

export type RestoreResult = 'Success' | 'Warning' | 'Failed'

export interface RestoreSession {
  readonly id: string
  readonly name: string
  readonly organizationId: string
  readonly organizationName: string
  readonly repositoryId?: string
  readonly type: ExplorerType
  /** Explorers are open until they are stopped; restores of their own end by themselves. */
  readonly kind: 'explore' | 'restore'
  /** The point in time that is shown. */
  readonly at: Date
  readonly creationTime: Date
  readonly endTime?: Date
  readonly state: 'Working' | 'Stopped'
  readonly result: RestoreResult
  readonly initiatedBy: string
  readonly details?: string
  readonly scopeName?: string
  readonly reason?: string
  readonly clientHost?: string
  readonly statistics: RestoreStatistics
}

export interface RestoreStatistics {
  /** 0 until the items have been counted. */
  readonly total: number
  readonly created: number
  readonly updated: number
  readonly skipped: number
  readonly failed: number
}

export type RestoreEventType = 'None' | 'Save' | 'Export' | 'Send' | 'Restore' | 'View'
export type RestoreEventStatus = 'Running' | 'Success' | 'Warning' | 'Failed' | 'Cancelled' | 'Skipped'

export interface RestoreEvent {
  readonly id: string
  readonly sessionId: string
  readonly type: RestoreEventType
  readonly status: RestoreEventStatus
  readonly title: string
  readonly message: string
  readonly startTime: Date
  readonly endTime?: Date
  /** Ascending within the server. */
  readonly order: number
  readonly itemName?: string
  readonly itemType?: string
  readonly itemSizeBytes?: number
  readonly source?: string
  readonly target?: string
}

export interface RestoreSessionFilter {
  readonly organizationId?: string
  readonly state?: 'Working' | 'Stopped'
  readonly type?: ExplorerType
  readonly startedFrom?: Date
  readonly startedTo?: Date
  /** With a bound on the end, only sessions that have ended. */
  readonly endedFrom?: Date
  readonly endedTo?: Date
  readonly offset?: number
  readonly limit?: number
}
