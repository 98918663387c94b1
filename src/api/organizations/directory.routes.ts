import type { Organizations } from '#engine'
import { answersList, answersObject, type Call, type Operation } from '../contract/operation.ts'
import { organizationInPath } from '../edge/policies.ts'
import { fromWireId } from './directory-ids.ts'
import { Group, GroupMember, GroupQuery, User, UserQuery } from './organization.schema.ts'
import { presentGroup, presentMember, presentUser } from './present-organization.ts'

const access = organizationInPath
const status = { v4: 200 }
const livePages = { pagedSince: 'v4', isLive: true } as const

/** Users and groups of an organization, read from the live tenant. */
export const directoryOperations = (organizations: Organizations): readonly Operation[] => [
  answersList(User, livePages, {
    method: 'GET',
    path: '/Organizations/{organizationId}/Users',
    tag: 'OrganizationUser',
    summary: 'Users of the organization',
    access,
    query: UserQuery,
    status,
    handle: async (call) => {
      const { name, userName, displayName } = call.query
      const request = listing(call, displayName ?? userName ?? name)
      const page = await organizations.users(call.principal, idIn(call, 'organizationId'), request)
      return {
        ...page,
        items: page.items.map((each) => presentUser(idIn(call, 'organizationId'), each, call)),
      }
    },
  }),
  answersObject(User, {
    method: 'GET',
    path: '/Organizations/{organizationId}/Users/{userId}',
    tag: 'OrganizationUser',
    summary: 'One user',
    access,
    status,
    handle: async (call) => {
      const organizationId = idIn(call, 'organizationId')
      const user = await organizations.user(call.principal, organizationId, directoryId(call, 'userId'))
      return presentUser(organizationId, user, call)
    },
  }),
  answersList(Group, livePages, {
    method: 'GET',
    path: '/Organizations/{organizationId}/Groups',
    tag: 'OrganizationGroup',
    summary: 'Groups of the organization',
    access,
    query: GroupQuery,
    status,
    handle: async (call) => {
      const { name, groupName, displayName } = call.query
      const request = listing(call, displayName ?? groupName ?? name)
      const page = await organizations.groups(call.principal, idIn(call, 'organizationId'), request)
      return {
        ...page,
        items: page.items.map((each) => presentGroup(idIn(call, 'organizationId'), each, call)),
      }
    },
  }),
  answersObject(Group, {
    method: 'GET',
    path: '/Organizations/{organizationId}/Groups/{groupId}',
    tag: 'OrganizationGroup',
    summary: 'One group',
    access,
    status,
    handle: async (call) => {
      const organizationId = idIn(call, 'organizationId')
      const group = await organizations.group(call.principal, organizationId, directoryId(call, 'groupId'))
      return presentGroup(organizationId, group, call)
    },
  }),
  answersList(GroupMember, livePages, {
    method: 'GET',
    path: '/Organizations/{organizationId}/Groups/{groupId}/Members',
    tag: 'OrganizationGroupMember',
    summary: 'Users of a group, those of nested groups too',
    access,
    status,
    handle: async (call) => {
      const organizationId = idIn(call, 'organizationId')
      const groupId = directoryId(call, 'groupId')
      const page = await organizations.groupMembers(call.principal, organizationId, groupId, listing(call))
      return { ...page, items: page.items.map((each) => presentMember(organizationId, groupId, each, call)) }
    },
  }),
]

const listing = ({ window, query }: Pick<Call<object>, 'window' | 'query'>, search?: string) => {
  const setId = 'setId' in query && typeof query.setId === 'string' ? query.setId : undefined
  return {
    ...window,
    ...(setId === undefined ? {} : { setId }),
    ...(search === undefined || search === '' ? {} : { search }),
  }
}

const idIn = ({ params }: Pick<Call, 'params'>, name: string): string => params[name] ?? ''

const directoryId = (call: Pick<Call, 'params'>, name: string): string => fromWireId(idIn(call, name))
