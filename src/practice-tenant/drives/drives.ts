import type { TenantPart } from '../core/contract.ts'
import { Addresses } from './addresses.ts'
import { FileContents } from './content-routes.ts'
import { Deltas } from './delta.ts'
import { DriveEdits } from './drive-edits.ts'
import { DriveStore } from './drive-store.ts'
import { ItemEdits } from './edit-routes.ts'
import type { ItemViewParts } from './item-view.ts'
import { Listings } from './listing-routes.ts'
import { Locator } from './locator.ts'
import { Permissions } from './permission-routes.ts'
import { UploadSessions } from './upload-sessions.ts'

/** What the routes of drives work with. */
export interface DriveParts extends ItemViewParts {
  readonly edits: DriveEdits
  readonly deltas: Deltas
  readonly locator: Locator
}

/** OneDrive: Graph's drives, and the downloads and uploads of the personal sites' host. */
export const drives: TenantPart = (state) => {
  const store = new DriveStore(state)
  const edits = new DriveEdits(store, state.clock)
  const parts: DriveParts = {
    state,
    store,
    edits,
    deltas: new Deltas(store, () => state.clock.nowMs()),
    addresses: new Addresses(state),
    locator: new Locator(state, store, edits),
  }
  return [Listings, FileContents, UploadSessions, ItemEdits, Permissions].flatMap((Group) =>
    new Group(parts).routes(),
  )
}
