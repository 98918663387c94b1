import { invalid, notBuilt } from '#base'
import type { Given } from '../organizations/organization.ts'
import { needed, readFlag, readText, readWord } from '../organizations/read-input.ts'
import type { BackupType, JobItem, JobItemInput, JobItemType } from './job.ts'
import type { JobItemList } from './jobs.ts'

export const BACKUP_TYPES: readonly BackupType[] = ['EntireOrganization', 'SelectedItems']
const ITEM_TYPES: readonly JobItemType[] = [
  'User',
  'Group',
  'PartialOrganization',
  'Site',
  'Team',
  'PersonalSites',
  'OneDriveFolders',
]
const LONGEST_ID = 1_024

type Flag = {
  [Name in keyof JobItem]-?: NonNullable<JobItem[Name]> extends boolean ? Name : never
}[keyof JobItem]

/** What counts for each type. Without any of them given, all are meant. */
const FLAGS: Readonly<Partial<Record<JobItemType, readonly Flag[]>>> = {
  User: ['mailbox', 'archiveMailbox', 'oneDrive', 'personalSite'],
  Group: [
    'members',
    'memberMailbox',
    'memberArchiveMailbox',
    'memberOnedrive',
    'memberSite',
    'mailbox',
    'groupSite',
  ],
  PartialOrganization: ['mailbox', 'archiveMailbox', 'oneDrive', 'sites', 'teams', 'teamsChats'],
}

/** What cannot be protected yet, and what would be protected although somebody left it out. */
const NOT_BUILT: Readonly<Record<JobItemList, readonly JobItemType[]>> = {
  selected: ['Site', 'Team', 'PersonalSites', 'OneDriveFolders'],
  excluded: ['OneDriveFolders'],
}

/** Ids may come as two GUIDs run together: the first one is the directory's. */
const directoryId = (id: string): string => (/^[0-9a-f-]{72}$/i.test(id) ? id.slice(0, 36) : id)

interface Named {
  readonly id?: Given<string>
  readonly displayName?: Given<string>
  readonly name?: Given<string>
}

/** A user or group by its id, or by its name alone. */
const readNamed = (value: Given<Named>, at: string) => {
  if (value === undefined || value === null) throw invalid(`${at} is needed`, at)
  const id = readText(value.id, `${at}.id`, LONGEST_ID)
  const name = readText(value.name, `${at}.name`, LONGEST_ID)
  const displayName = readText(value.displayName, `${at}.displayName`, LONGEST_ID)
  return {
    id: directoryId(needed(id ?? name, `${at}.id`)),
    ...(name === undefined ? {} : { name }),
    ...(displayName === undefined ? {} : { displayName }),
  }
}

const readFlags = (input: JobItemInput, type: JobItemType, at: string): Partial<Record<Flag, boolean>> => {
  const names = FLAGS[type] ?? []
  const given = names.flatMap((name) => {
    const value = readFlag(input[name], `${at}.${name}`)
    return value === undefined ? [] : [[name, value] as const]
  })
  if (given.length === 0) return Object.fromEntries(names.map((name) => [name, true]))
  if (given.every(([, value]) => !value))
    throw invalid(`${at} names nothing to protect: all of ${names.join(', ')} are false`, at)
  return Object.fromEntries(given)
}

const readObject = (input: JobItemInput, type: JobItemType, at: string): Partial<JobItem> => {
  switch (type) {
    case 'User':
      return { user: readNamed(input.user, `${at}.user`) }
    case 'Group':
      return { group: readNamed(input.group, `${at}.group`) }
    case 'Site':
      return { site: readNamed(input.site, `${at}.site`) }
    case 'Team':
      return { team: readNamed(input.team, `${at}.team`) }
    default:
      return {}
  }
}

export type AcceptedItem = Omit<JobItem, 'id'>

/** Reads an item of a list. Throws `invalid` naming the property, `not-built` for what cannot be protected yet. */
export const readJobItem = (input: JobItemInput, list: JobItemList, at: string): AcceptedItem => {
  const type = needed(readWord(input.type, `${at}.type`, ITEM_TYPES), `${at}.type`)
  if (NOT_BUILT[list].includes(type)) throw notBuilt(`items of type ${type} are not built yet`)
  if (list === 'excluded' && type === 'PartialOrganization')
    throw invalid(`${at}: a whole organization cannot be excluded`, `${at}.type`)
  return { type, ...readObject(input, type, at), ...readFlags(input, type, at) }
}

export const readJobItems = (
  inputs: Given<readonly JobItemInput[]>,
  list: JobItemList,
): readonly AcceptedItem[] =>
  (inputs ?? []).map((input, index) => readJobItem(input, list, `${list}Items[${index}]`))

/** What an item stands for, so that it is listed once. */
export const objectKeyOf = (item: AcceptedItem): string => {
  const object = item.user ?? item.group ?? item.site ?? item.team
  return object === undefined ? item.type : `${item.type}:${object.id.toLowerCase()}`
}
