import { Type, type TSchema } from 'typebox'
import type { Link } from '../edge/links.ts'
import type { Slice, Window } from './operation.ts'
import { contractOf, count, integer, object, part, uuid } from './schema.ts'

/** More than this is not put on one page, whatever is asked for. */
export const MAX_PAGE = 10_000
const DEFAULT_PAGE = 30

export const LinkSchema = object('Link', { href: Type.Optional(Type.String()) })
export const Links = Type.Unsafe<Readonly<Record<string, Link>>>({
  type: 'object',
  additionalProperties: LinkSchema,
})
/** `_links` of a resource. */
export const links = () => part(Links, { readOnly: true })

/** What every paged list reads from its query. */
export const PageQuery = Type.Object({
  offset: integer({ minimum: 0, description: 'How many to leave out at the beginning.' }),
  limit: integer({ minimum: 1, description: `How many at most, ${DEFAULT_PAGE} by default.` }),
  setId: uuid({ description: 'The listing that an earlier page came from.' }),
})

export interface PageAsked {
  readonly offset?: number
  readonly limit?: number
  readonly setId?: string
}

export const windowOf = ({ offset = 0, limit = DEFAULT_PAGE }: PageAsked): Window => ({
  offset,
  limit: Math.min(limit, MAX_PAGE),
})

/** A bare array holds everything; the window is there so that no list grows without bounds. */
export const wholeList: Window = { offset: 0, limit: 1_000_000 }

export const pageSchema = (item: TSchema): TSchema =>
  object(`PageOf${contractOf(item).$id ?? 'Item'}`, {
    offset: Type.Integer({ format: 'int32' }),
    limit: Type.Integer({ format: 'int32' }),
    setId: uuid({ description: 'Only for listings of the live tenant.' }),
    totalCount: count({ format: 'int32', since: 'v6', until: 'v8' }),
    results: Type.Array(item),
    _links: links(),
  })

/** The page as it is answered, with links to its neighbours. */
export const pageOf = (slice: Slice<unknown>, window: Window, linkTo: (window: Window) => Link): object => {
  const { offset, limit } = window
  const next = offset + limit < slice.totalCount
  return {
    offset,
    limit,
    setId: slice.setId,
    totalCount: slice.totalCount,
    results: slice.items,
    _links: {
      ...(offset > 0 ? { first: linkTo({ offset: 0, limit }) } : {}),
      ...(offset > 0 ? { prev: linkTo({ offset: Math.max(0, offset - limit), limit }) } : {}),
      self: linkTo(window),
      ...(next ? { next: linkTo({ offset: offset + limit, limit }) } : {}),
    },
  }
}
