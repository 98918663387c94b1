import { readFileSync } from 'node:fs'
import type { OperationsByVersion } from './edge/known-operations.ts'

interface Row {
  readonly path: string
  readonly method: string
  readonly group: string
  readonly versions: readonly string[]
}

const table = JSON.parse(
  readFileSync(new URL('./data/operations.json', import.meta.url), 'utf8'),
) as readonly Row[]

const ofVersion = (version: string): Readonly<Record<string, readonly string[]>> => {
  const paths: Record<string, string[]> = {}
  for (const { path, method, versions } of table)
    if (versions.includes(version)) (paths[path] ??= []).push(method)
  return paths
}

/** The paths and methods that the contract has in each version, built here or not. */
export const operationsOfContract: OperationsByVersion = {
  v4: ofVersion('v4'),
  v5: ofVersion('v5'),
  v6: ofVersion('v6'),
  v7: ofVersion('v7'),
  v8: ofVersion('v8'),
}

/** The same by operation, with the group that the documents put it in. */
export const contractRows = table
