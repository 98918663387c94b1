import { expect } from 'vitest'
import type { World } from '#world'
import { runProgram } from './processes.ts'

/** The command line as the administrator of a world types it. */
export interface Command {
  /** What a person reads. The command must succeed. */
  (...args: string[]): Promise<string>
  /** What a script reads. The command must succeed. */
  json<Value>(...args: string[]): Promise<Value>
}

export const commandOf = (world: World): Command => {
  const run = async (...args: string[]): Promise<string> => {
    const { url, caFile } = world.server
    const env = { HOLDFAST_URL: url, HOLDFAST_CA: caFile, HOLDFAST_PASSWORD: world.password }
    const { code, stdout, stderr } = await runProgram('bin/holdfast', args, env)
    expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' })
    return stdout
  }
  return Object.assign(run, {
    json: async <Value>(...args: string[]) => JSON.parse(await run(...args, '--json')) as Value,
  })
}
