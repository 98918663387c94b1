import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Json } from '#base'
import type { BackupRun } from '#engine'

type Checkpoints = BackupRun['checkpoints']

/** Save points of a run as files: a file appears whole or not at all. */
export const fileCheckpoints = (folder: string): Checkpoints => {
  mkdirSync(folder, { recursive: true })
  const fileOf = (key: string): string => join(folder, `${key}.json`)
  const keys = (): string[] =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .map((name) => name.slice(0, -'.json'.length))
  const load = (key: string): Json => JSON.parse(readFileSync(fileOf(key), 'utf8')) as Json
  return {
    load: async (key) => Promise.resolve(keys().includes(key) ? load(key) : undefined),
    all: async () => Promise.resolve(new Map(keys().map((key) => [key, load(key)]))),
    save: async (key, value) => {
      writeFileSync(`${fileOf(key)}.new`, JSON.stringify(value))
      renameSync(`${fileOf(key)}.new`, fileOf(key))
      return Promise.resolve()
    },
    remove: async (key) => Promise.resolve(rmSync(fileOf(key), { force: true })),
  }
}
