import { Secret } from '#base'
import type { Account, AccountInput, Accounts } from '#engine'
import type { Static } from 'typebox'
import {
  answersList,
  answersNothing,
  answersObject,
  cut,
  type Call,
  type Operation,
} from '../contract/operation.ts'
import { administrator } from '../edge/policies.ts'
import { Account as AccountSchema, AccountBody, AccountQuery } from './account.schema.ts'

const tag = 'Account'
const access = administrator
const path = '/Accounts/{accountId}'

/** Credentials of object storage. */
export const accountOperations = (accounts: Accounts): readonly Operation[] => [
  answersList(
    AccountSchema,
    { pagedSince: 'never' },
    {
      method: 'GET',
      path: '/Accounts',
      tag,
      summary: 'All accounts of object storage, oldest first',
      access,
      query: AccountQuery,
      status: { v4: 200 },
      handle: async (call) => {
        const found = await accounts.list(call.principal, call.query)
        return cut(
          found.map((each) => presentAccount(each, call)),
          call.window,
        )
      },
    },
  ),
  answersObject(AccountSchema, {
    method: 'POST',
    path: '/Accounts',
    tag,
    summary: 'Adds an account; its secret is kept and never answered',
    access,
    body: AccountBody,
    status: { v4: 201 },
    handle: async (call) => presentAccount(await accounts.add(call.principal, inputOf(call.body)), call),
  }),
  answersObject(AccountSchema, {
    method: 'GET',
    path,
    tag,
    summary: 'One account',
    access,
    status: { v4: 200 },
    handle: async (call) => presentAccount(await accounts.get(call.principal, idIn(call)), call),
  }),
  answersNothing({
    method: 'PUT',
    path,
    tag,
    summary: 'Changes an account, after its credentials were tried on what uses it; what is left out stays',
    access,
    body: AccountBody,
    status: { v4: 200, v8: 204 },
    handle: async (call) => {
      await accounts.update(call.principal, idIn(call), inputOf(call.body))
    },
  }),
  answersNothing({
    method: 'DELETE',
    path,
    tag,
    summary: 'Removes an account that nothing uses',
    access,
    status: { v4: 200, v5: 204 },
    handle: async (call) => accounts.remove(call.principal, idIn(call)),
  }),
]

const idIn = ({ params }: Pick<Call, 'params'>): string => params['accountId'] ?? ''

const presentAccount = (account: Account, { link }: Pick<Call, 'link'>) => ({
  ...account,
  _links: {
    self: link(`/accounts/${account.id}`),
    ...(account.organizationId === undefined
      ? {}
      : { organization: link(`/organizations/${account.organizationId}`) }),
  },
})

/** The old password is not asked for: only an administrator comes here, and it is not answered either. */
const inputOf = ({
  password,
  newPassword,
  oldPassword: _,
  ...rest
}: Static<typeof AccountBody>): AccountInput => ({
  ...rest,
  ...(password === undefined ? {} : { password: new Secret(password) }),
  ...(newPassword === undefined ? {} : { newPassword: new Secret(newPassword) }),
})
