import { conflict, corrupt, invalid, notFound, type Clock, type Random, type Secret } from '#base'
import {
  encryptionKeyRows,
  organizationRows,
  repositoryRows,
  type Database,
  type EncryptionKeyRow,
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
      const password = needed(readSecret(input.password, 'password', 1_024), 'password')
      if (password.reveal().length < SHORTEST)
        throw invalid(`password has fewer than ${SHORTEST} characters`, 'password')
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
