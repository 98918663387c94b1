import type { Command } from 'commander'
import type { ServerConnection } from '../connection.ts'
import type { Output } from '../output.ts'

/** What every command on a server gets. */
export interface CommandContext {
  /** Logs in at the first call. */
  readonly server: ServerConnection
  readonly output: Output
}

/** Makes the context from the options that stand before any command. */
export type WithContext = (
  command: Command,
  work: (context: CommandContext) => Promise<void>,
) => Promise<void>

/** A page of a collection. */
export interface PageOf<Item> {
  readonly results: readonly Item[]
  readonly offset: number
  readonly limit: number
}

/** All items of a collection, page by page. */
export async function* allOf<Item>(
  server: ServerConnection,
  path: string,
  query: Readonly<Record<string, string | number | undefined>> = {},
): AsyncGenerator<Item> {
  const limit = 500
  for (let offset = 0; ; offset += limit) {
    const page = await server.get<PageOf<Item> | readonly Item[]>(path, { ...query, offset, limit })
    const items = 'results' in page ? page.results : page
    yield* items
    if (!('results' in page) || items.length < limit) return
  }
}
