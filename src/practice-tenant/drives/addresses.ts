import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Clock } from '#base'
import { GraphError, type PracticeUser, type TenantRequest, type TenantState } from '../core/contract.ts'
import { lasting } from '../core/state.ts'
import { guidOf } from './drive-ids.ts'
import type { ItemRow } from './schema.ts'

const LIFETIME_MS = 3_600_000
const MAC_BYTES = 18

/** What a download address gives access to: one version of one item. */
export interface DownloadGrant {
  readonly item: number
  readonly version: number
}

const expired = (): GraphError =>
  new GraphError(401, 'unauthenticated', 'The access token has expired or is not valid.')

/** The folder of a user's personal site: `alice_contoso_onmicrosoft_com`. */
export const personalFolder = (user: PracticeUser): string =>
  user.userPrincipalName.toLowerCase().replaceAll(/[^a-z0-9]/g, '_')

/** Throws the 401 of a bearer token where an address alone gives access, unless the tenant tolerates it. */
export const refuseToken = (state: TenantState, request: TenantRequest): void => {
  if (request.headers['authorization'] === undefined || state.settings.toleratesTokens === true) return
  throw new GraphError(401, 'unauthenticated', 'Unauthenticated')
}

/** Pre-authenticated addresses: whoever has one needs no token, for an hour. */
export class Addresses {
  readonly #key: Buffer
  readonly #clock: Clock

  constructor(state: TenantState) {
    this.#clock = state.clock
    const make = (): string => Buffer.from(state.random.bytes(32)).toString('hex')
    this.#key = Buffer.from(lasting(state.db, 'drive address key', make), 'hex')
  }

  download(mysite: string, owner: PracticeUser, item: ItemRow, version = item.version): string {
    const grant = `${item.key}.${version}.${this.#clock.nowMs() + LIFETIME_MS}`
    const place = `${mysite}/personal/${personalFolder(owner)}/_layouts/15/download.aspx`
    return `${place}?UniqueId=${guidOf(item.id).toLowerCase()}&Translate=false&tempauth=v1.${grant}.${this.#mac(grant)}&ApiVersion=2.0`
  }

  /** Throws the 401 of an address that is over or was never given. */
  open(tempauth: string | undefined): DownloadGrant {
    const match = /^v1\.((\d+)\.(\d+)\.(\d+))\.([\w-]+)$/.exec(tempauth ?? '')
    if (match === null) throw expired()
    const [, grant, item, version, until, mac] = match
    const expected = Buffer.from(this.#mac(grant!))
    const given = Buffer.from(mac!)
    if (expected.length !== given.length || !timingSafeEqual(expected, given)) throw expired()
    if (Number(until) <= this.#clock.nowMs()) throw expired()
    return { item: Number(item), version: Number(version) }
  }

  #mac(grant: string): string {
    return createHmac('sha256', this.#key).update(grant).digest().subarray(0, MAC_BYTES).toString('base64url')
  }
}
