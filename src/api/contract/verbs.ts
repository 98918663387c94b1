import type { Operation } from './operation.ts'
import { isAlive } from './versions.ts'

/**
 * Two doors, one room: from v6 a verb has a path of its own (`/Jobs/{id}/start`); v4 and v5 put its name into the body
 * of `POST …/Action` as the one key. Give the operations with the path of their verb.
 */
export const verbs = (path: string, operations: readonly Operation[]): readonly Operation[] => {
  const [first] = operations
  if (first === undefined) return []
  const actions = Object.fromEntries(
    operations.filter((verb) => isAlive('v5', verb)).map((verb) => [nameOf(verb), verb]),
  )
  const action = actionDoor(path, first, actions)
  const doors = operations.map((verb) => (isAlive('v5', verb) ? { ...verb, since: 'v6' as const } : verb))
  return [action, ...doors]
}

/** `POST …/Action` of v4 and v5, where an action is called otherwise than the path of its later version. */
export const actionDoor = (
  path: string,
  like: Pick<Operation, 'tag' | 'access'>,
  actions: Readonly<Record<string, Operation>>,
): Operation => ({
  method: 'POST',
  path: `${path}/Action`,
  tag: like.tag,
  summary: `One of: ${Object.keys(actions).join(', ')}`,
  access: like.access,
  until: 'v6',
  status: { v4: 200 },
  answers: { kind: 'nothing' },
  handle: async () => {},
  actions,
})

const nameOf = ({ path }: Operation): string => {
  const last = path.split('/').at(-1) ?? ''
  return last.charAt(0).toLowerCase() + last.slice(1)
}
