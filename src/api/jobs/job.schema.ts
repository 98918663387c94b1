import { Type } from 'typebox'
import { links } from '../contract/pages.ts'
import { flag, integer, listOf, moment, needed, object, oneOf, part, text, uuid } from '../contract/schema.ts'
import { DAILY_TYPES } from './calendar-words.ts'

export const SESSION_STATUSES = [
  'Stopped',
  'Running',
  'Success',
  'Failed',
  'Warning',
  'NotConfigured',
  'Disconnected',
  'Queued',
] as const

export const PERIODS = [
  'Minutes5',
  'Minutes10',
  'Minutes15',
  'Minutes30',
  'Hours1',
  'Hours2',
  'Hours4',
  'Hours8',
  'Hours12',
] as const

const BACKUP_TYPES = ['EntireOrganization', 'SelectedItems'] as const

export const BackupWindow = object('BackupWindow', {
  backupWindow: listOf(Type.Boolean(), {
    maxItems: 168,
    description: '168 hours from Sunday 00:00; true where a run may start.',
  }),
  minuteOffset: integer({ minimum: -1440, maximum: 1440 }),
})

export const SchedulePolicy = object('SchedulePolicy', {
  scheduleEnabled: flag(),
  type: oneOf(['Daily', 'Periodically', 'ManualOnly']),
  dailyType: oneOf(DAILY_TYPES),
  dailyTime: text({ description: 'HH:mm:ss' }),
  periodicallyEvery: oneOf(PERIODS, { valueLifetimes: { Hours12: { since: 'v8' } } }),
  periodicallyOffsetMinutes: integer({ since: 'v6' }),
  backupWindowEnabled: flag(),
  backupWindowSettings: part(BackupWindow),
  periodicallyWindowEnabled: flag({ since: 'v7' }),
  periodicallyWindowSettings: part(BackupWindow, { since: 'v6' }),
  retryEnabled: flag(),
  retryNumber: integer({ minimum: 0, maximum: 1000 }),
  retryWaitInterval: integer({ minimum: 0, description: 'Minutes.' }),
  timeZone: text({ description: 'IANA name of the zone that dailyTime is meant in; Holdfast only.' }),
})

const LOCATIONS = ['OnPremises', 'Cloud', 'Hybrid'] as const

const ItemUser = object('JobItemUser', {
  id: text(),
  displayName: text(),
  name: text(),
  type: oneOf(['User', 'Shared', 'Public']),
  locationType: oneOf(LOCATIONS),
})
const ItemGroup = object('JobItemGroup', {
  id: text(),
  displayName: text(),
  name: text(),
  type: oneOf(['Office365', 'Security', 'Distribution', 'DynamicDistribution']),
  locationType: oneOf(LOCATIONS),
})
const ItemSite = object('JobItemSite', { id: text(), name: text(), url: text() })
const ItemTeam = object('JobItemTeam', { id: text(), displayName: text() })

/** Up to v5 `site` is an object in items of type Site and a flag in all others. */
export const SiteOrFlag = Type.Unsafe<boolean | { id?: string; name?: string; url?: string }>({})

export const JobItem = object('JobItem', {
  id: text({ readOnly: true }),
  type: needed(
    oneOf(['Group', 'User', 'Site', 'PartialOrganization', 'PersonalSites', 'OneDriveFolders', 'Team'], {
      valueLifetimes: { Team: { since: 'v5' } },
    }),
  ),
  user: part(ItemUser),
  group: part(ItemGroup),
  siteOrFlag: part(SiteOrFlag, { names: { v4: 'site' }, until: 'v6' }),
  site: part(ItemSite, { since: 'v6' }),
  team: part(ItemTeam, { since: 'v5' }),
  folders: listOf(Type.String({ maxLength: 1024 })),
  mailbox: flag(),
  oneDrive: flag(),
  archiveMailbox: flag(),
  personalSite: flag({ since: 'v6' }),
  sites: flag({ since: 'v6' }),
  groupSite: flag({ since: 'v6' }),
  teams: flag({ since: 'v5' }),
  teamsChats: flag({ since: 'v6' }),
  members: flag(),
  memberMailbox: flag(),
  memberArchiveMailbox: flag(),
  memberOnedrive: flag(),
  memberSite: flag(),
  _links: links(),
})

export const Job = object('Job', {
  id: uuid({ readOnly: true }),
  organizationId: uuid({ since: 'v8', readOnly: true }),
  repositoryId: uuid({ since: 'v6', readOnly: true }),
  name: text(),
  description: text(),
  backupType: oneOf(BACKUP_TYPES),
  isEnabled: flag({ readOnly: true }),
  schedulePolicy: part(SchedulePolicy),
  lastRun: moment({ readOnly: true }),
  nextRun: moment({ readOnly: true }),
  lastBackup: moment({ since: 'v7', readOnly: true }),
  lastStatus: oneOf(SESSION_STATUSES, { readOnly: true }),
  eTag: integer({ since: 'v8', format: 'int64', readOnly: true }),
  _links: links(),
})

const changeable = {
  name: text({ maxLength: 512 }),
  description: text({ maxLength: 4096 }),
  backupType: oneOf(BACKUP_TYPES),
  repositoryId: uuid(),
  proxyId: uuid({ until: 'v6', description: 'Read and not used: the repository decides.' }),
  selectedItems: listOf(JobItem),
  excludedItems: listOf(JobItem),
  schedulePolicy: part(SchedulePolicy),
  runNow: flag({ description: 'Start it as soon as it is saved.' }),
}

/** The body of a change: a job as it was read may be sent back. */
export const JobBody = object('JobToChange', { ...changeable, isEnabled: flag({ since: 'v8' }) })

/** The body of a new job below its organization. */
export const NewJob = object('JobToAdd', {
  ...changeable,
  name: needed(changeable.name),
  repositoryId: needed(changeable.repositoryId),
  isEnabled: flag({ since: 'v8' }),
})

/** The body of a new job from v8 on, where the organization is a property. */
export const NewJobOfOrganization = object('BackupJobToAdd', {
  ...changeable,
  organizationId: needed(uuid()),
  repositoryId: needed(changeable.repositoryId),
  isEnabled: flag(),
})

export const JobQuery = Type.Object({
  organizationId: uuid({ since: 'v8' }),
  repositoryId: uuid({ since: 'v8' }),
})

export const StartOptions = object('StartJobOptions', {
  full: flag({ description: 'Read everything again.' }),
})
