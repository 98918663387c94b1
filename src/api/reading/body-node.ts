/**
 * A body before its schema is known: an object keeps every member in the order given, so that names that differ only
 * in letter case, or not at all, can still be told apart. No name ever becomes a property of an object.
 */
export type BodyNode = string | number | boolean | null | readonly BodyNode[] | BodyObject

export class BodyObject {
  readonly members: readonly (readonly [name: string, value: BodyNode])[]
  constructor(members: readonly (readonly [name: string, value: BodyNode])[]) {
    this.members = members
  }
}

/** As plain values, for the few places where a schema leaves the form open. */
export const plainValue = (node: BodyNode): unknown => {
  if (node instanceof BodyObject)
    return Object.fromEntries(
      node.members.filter(([name]) => name !== '__proto__').map(([name, value]) => [name, plainValue(value)]),
    )
  return Array.isArray(node) ? (node as readonly BodyNode[]).map(plainValue) : node
}
