import { notFound } from '#base'
import {
  protectedObjectOf,
  protectedUsers,
  type BackupRepositories,
  type ObjectKind,
  type ProtectedFilter,
  type ProtectedObjects,
} from '#engine'
import type { Static } from 'typebox'
import { answersList, answersObject, cut, type Call, type Operation } from '../contract/operation.ts'
import { administratorOrOwner } from '../edge/policies.ts'
import { fromWireId } from '../organizations/directory-ids.ts'
import {
  presentMailboxData,
  presentOneDriveData,
  presentOrganizationData,
  presentPointMailbox,
  presentPointOneDrive,
  presentPointUser,
  presentProtectedUser,
  presentUserData,
} from './present-protected.ts'
import {
  DataQuery,
  MailboxData,
  OneDriveData,
  OrganizationData,
  ProtectedQuery,
  ProtectedUserSchema,
  RestorePointMailbox,
  RestorePointOneDrive,
  RestorePointUser,
  UserData,
} from './protected-data.schema.ts'

interface Parts {
  readonly protectedObjects: ProtectedObjects
  readonly repositories: BackupRepositories
}

const access = administratorOrOwner
const base = '/BackupRepositories/{repositoryId}'
const ok = { v4: 200 }

const idIn = ({ params }: Pick<Call, 'params'>, name: string): string => params[name] ?? ''
const repositoryIn = (call: Pick<Call, 'params'>): string => idIn(call, 'repositoryId')

/** What the repositories hold: organizations, users, mailboxes and drives, as their catalogues know it. */
export const protectedDataOperations = (parts: Parts): readonly Operation[] => [
  ...organizationData(parts),
  ...userData(parts),
  ...mailboxData(parts),
  ...oneDriveData(parts),
  ...insidePoints(parts),
  ...protectedUsersOf(parts),
]

const organizationData = ({ repositories }: Parts): readonly Operation[] => [
  answersList(
    OrganizationData,
    { pagedSince: 'v4' },
    {
      method: 'GET',
      path: `${base}/OrganizationData`,
      tag: 'BackupOrganizationData',
      summary: 'Organizations that have data in the repository',
      access,
      status: ok,
      handle: async (call) => {
        const found = await repositories.backedUpOrganizations(call.principal, repositoryIn(call))
        return cut(
          found.map((each) => presentOrganizationData(repositoryIn(call), each, call)),
          call.window,
        )
      },
    },
  ),
  answersObject(OrganizationData, {
    method: 'GET',
    path: `${base}/OrganizationData/{organizationId}`,
    tag: 'BackupOrganizationData',
    summary: 'One of them',
    access,
    status: ok,
    handle: async (call) => {
      const wanted = idIn(call, 'organizationId').toLowerCase()
      const all = await repositories.backedUpOrganizations(call.principal, repositoryIn(call))
      const found = all.find(({ organizationId }) => organizationId === wanted)
      if (found === undefined) throw notFound('the repository holds nothing of that organization')
      return presentOrganizationData(repositoryIn(call), found, call)
    },
  }),
]

const NO_USER = 'the repository holds nothing of that user'

const usersIn = async ({ protectedObjects }: Parts, call: Pick<Call, 'principal' | 'params'>) =>
  protectedUsers(await protectedObjects.list(call.principal, { repositoryId: repositoryIn(call) }))

const userData = (parts: Parts): readonly Operation[] => [
  answersList(
    UserData,
    { pagedSince: 'v4' },
    {
      method: 'GET',
      path: `${base}/UserData`,
      tag: 'BackupUserData',
      summary: 'Users that the repository holds something of, by name',
      access,
      status: ok,
      handle: async (call) => {
        const { items, totalCount } = cut(await usersIn(parts, call), call.window)
        return { totalCount, items: items.map((user) => presentUserData(repositoryIn(call), user, call)) }
      },
    },
  ),
  answersObject(UserData, {
    method: 'GET',
    path: `${base}/UserData/{userId}`,
    tag: 'BackupUserData',
    summary: 'One user',
    access,
    status: ok,
    handle: async (call) => {
      const id = fromWireId(idIn(call, 'userId'))
      return presentUserData(
        repositoryIn(call),
        protectedObjectOf(await usersIn(parts, call), id, NO_USER),
        call,
      )
    },
  }),
]

type Filtered = Pick<Call<Static<typeof DataQuery>>, 'principal' | 'params' | 'query'>

const objectsIn = ({ protectedObjects }: Parts, call: Filtered, kind: ObjectKind) => {
  const { filter, organizationId, pointInTime } = call.query
  const wanted: ProtectedFilter = {
    kind,
    repositoryId: repositoryIn(call),
    ...(filter === undefined ? {} : { search: filter }),
    ...(organizationId === undefined ? {} : { organizationId }),
    ...(pointInTime === undefined ? {} : { at: new Date(pointInTime) }),
  }
  return protectedObjects.list(call.principal, wanted)
}

const objectIn = async (parts: Parts, call: Pick<Call, 'principal' | 'params'>, kind: ObjectKind) => {
  const id = fromWireId(idIn(call, kind === 'mail' ? 'mailboxId' : 'oneDriveId'))
  return protectedObjectOf(await objectsIn(parts, { ...call, query: {} }, kind), id, NO_USER)
}

const mailboxData = (parts: Parts): readonly Operation[] => [
  answersList(
    MailboxData,
    { pagedSince: 'v4' },
    {
      method: 'GET',
      path: `${base}/MailboxData`,
      since: 'v6',
      tag: 'BackupMailboxData',
      summary: 'Mailboxes that the repository holds, by name',
      access,
      query: DataQuery,
      status: ok,
      handle: async (call) => {
        const { items, totalCount } = cut(await objectsIn(parts, call, 'mail'), call.window)
        return { totalCount, items: items.map((mailbox) => presentMailboxData(mailbox, call)) }
      },
    },
  ),
  answersObject(MailboxData, {
    method: 'GET',
    path: `${base}/MailboxData/{mailboxId}`,
    since: 'v6',
    tag: 'BackupMailboxData',
    summary: 'One mailbox',
    access,
    status: ok,
    handle: async (call) => presentMailboxData(await objectIn(parts, call, 'mail'), call),
  }),
]

const oneDriveData = (parts: Parts): readonly Operation[] => [
  answersList(
    OneDriveData,
    { pagedSince: 'v4' },
    {
      method: 'GET',
      path: `${base}/OneDriveData`,
      since: 'v6',
      tag: 'BackupOneDriveData',
      summary: 'OneDrives that the repository holds, by name',
      access,
      query: DataQuery,
      status: ok,
      handle: async (call) => {
        const { items, totalCount } = cut(await objectsIn(parts, call, 'onedrive'), call.window)
        return { totalCount, items: items.map((drive) => presentOneDriveData(drive, call)) }
      },
    },
  ),
  answersObject(OneDriveData, {
    method: 'GET',
    path: `${base}/OneDriveData/{oneDriveId}`,
    since: 'v6',
    tag: 'BackupOneDriveData',
    summary: 'One OneDrive',
    access,
    status: ok,
    handle: async (call) => presentOneDriveData(await objectIn(parts, call, 'onedrive'), call),
  }),
]

const point = '/RestorePoints/{restorePointId}'
const pointIn = (call: Pick<Call, 'params'>): string => idIn(call, 'restorePointId')

/** Under other names up to v6, as bare arrays. */
const insidePoints = (parts: Parts): readonly Operation[] => [
  ...inPoint(parts, 'mail', ['mailboxes', 'protectedMailboxes']),
  ...inPoint(parts, 'onedrive', ['onedrives', 'protectedOnedrives']),
  answersList(
    RestorePointUser,
    { pagedSince: 'v7' },
    {
      method: 'GET',
      path: `${point}/protectedUsers`,
      since: 'v7',
      until: 'v8',
      tag: 'RestorePoint',
      summary: 'Users that a restore point holds something of, by name',
      access,
      status: ok,
      handle: async (call) => {
        const users = protectedUsers(await parts.protectedObjects.ofPoint(call.principal, pointIn(call)))
        const { items, totalCount } = cut(users, call.window)
        return { totalCount, items: items.map((user) => presentPointUser(pointIn(call), user, call)) }
      },
    },
  ),
]

const inPoint = (
  { protectedObjects }: Parts,
  kind: ObjectKind,
  [before, now]: readonly [string, string],
): readonly Operation[] => {
  const common = { method: 'GET', tag: 'RestorePoint', access, status: ok } as const
  const held = async (call: Pick<Call, 'principal' | 'params' | 'window'>) => {
    const all = await protectedObjects.ofPoint(call.principal, pointIn(call))
    return cut(
      all.filter((object) => object.kind === kind),
      call.window,
    )
  }
  const operation =
    kind === 'mail'
      ? answersList(
          RestorePointMailbox,
          { pagedSince: 'v7' },
          {
            ...common,
            path: `${point}/${now}`,
            summary: 'Mailboxes that a restore point holds, by name',
            handle: async (call) => {
              const page = await held(call)
              const items = page.items.map((mailbox) => presentPointMailbox(pointIn(call), mailbox, call))
              return { ...page, items }
            },
          },
        )
      : answersList(
          RestorePointOneDrive,
          { pagedSince: 'v7' },
          {
            ...common,
            path: `${point}/${now}`,
            summary: 'OneDrives that a restore point holds, by name',
            handle: async (call) => {
              const page = await held(call)
              const items = page.items.map((drive) => presentPointOneDrive(pointIn(call), drive, call))
              return { ...page, items }
            },
          },
        )
  return [
    { ...operation, path: `${point}/${before}`, since: 'v6', until: 'v7' },
    { ...operation, since: 'v7', until: 'v8' },
  ]
}

const protectedUsersOf = ({ protectedObjects }: Parts): readonly Operation[] => [
  answersList(
    ProtectedUserSchema,
    { pagedSince: 'v8' },
    {
      method: 'GET',
      path: '/ProtectedUsers',
      since: 'v8',
      tag: 'ProtectedData',
      summary: 'Users that restore points hold something of, by name',
      access,
      query: ProtectedQuery,
      status: ok,
      handle: async (call) => {
        const { restorePointId, repositoryId, backedUpOrganizationId } = call.query
        const organizationId = call.query.organizationId ?? backedUpOrganizationId
        const filter = {
          ...(repositoryId === undefined ? {} : { repositoryId }),
          ...(organizationId === undefined ? {} : { organizationId }),
        }
        const all =
          restorePointId === undefined
            ? await protectedObjects.list(call.principal, filter)
            : (await protectedObjects.ofPoint(call.principal, restorePointId)).filter(
                (object) =>
                  object.repositoryId === (repositoryId ?? object.repositoryId) &&
                  object.organizationId === (organizationId ?? object.organizationId),
              )
        const { items, totalCount } = cut(protectedUsers(all), call.window)
        return { totalCount, items: items.map(presentProtectedUser) }
      },
    },
  ),
  answersObject(ProtectedUserSchema, {
    method: 'GET',
    path: '/ProtectedUsers/{protectedUserId}',
    since: 'v8',
    tag: 'ProtectedData',
    summary: 'One of them',
    access,
    status: ok,
    handle: async (call) => {
      const users = protectedUsers(await protectedObjects.list(call.principal))
      const id = fromWireId(idIn(call, 'protectedUserId'))
      return presentProtectedUser(protectedObjectOf(users, id, 'nothing is held of that user'))
    },
  }),
]
