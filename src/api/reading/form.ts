import { HoldfastError } from '#base'
import { BodyObject, type BodyNode } from './body-node.ts'

const MAX_FIELDS = 10_000

/**
 * Reads a URL-encoded body. `settings[account]=x` and `settings.account=x` become nested objects, as form encoders of
 * several languages write them.
 */
export const parseForm = (source: string): BodyObject => {
  const fields = [...new URLSearchParams(source)]
  if (fields.length > MAX_FIELDS)
    throw new HoldfastError('too-large', `the body holds more than ${MAX_FIELDS} values`)
  return gather(fields.map(([name, value]) => ({ path: pathOf(name), value })))
}

interface Field {
  readonly path: readonly string[]
  readonly value: string
}

// `.issued` and the like begin with a dot and are one name.
const pathOf = (name: string): readonly string[] =>
  name.startsWith('.')
    ? [name]
    : name
        .replaceAll(']', '')
        .split(/[[.]/)
        .filter((part) => part !== '')
        .slice(0, 8)

const gather = (fields: readonly Field[]): BodyObject => {
  const groups = new Map<string, Field[]>()
  const members: [string, BodyNode][] = []
  for (const { path, value } of fields) {
    const [head = '', ...rest] = path
    if (rest.length === 0) {
      members.push([head, value])
      continue
    }
    const group = groups.get(head) ?? []
    group.push({ path: rest, value })
    groups.set(head, group)
  }
  for (const [name, group] of groups) members.push([name, gather(group)])
  return new BodyObject(members)
}
