import { isHoldfastError } from '#base'
import type { DirectoryUser } from '#items'
import type { Tenant } from '../connectors/connectors.ts'
import type { ProtectedObject } from './backup-run.ts'
import type { BackupType, JobItem } from './job.ts'

export interface Selection {
  /** By principal name; each user once. */
  readonly objects: readonly ProtectedObject[]
  /** For people: what is in the job and cannot be protected. */
  readonly notes: readonly string[]
  /** Principal names of members that have neither licence nor mailbox. Guests have their data at home. */
  readonly leftOut: readonly string[]
}

interface Parts {
  readonly mailbox: boolean
  readonly archiveMailbox: boolean
  readonly oneDrive: boolean
}

const userParts = (item: JobItem): Parts => ({
  mailbox: item.mailbox ?? false,
  archiveMailbox: item.archiveMailbox ?? false,
  oneDrive: item.oneDrive ?? false,
})
const memberParts = (item: JobItem): Parts => ({
  mailbox: item.memberMailbox ?? item.members ?? false,
  archiveMailbox: item.memberArchiveMailbox ?? item.members ?? false,
  oneDrive: item.memberOnedrive ?? item.members ?? false,
})

/** Guests have their data at home; an account with neither licence nor address has none. */
const isProtectable = (user: DirectoryUser): boolean =>
  !user.isGuest && (user.isLicensed || user.mail !== undefined)

/** A drive comes with a licence; a shared mailbox has none and no drive either. */
const wholeOrganizationParts = (user: DirectoryUser, parts: Parts): Parts => ({
  ...parts,
  oneDrive: parts.oneDrive && user.isLicensed,
})

class Selecting {
  readonly #directory: Tenant
  readonly #signal: AbortSignal
  readonly #chosen = new Map<string, { readonly user: DirectoryUser; parts: Parts }>()
  readonly notes: string[] = []
  readonly leftOut = new Set<string>()

  constructor(directory: Tenant, signal: AbortSignal) {
    this.#directory = directory
    this.#signal = signal
  }

  add(user: DirectoryUser, parts: Parts): void {
    const before = this.#chosen.get(user.id)?.parts
    this.#chosen.set(user.id, {
      user,
      parts: {
        mailbox: parts.mailbox || (before?.mailbox ?? false),
        archiveMailbox: parts.archiveMailbox || (before?.archiveMailbox ?? false),
        oneDrive: parts.oneDrive || (before?.oneDrive ?? false),
      },
    })
  }

  remove(user: DirectoryUser, parts: Parts): void {
    const there = this.#chosen.get(user.id)
    if (there === undefined) return
    there.parts = {
      mailbox: there.parts.mailbox && !parts.mailbox,
      archiveMailbox: there.parts.archiveMailbox && !parts.archiveMailbox,
      oneDrive: there.parts.oneDrive && !parts.oneDrive,
    }
  }

  async wholeOrganization(parts: Parts): Promise<void> {
    for await (const user of this.#directory.users(this.#signal))
      if (isProtectable(user)) this.add(user, wholeOrganizationParts(user, parts))
      else if (!user.isGuest) this.leftOut.add(user.userPrincipalName)
  }

  /** Users and groups that are gone from the directory are noted, not an error: the others are protected. */
  async each(item: JobItem, take: (user: DirectoryUser, parts: Parts) => void): Promise<void> {
    const object = item.user ?? item.group
    if (object === undefined) return
    try {
      if (item.user !== undefined)
        return take(await this.#directory.user(item.user.id, this.#signal), userParts(item))
      for await (const member of this.#directory.groupMembers(object.id, this.#signal))
        if (!member.isGuest) take(member, memberParts(item))
    } catch (error) {
      if (!isHoldfastError(error, 'not-found')) throw error
      const name = object.name ?? object.displayName ?? object.id
      this.notes.push(`${item.type} ${name} is no longer in the directory`)
    }
  }

  objects(): readonly ProtectedObject[] {
    return [...this.#chosen.values()]
      .filter(({ parts }) => parts.mailbox || parts.archiveMailbox || parts.oneDrive)
      .map(({ user, parts }) => ({
        kind: 'user' as const,
        id: user.id,
        principalName: user.userPrincipalName,
        displayName: user.displayName,
        ...parts,
      }))
      .sort((left, right) => (left.principalName < right.principalName ? -1 : 1))
  }
}

/** Resolves what a job protects as the directory is now. Exclusions win. */
export const selectObjects = async (
  job: {
    readonly backupType: BackupType
    readonly selected: readonly JobItem[]
    readonly excluded: readonly JobItem[]
  },
  directory: Tenant,
  signal: AbortSignal,
): Promise<Selection> => {
  const selecting = new Selecting(directory, signal)
  if (job.backupType === 'EntireOrganization')
    await selecting.wholeOrganization({ mailbox: true, archiveMailbox: false, oneDrive: true })
  else
    for (const item of job.selected) {
      if (item.type === 'PartialOrganization') await selecting.wholeOrganization(userParts(item))
      else await selecting.each(item, (user, parts) => selecting.add(user, parts))
    }
  for (const item of job.excluded) await selecting.each(item, (user, parts) => selecting.remove(user, parts))
  const leftOut = [...selecting.leftOut].sort()
  return { objects: selecting.objects(), notes: selecting.notes, leftOut }
}
