import { readFileSync } from 'node:fs'
import type { Route, ServiceArea } from '../core/contract.ts'
import { seededUuid } from '../seed/ids.ts'

interface PermissionFile {
  /** Name, id and display name of each application permission. */
  readonly roles: readonly (readonly [name: string, id: string | null, displayName: string])[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>
}

const file = JSON.parse(
  readFileSync(new URL('../data/permissions.json', import.meta.url), 'utf8'),
) as PermissionFile

/** Every application permission of Microsoft Graph that the tenant knows. */
export const GRAPH_ROLES = file.roles.map(([value, id, displayName]) => ({
  value,
  // A few are named in the reference without their id.
  id: id ?? seededUuid(0, 'graph-role', value),
  displayName,
}))

const READ: Readonly<Record<ServiceArea, readonly string[]>> = {
  outlook: ['Mail.Read', 'Mail.ReadWrite'],
  files: [
    'Files.Read.All',
    'Files.ReadWrite.All',
    'Sites.Read.All',
    'Sites.ReadWrite.All',
    'Sites.FullControl.All',
  ],
  directory: ['Directory.Read.All', 'Directory.ReadWrite.All'],
  ews: [],
  login: [],
  open: [],
}
const WRITE: Readonly<Record<ServiceArea, readonly string[]>> = {
  ...READ,
  outlook: ['Mail.ReadWrite'],
  files: ['Files.ReadWrite.All', 'Sites.ReadWrite.All', 'Sites.FullControl.All'],
  directory: ['Directory.ReadWrite.All'],
}

const templateOf = (path: string): string =>
  path
    .toLowerCase()
    .replace(/:[^/]+/g, '{}')
    .replaceAll('()', '')

/** Who may write may read, even where the reference names the reader alone. */
const withStronger = (name: string): readonly string[] => {
  const writer = name.replace(/\.Read(?=\.All$|$)/, '.ReadWrite')
  return name.startsWith('Sites.') ? [name, writer, 'Sites.FullControl.All'] : [name, writer]
}

const namesIn = (template: string, method: string): readonly string[] | undefined =>
  file.paths[template]?.[method]?.flatMap((place) => withStronger(file.roles[place]![0]))

/** `/users/{}/drive/items/{}` and `/drives/{}/items/{}` are doors to one room. */
const withoutOwner = (template: string): string =>
  template.replace(/^\/(users|groups|sites)\/\{\}\/drive(?=\/|$)/, '/drives/{}')

const shortened = (template: string): string => template.slice(0, template.lastIndexOf('/'))

/** The application permissions any of which opens a route: its own, else Microsoft's for the path, else the area's. */
export const permissionsFor = (route: Route): readonly string[] => {
  if (route.permissions !== undefined) return route.permissions
  const template = templateOf(route.path)
  const exact = namesIn(template, route.method) ?? namesIn(withoutOwner(template), route.method)
  if (exact !== undefined) return exact
  const byArea = (route.method === 'GET' ? READ : WRITE)[route.area]
  if (route.area !== 'directory') return byArea
  for (let path = shortened(template); path !== ''; path = shortened(path)) {
    const found = namesIn(path, route.method)
    if (found !== undefined) return found
  }
  return byArea
}
