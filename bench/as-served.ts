// Benchmarks of memory run a process as bin/holdfast starts the server.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const launcher = readFileSync(new URL('../bin/holdfast', import.meta.url), 'utf8')

/** What bin/holdfast hands to Node. */
export const SERVER_FLAGS: readonly string[] = launcher.match(/--(?:max|heap)-[\w-]+=\d+/g) ?? []

/** What it sets in the environment. */
export const SERVER_ENVIRONMENT: NodeJS.ProcessEnv = Object.fromEntries(
  [...launcher.matchAll(/^export (MALLOC_\w+|GLIBC_TUNABLES)=(\S+)/gm)].map(([, name, value]) => [
    name!,
    value!,
  ]),
)

/** Runs a script in a process of its own and reads the JSON of the last line that it prints. */
export const runServed = <Result>(script: string, ...further: readonly string[]): Result => {
  const output = execFileSync(process.execPath, [...SERVER_FLAGS, script, ...further], {
    encoding: 'utf8',
    env: { ...process.env, ...SERVER_ENVIRONMENT },
  })
  return JSON.parse(output.trim().split('\n').at(-1)!) as Result
}
