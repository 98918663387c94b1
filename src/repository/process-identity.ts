import { createHash } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'

/**
 * What tells a process from every other one without a clock. Two processes that have `boot` and `space` in common see each
 * other's numbers, and a number that is used again has other `ticks`.
 */
export interface ProcessIdentity {
  /** Of the start of the kernel. Containers of a machine share it. */
  readonly boot: string
  /** What a process number is told apart in: containers have one each. */
  readonly space: string
  /** From the start of the kernel to that of the process. */
  readonly ticks: number
  /** Of the installed system; not every container has one. */
  readonly machine?: string
}

/** When a process began, in ticks since the start of the kernel; undefined where there is none, or no way to know. */
export const startTicks = (pid: number): number | undefined => {
  const stat = textOf(`/proc/${pid}/stat`)
  // The name before may hold spaces and brackets.
  const ticks = Number(stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19])
  return Number.isFinite(ticks) ? ticks : undefined
}

/** Of this process; undefined where the system does not tell. */
export const ownIdentity = (): ProcessIdentity | undefined => {
  const boot = textOf('/proc/sys/kernel/random/boot_id')
  const ticks = startTicks(process.pid)
  const space = linkOf('/proc/self/ns/pid')
  if (boot === undefined || ticks === undefined || space === undefined) return undefined
  const machineId = textOf('/etc/machine-id')
  return { boot, space, ticks, ...(machineId ? { machine: hashOf(machineId) } : {}) }
}

/** Whether a process has this number, as far as can be seen from here. */
export const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH')
  }
}

/** Undefined unless the value is one: it may come from anybody. */
export const readIdentity = (value: unknown): ProcessIdentity | undefined => {
  if (typeof value !== 'object' || value === null) return undefined
  const { boot, space, ticks, machine } = value as Readonly<Record<string, unknown>>
  if (typeof boot !== 'string' || typeof space !== 'string' || typeof ticks !== 'number') return undefined
  return { boot, space, ticks, ...(typeof machine === 'string' ? { machine } : {}) }
}

/** The id itself is not for others to know. */
const hashOf = (machineId: string): string =>
  createHash('sha256').update(`holdfast ${machineId}`).digest('hex').slice(0, 16)

const textOf = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return undefined
  }
}

const linkOf = (path: string): string | undefined => {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}
