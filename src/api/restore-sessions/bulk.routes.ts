import { invalid, notBuilt } from '#base'
import type { RestoreReport, Restores } from '#engine'
import type { Static } from 'typebox'
import type { Operation } from '../contract/operation.ts'
import { flag, integer, object, oneOf, secret, text } from '../contract/schema.ts'
import { sessionIdIn } from './restore-session.routes.ts'
import { credentials, idsOf, plainIds, restoring } from './restoring.ts'

/** Who restores, in the words of bulk restores: as in every restore, the organization's own application does the work. */
const callers = {
  ...credentials,
  office365UserName: text(),
  office365UserPassword: secret(),
  officeUserName: text(),
  officeUserPassword: secret(),
  onPremisesUserName: text(),
  onPremisesUserPassword: secret(),
  domainName: text(),
}

const MailboxesToRestore = object('BulkRestoreOptions', {
  ...callers,
  casServer: text(),
  mailboxes: idsOf('MailboxToRestore'),
  changedItems: flag({ description: 'Set messages back that changed since.' }),
  deletedItems: flag({ description: 'Bring messages back that are gone.' }),
  markRestoredAsUnread: flag(),
  skipUnresolved: flag(),
  excludeDrafts: flag(),
  excludeDeletedItems: flag(),
  excludeInPlaceHoldItems: flag(),
  excludeLitigationHoldItems: flag(),
  recentItemRestorePeriod: integer({ description: 'Days; not built.' }),
})

const OneDrivesToRestore = object('BulkRestoreConfig', {
  ...callers,
  oneDrives: idsOf('OneDriveToRestore'),
  documentAction: oneOf(['Overwrite', 'Keep']),
  skipUnresolved: flag(),
})

const BulkStatistics = object('BulkRestoreStatistics', {
  status: oneOf(['Failed', 'Warning', 'Success']),
  error: text(),
})

const statistics = {
  statistics: BulkStatistics,
  count: ({ failed, errors, remarks }: RestoreReport) => ({
    status:
      failed > 0 ? ('Failed' as const) : remarks.length > 0 ? ('Warning' as const) : ('Success' as const),
    error: errors.length > 0 ? errors.join('\n') : undefined,
  }),
}

const named = (items: Static<typeof MailboxesToRestore>['mailboxes'], property: string): string[] => {
  const ids = plainIds(items)
  if (ids === undefined || ids.length === 0) throw invalid(`${property} must name at least one`, property)
  return ids
}

const base = '/RestoreSessions/{restoreSessionId}/Organization'

/** Restores of several mailboxes or drives at once, to where they were. */
export const bulkRestoreOperations = ({
  restores,
}: {
  readonly restores: Restores
}): readonly Operation[] => [
  ...restoring({
    ...statistics,
    path: `${base}/Mailboxes/restore`,
    tag: 'ExchangeMailbox',
    summary: 'Restores several mailboxes to where they were',
    body: MailboxesToRestore,
    start: async ({ principal, params, body }) => {
      if (body.recentItemRestorePeriod !== undefined)
        throw notBuilt('restoring only what is recent is not built yet: leave recentItemRestorePeriod out')
      return restores.mail(principal, sessionIdIn({ params }), {
        mailboxIds: named(body.mailboxes, 'mailboxes'),
        selection: {},
        missing: body.deletedItems ?? true,
        changed: body.changedItems ?? true,
        markUnread: body.markRestoredAsUnread ?? false,
        excludeDrafts: body.excludeDrafts ?? false,
        excludeDeletedItems: body.excludeDeletedItems ?? false,
      })
    },
  }).both,
  ...restoring({
    ...statistics,
    path: `${base}/OneDrives/restore`,
    tag: 'OneDrive',
    summary: 'Restores several OneDrives to where they were',
    body: OneDrivesToRestore,
    start: async ({ principal, params, body }) =>
      restores.drive(principal, sessionIdIn({ params }), {
        driveIds: named(body.oneDrives, 'oneDrives'),
        selection: {},
        onDifferent: body.documentAction === 'Keep' ? 'keep' : 'overwrite',
      }),
  }).both,
]
