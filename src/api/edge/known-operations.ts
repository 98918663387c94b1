import type { Version } from '../contract/versions.ts'

/** Paths of the contract by version, each with its methods; parameters are `{}`. */
export type OperationsByVersion = Readonly<Record<Version, Readonly<Record<string, readonly string[]>>>>

interface Branch {
  readonly literals: Map<string, Branch>
  any?: Branch
  methods: readonly string[]
}

const newBranch = (): Branch => ({ literals: new Map(), methods: [] })

const PARAMETER = '{}'

const plant = (root: Branch, path: string, methods: readonly string[]): void => {
  let branch = root
  for (const segment of path.toLowerCase().split('/').filter(Boolean)) {
    const next = segment === PARAMETER ? branch.any : branch.literals.get(segment)
    const grown = next ?? newBranch()
    if (segment === PARAMETER) branch.any = grown
    else branch.literals.set(segment, grown)
    branch = grown
  }
  branch.methods = methods
}

const follow = (branch: Branch | undefined, segments: readonly string[]): readonly string[] => {
  const [head, ...rest] = segments
  if (branch === undefined) return []
  if (head === undefined) return branch.methods
  const literal = follow(branch.literals.get(head.toLowerCase()), rest)
  return literal.length > 0 ? literal : follow(branch.any, rest)
}

/** Finds the methods that the contract has for a path of a version, built here or not. */
export const knownOperations = (operations: OperationsByVersion, version: Version) => {
  const root = newBranch()
  for (const [path, methods] of Object.entries(operations[version])) plant(root, path, methods)
  return (path: string): readonly string[] => follow(root, path.split('/').filter(Boolean))
}
