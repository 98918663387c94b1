import { conflict, notFound } from '#base'
import type { ServerConnection } from '../connection.ts'
import { allOf } from './command.ts'

/** The item of a collection with this id, or with this name in any letter case. */
export const named = async <Item extends { readonly id: string; readonly name?: string }>(
  server: ServerConnection,
  path: string,
  nameOrId: string,
): Promise<Item> => {
  const wanted = nameOrId.toLowerCase()
  const found: Item[] = []
  for await (const item of allOf<Item>(server, path)) {
    if (item.id.toLowerCase() === wanted) return item
    if (item.name?.toLowerCase() === wanted) found.push(item)
  }
  const [only, second] = found
  if (only === undefined) throw notFound(`there is no ${nameOrId} among ${path.slice(1)}`)
  if (second !== undefined) throw conflict(`several of ${path.slice(1)} are called ${nameOrId}; give an id`)
  return only
}
