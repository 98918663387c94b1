import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A repository, as stock restic is told of it. */
export interface ResticRepository {
  readonly path: string
  readonly password: string
}

/** Stock restic, which was written by others. It takes no lock and leaves none alone. */
export const restic = async (repository: ResticRepository, ...args: string[]): Promise<string> => {
  const env = { ...process.env, RESTIC_REPOSITORY: repository.path, RESTIC_PASSWORD: repository.password }
  const { stdout, stderr } = await run('restic', ['--no-cache', '--no-lock', ...args], {
    env,
    maxBuffer: 1 << 27,
  })
  if (stderr !== '' && args[0] === 'check') throw new Error(`restic check: ${stderr}`)
  return stdout
}
