import type { CatalogueRow } from './rows.ts'

/** One entry of a segment, in the order in which things happened: the last word on an id counts. */
export type Change =
  | { readonly put: CatalogueRow }
  | { readonly del: string }
  /** Left its folder in this run and is not found elsewhere yet. Of use to a run that is resumed; else passed over. */
  | { readonly leave: string; readonly from: string }

export const idOf = (change: Change): string => {
  if ('put' in change) return change.put.id
  return 'del' in change ? change.del : change.leave
}
