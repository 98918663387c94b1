import type { Logger, Secret } from '#base'
import type { Principal } from '#engine'
import type { Static, TObject, TSchema } from 'typebox'
import type { Link } from '../edge/links.ts'
import type { Policy } from '../edge/policies.ts'
import type { Changing, Lifetime, Version } from './versions.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

/** The part of a list that was asked for. */
export interface Window {
  readonly offset: number
  readonly limit: number
}

/** What a handler gets: everything is checked and in the newest model's words. */
export interface Call<Query = Record<string, unknown>, Body = unknown> {
  readonly version: Version
  readonly principal: Principal
  readonly params: Readonly<Record<string, string>>
  readonly query: Query
  readonly body: Body
  readonly window: Window
  /** Links as this version writes them, from a path such as `/organizations/{id}` with real ids. */
  readonly link: (path: string) => Link
  /** Fires when the client has gone. */
  readonly signal: AbortSignal
  readonly address: string
  /** What the caller showed; undefined where no token is asked for. */
  readonly token: Secret | undefined
  readonly log: Logger
}

/** A value with any field left out or null: nothing is answered for either, but where the contract has null. */
export type Answerable<Value> = Value extends Date
  ? Date
  : Value extends readonly (infer Item)[]
    ? readonly Answerable<Item>[]
    : Value extends object
      ? { readonly [Name in keyof Value]?: Answerable<Value[Name]> | null | undefined }
      : Value

/** A part of a list. `totalCount` counts the whole list. */
export interface Slice<Item> {
  readonly items: readonly Item[]
  readonly totalCount: number
  readonly setId?: string
}

/** Bytes to be saved as a file. */
export interface Download {
  readonly fileName: string
  readonly content: AsyncIterable<Uint8Array>
}

interface Common<Query, Body> extends Lifetime {
  readonly method: Method
  /** Path parameters in braces: `/Jobs/{jobId}`. */
  readonly path: string
  readonly tag: string
  readonly summary: string
  readonly access: Policy
  readonly query?: TObject
  readonly body?: TSchema
  readonly bodyLimitBytes?: number
  /** Log-in: limited by address, and errors in OAuth's words. */
  readonly isLogin?: boolean
  /** Served however busy the server is: ways in and out, and what takes work away. */
  readonly isAlwaysServed?: boolean
  readonly status: Changing<number>
  /** For the rare answer whose status depends on what it says. */
  readonly statusOf?: (result: unknown) => number | undefined
  readonly handle: (call: Call<Query, Body>) => Promise<unknown>
}

/** What the machinery serves: one operation for all the versions that it lives in. */
export interface Operation extends Common<Record<string, unknown>, unknown> {
  readonly answers:
    | { readonly kind: 'nothing' }
    | { readonly kind: 'object'; readonly schema: TSchema; readonly until?: Version }
    | {
        readonly kind: 'list'
        readonly item: TSchema
        readonly pagedSince: Version | 'never'
        readonly isLive: boolean
      }
    | { readonly kind: 'download' }
  /** Set for `…/Action`: the operations of the later versions behind one door, by name. */
  readonly actions?: Readonly<Record<string, Operation>>
}

type QueryOf<Query extends TObject | undefined> = Query extends TObject
  ? Static<Query>
  : Record<string, unknown>
type BodyOf<Body extends TSchema | undefined> = Body extends TSchema ? Static<Body> : unknown

interface Typed<Query extends TObject | undefined, Body extends TSchema | undefined, Result> extends Omit<
  Common<QueryOf<Query>, BodyOf<Body>>,
  'query' | 'body' | 'handle'
> {
  readonly query?: Query
  readonly body?: Body
  readonly handle: (call: Call<QueryOf<Query>, BodyOf<Body>>) => Promise<Result>
}

const untyped = (operation: object, answers: Operation['answers']): Operation =>
  ({ ...operation, answers }) as unknown as Operation

/** An operation that answers one object. */
export const answersObject = <
  Schema extends TSchema,
  Query extends TObject | undefined = undefined,
  Body extends TSchema | undefined = undefined,
>(
  schema: Schema,
  operation: Typed<Query, Body, Answerable<Static<Schema>>>,
): Operation => untyped(operation, { kind: 'object', schema })

/** An operation that answers a list: a bare array before `pagedSince`, a page with links from then on (if ever). */
export const answersList = <
  Item extends TSchema,
  Query extends TObject | undefined = undefined,
  Body extends TSchema | undefined = undefined,
>(
  item: Item,
  list: { readonly pagedSince: Version | 'never'; readonly isLive?: boolean },
  operation: Typed<Query, Body, Slice<Answerable<Static<Item>>>>,
): Operation =>
  untyped(operation, { kind: 'list', item, pagedSince: list.pagedSince, isLive: list.isLive ?? false })

/** An operation whose answer has no body. */
export const answersNothing = <
  Query extends TObject | undefined = undefined,
  Body extends TSchema | undefined = undefined,
>(
  operation: Typed<Query, Body, void>,
): Operation => untyped(operation, { kind: 'nothing' })

/** An operation that answers the bytes of a file. */
export const answersDownload = <
  Query extends TObject | undefined = undefined,
  Body extends TSchema | undefined = undefined,
>(
  operation: Typed<Query, Body, Download>,
): Operation => untyped(operation, { kind: 'download' })

/** The part of a whole list that a window shows. */
export const cut = <Item>(items: readonly Item[], { offset, limit }: Window): Slice<Item> => ({
  items: items.slice(offset, offset + limit),
  totalCount: items.length,
})
