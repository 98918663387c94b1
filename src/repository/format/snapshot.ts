import { corrupt } from '#base'
import type { BlobId, NewSnapshot, Snapshot, SnapshotId } from '../contract.ts'
import { type Fields, fieldsOf, textsOf } from './document.ts'
import { goJson, goJsonString, goTime, parseGoTime } from './go-json.ts'
import { isId, parseId } from './ids.ts'

/** Who makes a snapshot or holds a lock. */
export interface Host {
  readonly hostname: string
  readonly username: string
}

const list = (texts: readonly string[]): string => `[${texts.map(goJsonString).join(',')}]`

/** The JSON text of a snapshot file, in restic's order of fields. */
export const encodeSnapshot = (snapshot: NewSnapshot, host: Host): string =>
  [
    `{"time":"${goTime(snapshot.time)}"`,
    snapshot.parent === undefined ? '' : `,"parent":"${snapshot.parent}"`,
    `,"tree":"${snapshot.tree}","paths":${list(snapshot.paths)}`,
    `,"hostname":${goJsonString(host.hostname)},"username":${goJsonString(host.username)}`,
    snapshot.tags.length === 0 ? '' : `,"tags":${list(snapshot.tags)}`,
    '}',
  ].join('')

const FIELDS = [
  'time',
  'parent',
  'tree',
  'paths',
  'hostname',
  'username',
  'uid',
  'gid',
  'excludes',
  'tags',
  'original',
  'program_version',
  'summary',
]

/**
 * The JSON text of a snapshot made from another, as restic does it: every field of its stays, nanoseconds of the time
 * too, but the parent, which is not where this one is. `original` is the first of the line.
 */
export const encodeDescendant = (
  id: SnapshotId,
  document: Fields,
  { tree, parent }: { readonly tree: BlobId; readonly parent?: SnapshotId },
): string => {
  const original = isId(document['original']) ? document['original'] : id
  const fields: Record<string, unknown> = { ...document, tree, parent, original }
  const names = [...FIELDS, ...Object.keys(document).filter((name) => !FIELDS.includes(name))]
  const known = names.filter((name) => fields[name] !== undefined)
  return `{${known.map((name) => `${goJsonString(name)}:${goJson(fields[name])}`).join(',')}}`
}

/** Reads a snapshot file. Throws `corrupt`. */
export const decodeSnapshot = (id: SnapshotId, document: unknown): Snapshot => {
  const fields = fieldsOf(document, 'a snapshot')
  const time = parseGoTime(fields['time'])
  if (time === undefined) throw corrupt('a snapshot has no time')
  const parent = fields['parent']
  const original = fields['original']
  return {
    id,
    time,
    tree: parseId(fields['tree']) as BlobId,
    paths: textsOf(fields['paths'], 'the paths of a snapshot'),
    hostname: textOr(fields['hostname']),
    username: textOr(fields['username']),
    tags: textsOf(fields['tags'], 'the tags of a snapshot'),
    ...(isId(parent) ? { parent: parent as SnapshotId } : {}),
    ...(isId(original) ? { original: original as SnapshotId } : {}),
  }
}

const textOr = (value: unknown): string => (typeof value === 'string' ? value : '')
