import type { PracticeUser, SeedOptions } from '../core/contract.ts'
import { seededBytes, seededUuid } from './ids.ts'

// Names as they occur in an international company. Letters outside ASCII are wanted: they find what mangles them.
const GIVEN = [
  'Alice', 'Bob', 'Chloé', 'David', 'Élodie', 'François', 'Grażyna', 'Hiroshi', 'Ingrid', 'João', 'Katarína',
  'Łukasz', 'María', 'Nguyễn', 'Özlem', 'Pedro', 'Quentin', 'Raphaël', 'Søren', 'Tanja', 'Ümit', 'Valentina',
  'Wei', 'Ximena', 'Yuki', 'Zoë', 'Anastasia', 'Björn', 'Ciarán', 'Dörte', 'Emeka', 'Fatima', 'Giulia', 'Håkon',
  'Ivana', 'Jürgen',
] // prettier-ignore
const SURNAMES = [
  'Andersson', 'Bauer', 'Châtelain', 'Dvořák', 'Eriksen', 'Fernández', 'García', 'Hernández', 'Ivanova',
  'Jørgensen', 'Kowalski', 'Lefèvre', 'Müller', 'Nakamura', "O'Brien", 'Papadopoulos', 'Quaranta', 'Rossi',
  'Šimić', 'Tremblay', 'Üstün', 'Virtanen', 'Weiß', 'Xu', 'Yılmaz', 'Zhang', 'Okafor', 'Haddad', 'Silva',
  'van der Berg', 'Szabó',
] // prettier-ignore
const TITLES = ['Engineer', 'Accountant', 'Counsel', 'Designer', 'Buyer', 'Head of Sales', 'Analyst', 'Nurse']
const OFFICES = ['18/2111', '24/1106', 'Berlin', 'Kraków', 'São Paulo', '東京']

type Kind = Pick<PracticeUser, 'isLicensed' | 'mailboxKind' | 'hasDrive' | 'isDriveLocked'> & {
  readonly isGuest: boolean
  readonly isEnabled: boolean
}

const PLAIN: Kind = {
  isLicensed: true,
  mailboxKind: 'user',
  hasDrive: true,
  isDriveLocked: false,
  isGuest: false,
  isEnabled: true,
}
const WITHOUT: Kind = { ...PLAIN, isLicensed: false, mailboxKind: 'none', hasDrive: false }
const SPECIAL: readonly Kind[] = [
  { ...WITHOUT, mailboxKind: 'shared', isEnabled: false },
  WITHOUT,
  { ...PLAIN, isDriveLocked: true },
  { ...WITHOUT, isGuest: true },
  { ...WITHOUT, mailboxKind: 'room', isEnabled: false },
  { ...PLAIN, hasDrive: false },
]
const FIRST_SPECIAL = 5
const SMALLEST_TENANT_WITH_SPECIALS = 8

/** A seeded person, with what the directory tells about them. */
export interface SeededPerson extends PracticeUser {
  readonly givenName: string | null
  readonly surname: string | null
  readonly jobTitle: string | null
  readonly officeLocation: string | null
  readonly isGuest: boolean
  readonly isEnabled: boolean
}

export const domainOf = (seed: SeedOptions): string => `${seed.name}.onmicrosoft.com`

/** Small tenants have plain people only. */
export const hasSpecialPeople = (seed: SeedOptions): boolean => seed.users >= SMALLEST_TENANT_WITH_SPECIALS

const kindOf = (index: number, seed: SeedOptions): Kind => {
  if (!hasSpecialPeople(seed)) return PLAIN
  return SPECIAL[(index % 100) - FIRST_SPECIAL] ?? PLAIN
}

const ascii = (text: string): string =>
  text
    .toLowerCase()
    .replaceAll('ß', 'ss')
    .replaceAll('ł', 'l')
    .replaceAll('ø', 'o')
    .replaceAll('ı', 'i')
    .normalize('NFD')
    .replace(/[^a-z]/g, '')

const pick = <T>(list: readonly T[], byte: number): T => list[byte % list.length]!

const named = (
  kind: Kind,
  index: number,
  given: string,
  surname: string,
): [displayName: string, name: string] => {
  if (kind.mailboxKind === 'shared') return [`Shared ${index}`, `shared${index}`]
  if (kind.mailboxKind === 'room') return [`Room ${index}`, `room${index}`]
  return [`${given} ${surname}`, `${ascii(given)}.${ascii(surname)}${index < GIVEN.length ? '' : index}`]
}

/** The person with this index; the same for the same seed. The first five are plain licensed users. */
export const seededPerson = (seed: SeedOptions, index: number): SeededPerson => {
  const bytes = seededBytes(seed.seed, 'person', index)
  const kind = kindOf(index, seed)
  const given = index < GIVEN.length ? GIVEN[index]! : pick(GIVEN, bytes[0]!)
  const surname = pick(SURNAMES, bytes[1]!)
  const [displayName, name] = named(kind, index, given, surname)
  const isPerson = kind.mailboxKind !== 'shared' && kind.mailboxKind !== 'room'
  const domain = domainOf(seed)
  return {
    ...kind,
    id: seededUuid(seed.seed, 'user', index),
    index,
    userPrincipalName: kind.isGuest ? `${name}_fabrikam.example#EXT#@${domain}` : `${name}@${domain}`,
    displayName,
    givenName: isPerson ? given : null,
    surname: isPerson ? surname : null,
    jobTitle: isPerson ? pick(TITLES, bytes[2]!) : null,
    officeLocation: isPerson ? pick(OFFICES, bytes[3]!) : null,
  }
}

/** Somebody besides the seeded people. With a licence they have a mailbox and a drive. */
export const extraPerson = (
  person: Pick<SeededPerson, 'id' | 'index' | 'userPrincipalName' | 'displayName' | 'isLicensed'>,
): SeededPerson => ({
  ...(person.isLicensed ? PLAIN : WITHOUT),
  ...person,
  givenName: null,
  surname: null,
  jobTitle: null,
  officeLocation: null,
})
