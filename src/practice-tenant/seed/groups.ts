import type { JsonObject } from '#base'
import type { PracticeUser, SeedOptions } from '../core/contract.ts'
import type { GroupRows } from '../directory/group-rows.ts'
import { groupDocument, type GroupWish } from '../directory/group-document.ts'
import { seededUuid } from './ids.ts'
import { domainOf } from './people.ts'

interface GroupSeed extends GroupWish {
  readonly key: string
  /** Which users belong: every nth, up to a number that keeps a large tenant quick. */
  readonly every: number
  readonly most: number
  readonly groups?: readonly string[]
}

const UNIFIED = { mailEnabled: true, securityEnabled: false, groupTypes: ['Unified'] }
const LIST = { mailEnabled: true, securityEnabled: false, groupTypes: [] }
const SECURITY = { mailEnabled: false, securityEnabled: true, groupTypes: [] }

const SEEDS: readonly GroupSeed[] = [
  { key: 'all', displayName: 'All Company', mailNickname: 'allcompany', ...UNIFIED, visibility: 'Public', every: 1, most: 1000 },
  { key: 'sales', displayName: 'Sales — Éire & Österreich', mailNickname: 'sales', ...UNIFIED, visibility: 'Private', every: 2, most: 200 },
  { key: 'board', displayName: 'Board', mailNickname: 'board', ...UNIFIED, visibility: 'HiddenMembership', every: 5, most: 5 },
  { key: 'news', displayName: 'Newsletter', mailNickname: 'newsletter', ...LIST, every: 3, most: 200 },
  { key: 'alerts', displayName: 'Alerts', mailNickname: 'alerts', ...LIST, securityEnabled: true, every: 4, most: 50 },
  { key: 'vpn', displayName: 'VPN users', mailNickname: 'vpn', ...SECURITY, every: 3, most: 200 },
  { key: 'dynamic', displayName: 'All engineers', mailNickname: 'engineers', ...SECURITY, groupTypes: ['DynamicMembership'], membershipRule: '(user.jobTitle -eq "Engineer")', every: 7, most: 100 },
  { key: 'outer', displayName: 'Outer circle', mailNickname: 'outer', ...SECURITY, every: 10, most: 3, groups: ['inner'] },
  // A group that holds the one that holds it: membership has to be followed with care.
  { key: 'inner', displayName: 'Inner circle', mailNickname: 'inner', ...SECURITY, every: 6, most: 3, groups: ['outer'] },
] // prettier-ignore

const idOf = (seed: SeedOptions, key: string): string => seededUuid(seed.seed, 'group', key)

/** Groups of every kind, with members among the seeded users. */
export const seedGroups = (rows: GroupRows, seed: SeedOptions, users: Iterable<PracticeUser>): void => {
  const people = [...users].filter(({ index }) => index < seed.users)
  for (const group of SEEDS) {
    const document: JsonObject = groupDocument(idOf(seed, group.key), group, { domain: domainOf(seed) })
    rows.add(idOf(seed, group.key), document, 0)
  }
  for (const group of SEEDS) {
    const id = idOf(seed, group.key)
    const members = people.filter(({ index }) => index % group.every === 0).slice(0, group.most)
    for (const member of members) rows.link(id, 'member', { id: member.id, kind: 'user' }, 0)
    for (const inner of group.groups ?? [])
      rows.link(id, 'member', { id: idOf(seed, inner), kind: 'group' }, 0)
    if (people[0] !== undefined) rows.link(id, 'owner', { id: people[0].id, kind: 'user' }, 0)
  }
}
