import { isHoldfastError, type Clock, type Secret } from '#base'
import { secretRows, type Database, type Queries } from '#database'
import { rehashAudit } from '../access/audit.ts'
import { openSecret, sealSecret } from './envelope.ts'

export interface SealedAnew {
  readonly secrets: number
  readonly auditRows: number
}

/**
 * Seals every secret with another root key, and hashes the audit under it: all of it in one transaction, or nothing. Throws
 * `corrupt`, and changes nothing, when a secret does not open. Nobody else may have the database open.
 */
export const sealAnew = async (
  database: Database,
  { from, to, clock }: { readonly from: Secret; readonly to: Secret; readonly clock: Clock },
): Promise<SealedAnew> =>
  database.transaction(async (queries) => {
    const rows = await secretRows.list(queries)
    for (const row of rows) {
      const place = { table: row.tableName, row: row.rowId, field: row.field }
      const envelope = sealSecret(to, place, openSecret(from, place, row.envelope))
      await secretRows.put(queries, { ...row, envelope, updatedAt: clock.now() })
    }
    return { secrets: rows.length, auditRows: await rehashAudit(queries, { from, to }) }
  })

/** Whether a root key is the one that the stored secrets are sealed with; undefined when there are none. */
export const opensSecrets = async (queries: Queries, rootKey: Secret): Promise<boolean | undefined> => {
  const [row] = await secretRows.list(queries)
  if (row === undefined) return undefined
  try {
    openSecret(rootKey, { table: row.tableName, row: row.rowId, field: row.field }, row.envelope)
    return true
  } catch (error) {
    if (!isHoldfastError(error, 'corrupt')) throw error
    return false
  }
}
