import type { SelectQueryBuilder } from 'kysely'
import type { PageRequest } from '../page.ts'
import type { Tables } from '../tables.ts'

/** Cuts a page out of a query. */
export const slice = <Table extends keyof Tables, Output>(
  query: SelectQueryBuilder<Tables, Table, Output>,
  page: PageRequest,
): SelectQueryBuilder<Tables, Table, Output> => {
  if (page.limit === undefined && page.offset === undefined) return query
  // SQLite takes an offset only behind a limit.
  return query.limit(page.limit ?? Number.MAX_SAFE_INTEGER).offset(page.offset ?? 0)
}

/** Rows that a query without columns would find. */
export const countOf = async <Table extends keyof Tables>(
  query: SelectQueryBuilder<Tables, Table, object>,
): Promise<number> => {
  const row = await query.select(({ fn }) => fn.countAll().as('total')).executeTakeFirst()
  return Number((row as { total?: number | bigint | string } | undefined)?.total ?? 0)
}
