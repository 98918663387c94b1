import { GraphError } from '../core/contract.ts'

const FORBIDDEN = /["*:<>?/\\|]/
const RESERVED = /^(\.lock|con|prn|aux|nul|com\d|lpt\d|desktop\.ini|\.|\.\.)$/i
const LONGEST_NAME = 255
const LONGEST_PATH = 400

/** The form by which names are compared: OneDrive keeps the letter case and does not look at it. */
export const foldedName = (name: string): string => name.toLowerCase()

const refuse = (reason: string): never => {
  throw new GraphError(400, 'invalidRequest', reason)
}

/** Throws the 400 of a name that OneDrive does not take. */
export const checkName = (name: unknown): string => {
  if (typeof name !== 'string' || name === '') return refuse('Item name is missing or invalid.')
  if (FORBIDDEN.test(name)) return refuse('The provided name contains characters that are not allowed.')
  if (name.trim() !== name) return refuse('The provided name begins or ends with a blank.')
  if (name.startsWith('~$') || RESERVED.test(name) || name.toLowerCase().includes('_vti_')) {
    return refuse('The provided name is reserved.')
  }
  if (name.length > LONGEST_NAME) return refuse('The provided name is too long.')
  return name
}

/** Throws the 400 of a path that is longer than SharePoint's 400 characters. */
export const checkPathLength = (path: string): void => {
  if (path.length > LONGEST_PATH) refuse('The specified path is too long.')
}

/** `Plan.docx` → `Plan 1.docx`, the first that `isTaken` does not refuse. */
export const freeName = (name: string, isTaken: (name: string) => boolean): string => {
  const dot = name.lastIndexOf('.')
  const [stem, extension] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, '']
  for (let n = 1; ; n += 1) {
    const candidate = `${stem} ${n}${extension}`
    if (!isTaken(candidate)) return candidate
  }
}

export type ConflictBehavior = 'fail' | 'replace' | 'rename'

/** Reads `@microsoft.graph.conflictBehavior`; throws a 400 for an unknown one. */
export const conflictBehaviorOf = (value: unknown, otherwise: ConflictBehavior): ConflictBehavior => {
  if (value === undefined || value === null) return otherwise
  if (value === 'fail' || value === 'replace' || value === 'rename') return value
  return refuse('The value of @microsoft.graph.conflictBehavior is not supported.')
}

export const nameTaken = (): GraphError =>
  new GraphError(409, 'nameAlreadyExists', 'An item with the same name already exists under the parent.')
