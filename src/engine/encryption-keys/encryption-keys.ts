import { conflict, corrupt, invalid, notFound, Secret, type Clock, type Random } from '#base'
import {
  encryptionKeyRows,
  organizationRows,
  repositoryRows,
  type Database,
  type EncryptionKeyRow,
  type Queries,
} from '#database'
import type { Audit } from '../access/audit.ts'
import { requireAdministrator, type Principal } from '../access/principal.ts'
import { needed, readDescription, readGuid, readSecret } from '../organizations/read-input.ts'
import type { Secrets } from '../secrets/secrets.ts'
import type { EncryptionKey, EncryptionKeyInput } from './encryption-key.ts'

export interface EncryptionKeysParts {
  readonly database: Database
  readonly secrets: Secrets
  readonly audit: Audit
  readonly clock: Clock
  readonly random: Random
}

/** Shorter ones are found by trying. */
const SHORTEST = 8
const UNKNOWN = 'the encryption key is not known'

/** Which of its passwords a key has: a mark that a new one changes. No secret, but it belongs to one. */
const stampPlace = (id: string) => ({ table: 'encryption_keys', row: id, field: 'stamp' })
const earlierPlace = (id: string) => ({ table: 'encryption_keys', row: id, field: 'earlier' })
const secretPlace = (id: string) => ({ table: 'encryption_keys', row: id, field: 'password' })

/** Passwords that open the shards of a repository beside the shards' own. For administrators alone. */
export class EncryptionKeys {
  readonly #parts: EncryptionKeysParts

  constructor(parts: EncryptionKeysParts) {
    this.#parts = parts
  }

  async add(principal: Principal, input: EncryptionKeyInput): Promise<EncryptionKey> {
    requireAdministrator(principal)
    const { database, secrets, audit, clock, random } = this.#parts
    return audit.around(principal, 'encryptionKeys.add', '', async () => {
      const password = acceptPassword(input.password, 'password')
      const organizationId = await this.#organizationId(input)
      const row = {
        id: random.uuid(),
        description: readDescription(input.description, 'description') ?? '',
        ...(organizationId === undefined ? {} : { organizationId }),
        createdAt: clock.now(),
      }
      await database.transaction(async (queries) => {
        await encryptionKeyRows.insert(queries, row)
        await secrets.put(queries, secretPlace(row.id), password)
      })
      return present(row)
    })
  }

  /**
   * Another password for the key. Repositories that use it are told by `BackupRepositories.renewEncryptionKey`; what that does
   * not reach gets the new password when it is opened. `invalid` for a given earlier password that is not the key's.
   */
  async changePassword(
    principal: Principal,
    id: string,
    input: Pick<EncryptionKeyInput, 'password'> & { readonly oldPassword?: EncryptionKeyInput['password'] },
  ): Promise<EncryptionKey> {
    requireAdministrator(principal)
    const { database, secrets, audit, random } = this.#parts
    return audit.around(principal, 'encryptionKeys.changePassword', id, async () => {
      const row = await this.#find(id)
      const password = acceptPassword(input.password, 'newPassword')
      const old = readSecret(input.oldPassword, 'oldPassword', 1_024)
      if (old !== undefined && !old.equals(await this.password(row.id)))
        throw invalid('oldPassword is not the password of the key', 'oldPassword')
      await database.transaction(async (queries) => {
        const before = await secrets.find(queries, secretPlace(row.id))
        const earlier = [...(before === undefined ? [] : [before]), ...(await this.#earlier(queries, row.id))]
        const texts = earlier.filter((one) => !one.equals(password)).map((one) => one.reveal())
        await secrets.put(queries, earlierPlace(row.id), new Secret(JSON.stringify([...new Set(texts)])))
        await secrets.put(queries, secretPlace(row.id), password)
        await secrets.put(queries, stampPlace(row.id), new Secret(random.uuid()))
      })
      return present(row)
    })
  }

  /** `conflict` while a repository uses it. */
  async remove(principal: Principal, id: string): Promise<void> {
    requireAdministrator(principal)
    const { database, secrets, audit } = this.#parts
    await audit.around(principal, 'encryptionKeys.remove', id, async () => {
      const row = await this.#find(id)
      await database.transaction(async (queries) => {
        const { items } = await repositoryRows.list(queries)
        const using = items.find(({ encryptionKeyId }) => encryptionKeyId === row.id)
        if (using !== undefined) throw conflict(`the encryption key is used by the repository ${using.name}`)
        await encryptionKeyRows.remove(queries, row.id)
        await secrets.removeOf(queries, 'encryption_keys', row.id)
      })
    })
  }

  async get(principal: Principal, id: string): Promise<EncryptionKey> {
    requireAdministrator(principal)
    return present(await this.#find(id))
  }

  /** Oldest first. */
  async list(
    principal: Principal,
    filter: { readonly description?: string; readonly organizationId?: string } = {},
  ): Promise<readonly EncryptionKey[]> {
    requireAdministrator(principal)
    const description = filter.description?.toLowerCase()
    const rows = await encryptionKeyRows.list(this.#parts.database.queries)
    return rows
      .filter((row) => description === undefined || row.description.toLowerCase() === description)
      .filter((row) => filter.organizationId === undefined || row.organizationId === filter.organizationId)
      .map(present)
  }

  /** For shards alone. */
  async password(id: string): Promise<Secret> {
    const { database, secrets } = this.#parts
    const { id: row } = await this.#find(id)
    const password = await secrets.find(database.queries, secretPlace(row))
    if (password === undefined) throw corrupt('the password of the encryption key is missing')
    return password
  }

  /** For shards alone, which they are to open no more. */
  async earlierPasswords(id: string): Promise<readonly Secret[]> {
    return this.#earlier(this.#parts.database.queries, id.toLowerCase())
  }

  async #earlier(queries: Queries, id: string): Promise<readonly Secret[]> {
    const sealed = await this.#parts.secrets.find(queries, earlierPlace(id))
    const texts = sealed === undefined ? [] : (JSON.parse(sealed.reveal()) as readonly string[])
    return texts.map((text) => new Secret(text))
  }

  /** Changes with every new password. Ask for it before the password. Undefined for the first one. */
  async stamp(id: string): Promise<string | undefined> {
    const { database, secrets } = this.#parts
    return (await secrets.find(database.queries, stampPlace(id.toLowerCase())))?.reveal()
  }

  async #find(id: string): Promise<EncryptionKeyRow> {
    const row = await encryptionKeyRows.find(this.#parts.database.queries, id.toLowerCase())
    if (row === undefined) throw notFound(UNKNOWN)
    return row
  }

  async #organizationId(input: EncryptionKeyInput): Promise<string | undefined> {
    const id = readGuid(input.organizationId, 'organizationId')
    if (id === undefined) return undefined
    if ((await organizationRows.find(this.#parts.database.queries, id)) === undefined)
      throw invalid('organizationId names no organization', 'organizationId')
    return id
  }
}

const present = (row: EncryptionKeyRow): EncryptionKey => ({
  id: row.id,
  description: row.description,
  ...(row.organizationId === undefined ? {} : { organizationId: row.organizationId }),
})

const acceptPassword = (given: EncryptionKeyInput['password'], property: string): Secret => {
  const password = needed(readSecret(given, property, 1_024), property)
  if (password.reveal().length < SHORTEST)
    throw invalid(`${property} has fewer than ${SHORTEST} characters`, property)
  return password
}
