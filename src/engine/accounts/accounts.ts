import { conflict, corrupt, invalid, notFound, Secret, type Clock, type Random } from '#base'
import {
  accountRows,
  objectStorageRows,
  organizationRows,
  type AccountRow,
  type Database,
  type Queries,
} from '#database'
import type { Audit } from '../access/audit.ts'
import { requireAdministrator, type Principal } from '../access/principal.ts'
import {
  needed,
  readDescription,
  readGuid,
  readSecret,
  readText,
  readWord,
} from '../organizations/read-input.ts'
import type { Secrets } from '../secrets/secrets.ts'
import {
  readConnection,
  USUAL_CONNECTION,
  type AccountConnection,
  type AccountConnectionInput,
} from './account-connection.ts'
import {
  ACCOUNT_TYPES,
  type Account,
  type AccountCredentials,
  type AccountInput,
  type AccountType,
} from './account.ts'

export interface AccountsParts {
  readonly database: Database
  readonly secrets: Secrets
  readonly audit: Audit
  readonly clock: Clock
  readonly random: Random
  /**
   * Called before the credentials of an account change, with what they will be: throws when something that uses the
   * account would no longer work.
   */
  readonly tryOut?: (accountId: string, credentials: AccountCredentials) => Promise<void>
}

/** Which accounts are listed. Names are compared without regard to letter case. */
export interface AccountFilter {
  readonly name?: string
  readonly accountType?: string
  readonly organizationId?: string
}

const AZURE_NAME = /^[a-z0-9]{3,24}$/
const UNKNOWN = 'the account is not known'

const secretPlace = (id: string) => ({ table: 'accounts', row: id, field: 'password' })

/** Credentials of object storage: access keys of S3 and account keys of Azure. For administrators alone. */
export class Accounts {
  readonly #parts: AccountsParts
  #tryOut: AccountsParts['tryOut']

  constructor(parts: AccountsParts) {
    this.#parts = parts
    this.#tryOut = parts.tryOut
  }

  /** What uses accounts is built after them: it says here how to try changed credentials out. */
  triedOutBy(tryOut: NonNullable<AccountsParts['tryOut']>): void {
    this.#tryOut = tryOut
  }

  /** Nothing is asked of the service yet: credentials are good for a place, and that is chosen later. */
  async add(principal: Principal, input: AccountInput): Promise<Account> {
    requireAdministrator(principal)
    const { database, secrets, audit, clock, random } = this.#parts
    return audit.around(principal, 'accounts.add', String(input.userName ?? ''), async () => {
      const type = needed(readWord(input.accountType, 'accountType', ACCOUNT_TYPES), 'accountType')
      const userName = readUserName(input.userName, type)
      const secret = needed(readAccountSecret(input, type), 'password')
      const organizationId = await this.#organizationId(input)
      const row = {
        id: random.uuid(),
        type,
        userName: needed(userName, 'userName'),
        description: readDescription(input.description, 'description') ?? '',
        ...(organizationId === undefined ? {} : { organizationId }),
        createdAt: clock.now(),
      }
      await database.transaction(async (queries) => {
        await accountRows.insert(queries, row)
        await secrets.put(queries, secretPlace(row.id), secret)
      })
      return present(row)
    })
  }

  /** What is left out stays. Credentials of an account in use are tried on all that uses it before they are kept. */
  async update(principal: Principal, id: string, input: AccountInput): Promise<Account> {
    requireAdministrator(principal)
    const { database, secrets, audit } = this.#parts
    return audit.around(principal, 'accounts.update', id, async () => {
      const row = await this.#find(id)
      const type = row.type as AccountType
      const wanted = readWord(input.accountType, 'accountType', ACCOUNT_TYPES)
      if (wanted !== undefined && wanted !== type)
        throw invalid('the type of an account cannot be changed', 'accountType')
      const secret = readAccountSecret(input, type)
      const userName = readUserName(input.userName, type) ?? row.userName
      const organizationId = (await this.#organizationId(input)) ?? row.organizationId
      const changed = {
        ...row,
        userName,
        description: readDescription(input.description, 'description') ?? row.description,
        ...(organizationId === undefined ? {} : { organizationId }),
      }
      if (secret !== undefined || userName !== row.userName)
        await this.#tryOut?.(id, {
          type,
          userName,
          secret: secret ?? (await this.#secret(id)),
          connection: connectionOf(row),
        })
      await database.transaction(async (queries) => {
        await accountRows.update(queries, id, changed)
        if (secret !== undefined) await secrets.put(queries, secretPlace(id), secret)
      })
      return present(changed)
    })
  }

  /** How the service of the account is spoken to. */
  async connection(principal: Principal, id: string): Promise<AccountConnection> {
    requireAdministrator(principal)
    return connectionOf(await this.#find(id))
  }

  /** What is left out stays. It is tried on all that uses the account before it is kept. */
  async setConnection(
    principal: Principal,
    id: string,
    input: AccountConnectionInput,
  ): Promise<AccountConnection> {
    requireAdministrator(principal)
    const { database, audit } = this.#parts
    return audit.around(principal, 'accounts.setConnection', id, async () => {
      const row = await this.#find(id)
      const connection = readConnection(input, connectionOf(row), row.type as AccountType)
      await this.#tryOut?.(row.id, { ...(await this.credentials(row.id)), connection })
      await accountRows.update(database.queries, row.id, { connection })
      return connection
    })
  }

  /** `conflict` while object storage uses it. */
  async remove(principal: Principal, id: string): Promise<void> {
    requireAdministrator(principal)
    const { database, secrets, audit } = this.#parts
    await audit.around(principal, 'accounts.remove', id, async () => {
      const row = await this.#find(id)
      await database.transaction(async (queries) => {
        const [using] = await objectStorageRows.list(queries, { accountId: id })
        if (using !== undefined)
          throw conflict(`the account ${row.userName} is used by the object storage ${using.name}`)
        await accountRows.remove(queries, id)
        await secrets.removeOf(queries, 'accounts', id)
      })
    })
  }

  async get(principal: Principal, id: string): Promise<Account> {
    requireAdministrator(principal)
    return present(await this.#find(id))
  }

  /** Oldest first. */
  async list(principal: Principal, filter: AccountFilter = {}): Promise<readonly Account[]> {
    requireAdministrator(principal)
    const name = filter.name?.toLowerCase()
    const rows = await accountRows.list(this.#parts.database.queries)
    return rows
      .filter((row) => name === undefined || row.userName.toLowerCase() === name)
      .filter((row) => filter.accountType === undefined || row.type === filter.accountType)
      .filter((row) => filter.organizationId === undefined || row.organizationId === filter.organizationId)
      .map(present)
  }

  /** For connections alone. `not-found` for an account that is not there. */
  async credentials(id: string): Promise<AccountCredentials> {
    const row = await this.#find(id)
    const { type, userName } = row
    const secret = await this.#secret(id)
    return { type: type as AccountType, userName, secret, connection: connectionOf(row) }
  }

  async #secret(id: string, queries: Queries = this.#parts.database.queries): Promise<Secret> {
    const secret = await this.#parts.secrets.find(queries, secretPlace(id))
    if (secret === undefined) throw corrupt('the secret of the account is missing: set it anew')
    return secret
  }

  async #find(id: string): Promise<AccountRow> {
    const row = await accountRows.find(this.#parts.database.queries, id.toLowerCase())
    if (row === undefined) throw notFound(UNKNOWN)
    return row
  }

  async #organizationId(input: AccountInput): Promise<string | undefined> {
    const id = readGuid(input.organizationId, 'organizationId')
    if (id === undefined) return undefined
    if ((await organizationRows.find(this.#parts.database.queries, id)) === undefined)
      throw invalid('organizationId names no organization', 'organizationId')
    return id
  }
}

const connectionOf = ({ connection }: Pick<AccountRow, 'connection'>): AccountConnection =>
  (connection as AccountConnection | undefined) ?? USUAL_CONNECTION

const readUserName = (value: AccountInput['userName'], type: AccountType): string | undefined => {
  const name = readText(value, 'userName', 256)
  if (name === undefined) return undefined
  if (type === 'azureBlobAccount' && !AZURE_NAME.test(name))
    throw invalid(
      'userName is not the name of a storage account: 3 to 24 small letters and digits',
      'userName',
    )
  if (/\s/.test(name)) throw invalid('userName must not hold blanks', 'userName')
  return name
}

const readAccountSecret = (input: AccountInput, type: AccountType): Secret | undefined => {
  const property = input.newPassword === undefined ? 'password' : 'newPassword'
  const secret = readSecret(input.newPassword ?? input.password, property, 1_024)
  if (secret === undefined || type !== 'azureBlobAccount') return secret
  const key = secret.reveal().trim()
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(key) || key.length % 4 !== 0)
    throw invalid(`${property} is not a key of a storage account, which is base64`, property)
  return new Secret(key)
}

const present = (row: AccountRow): Account => ({
  id: row.id,
  accountType: row.type as AccountType,
  userName: row.userName,
  description: row.description,
  ...(row.organizationId === undefined ? {} : { organizationId: row.organizationId }),
})
