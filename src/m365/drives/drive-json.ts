import type { JsonObject } from '#base'
import type { DriveInfo, DriveItem, DriveItemVersion, DrivePermission } from '#items'
import {
  dateOf,
  isObject,
  numberOf,
  objectOf,
  objectsOf,
  present,
  resourceOf,
  textOf,
  textsOf,
} from '../graph-json.ts'

/** Where the bytes of a file can be had for a while. Never kept with an item: it is as good as a password, and soon stale. */
const DOWNLOAD_URL = '@microsoft.graph.downloadUrl'

export const downloadAddressOf = (json: JsonObject): string | undefined => textOf(json, DOWNLOAD_URL)

export function toDriveInfo(json: JsonObject): DriveInfo {
  return {
    id: textOf(json, 'id') ?? '',
    name: textOf(json, 'name') ?? '',
    driveType: textOf(json, 'driveType') ?? 'business',
    ...present({ webUrl: textOf(json, 'webUrl'), usedBytes: numberOf(objectOf(json, 'quota'), 'used') }),
  }
}

export function toDriveItem(json: JsonObject): DriveItem {
  const { [DOWNLOAD_URL]: _address, ...graph } = resourceOf(json)
  const file = objectOf(graph, 'file')
  const times = objectOf(graph, 'fileSystemInfo') ?? graph
  const kind = kindOf(graph)
  return {
    id: textOf(graph, 'id') ?? '',
    name: textOf(graph, 'name') ?? '',
    kind,
    sizeBytes: numberOf(graph, 'size') ?? 0,
    isMalware: isObject(graph.malware),
    isShared:
      isObject(graph.shared) || textOf(graph, '@microsoft.graph.sharedChanged')?.toLowerCase() === 'true',
    graph,
    ...present({
      parentId: kind === 'root' ? undefined : textOf(objectOf(graph, 'parentReference'), 'id'),
      createdAt: dateOf(times, 'createdDateTime'),
      modifiedAt: dateOf(times, 'lastModifiedDateTime'),
      eTag: textOf(graph, 'eTag'),
      cTag: textOf(graph, 'cTag'),
      quickXorHash: textOf(objectOf(file, 'hashes'), 'quickXorHash'),
      mimeType: textOf(file, 'mimeType'),
    }),
  }
}

/** Newest first, as the service lists them: the first is the current one. */
export function toVersion(json: JsonObject, index: number): DriveItemVersion {
  const { [DOWNLOAD_URL]: _address, ...graph } = resourceOf(json)
  return {
    id: textOf(graph, 'id') ?? '',
    sizeBytes: numberOf(graph, 'size') ?? 0,
    ...present({ modifiedAt: dateOf(graph, 'lastModifiedDateTime') }),
    isCurrent: index === 0,
    graph,
  }
}

export function toPermission(graph: JsonObject): DrivePermission {
  const roles = textsOf(graph, 'roles')
  return {
    id: textOf(graph, 'id') ?? '',
    roles,
    isInherited: isObject(graph.inheritedFrom),
    isLink: isObject(graph.link),
    isOwner: roles.includes('owner'),
    graph,
  }
}

export interface Grantee {
  readonly email?: string
  readonly objectId?: string
}

/** Whom a permission names: people and groups that the directory can resolve. */
export function granteesOf(graph: JsonObject): readonly Grantee[] {
  const single = objectOf(graph, 'grantedToV2') ?? objectOf(graph, 'grantedTo')
  const several = [...objectsOf(graph, 'grantedToIdentitiesV2'), ...objectsOf(graph, 'grantedToIdentities')]
  const invited = textOf(objectOf(graph, 'invitation'), 'email')
  const named = [...(single === undefined ? [] : [single]), ...several].flatMap(granteeOf)
  if (named.length > 0 || invited === undefined) return named
  return [{ email: invited }]
}

function granteeOf(identity: JsonObject): Grantee[] {
  const one = objectOf(identity, 'user') ?? objectOf(identity, 'group')
  const email = textOf(one, 'email') ?? textOf(objectOf(identity, 'siteUser'), 'email')
  const objectId = textOf(one, 'id')
  // The id still fits after a rename.
  if (objectId !== undefined) return [{ objectId }]
  return email === undefined ? [] : [{ email }]
}

function kindOf(graph: JsonObject): DriveItem['kind'] {
  if (isObject(graph.root)) return 'root'
  if (isObject(graph.remoteItem)) return 'shortcut'
  if (isObject(graph.package)) return 'package'
  return isObject(graph.folder) ? 'folder' : 'file'
}
