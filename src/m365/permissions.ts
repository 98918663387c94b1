/** What can be protected. */
export type Workload = 'directory' | 'mail' | 'onedrive'

export interface PermissionFinding {
  readonly workload: Workload
  /** `backup` cannot be done without it; `restore` can wait. */
  readonly neededFor: 'backup' | 'restore'
  /** Any one of these application permissions is enough. */
  readonly anyOf: readonly string[]
  readonly isGranted: boolean
}

type Need = Omit<PermissionFinding, 'isGranted'>

// Each list begins with the least that is enough; what follows includes it.
const NEEDS: readonly Need[] = [
  need(
    'directory',
    'backup',
    'User.Read.All',
    'User.ReadWrite.All',
    'Directory.Read.All',
    'Directory.ReadWrite.All',
  ),
  need(
    'directory',
    'backup',
    'Group.Read.All',
    'Group.ReadWrite.All',
    'Directory.Read.All',
    'Directory.ReadWrite.All',
  ),
  need(
    'directory',
    'backup',
    'GroupMember.Read.All',
    'GroupMember.ReadWrite.All',
    'Group.Read.All',
    'Group.ReadWrite.All',
    'Directory.Read.All',
    'Directory.ReadWrite.All',
  ),
  need(
    'directory',
    'backup',
    'Organization.Read.All',
    'Organization.ReadWrite.All',
    'Directory.Read.All',
    'Directory.ReadWrite.All',
  ),
  need('mail', 'backup', 'Mail.Read', 'Mail.ReadWrite'),
  need('mail', 'restore', 'Mail.ReadWrite'),
  need(
    'onedrive',
    'backup',
    'Files.Read.All',
    'Files.ReadWrite.All',
    'Sites.Read.All',
    'Sites.ReadWrite.All',
    'Sites.FullControl.All',
  ),
  need('onedrive', 'restore', 'Files.ReadWrite.All', 'Sites.ReadWrite.All', 'Sites.FullControl.All'),
]

/** What the roles of a token allow of what the workloads need. */
export function findPermissions(
  roles: readonly string[],
  workloads: readonly Workload[],
): readonly PermissionFinding[] {
  return NEEDS.filter(({ workload }) => workloads.includes(workload)).map((one) => ({
    ...one,
    isGranted: one.anyOf.some((permission) => roles.includes(permission)),
  }))
}

function need(workload: Workload, neededFor: Need['neededFor'], ...anyOf: string[]): Need {
  return { workload, neededFor, anyOf }
}
