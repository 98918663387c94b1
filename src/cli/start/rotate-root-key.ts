import { readFile } from 'node:fs/promises'
import { Secret } from '#base'
import { readConfig, rotateRootKey } from '#server'
import { outputFor } from '../output.ts'

/** Seals what is secret in the database with a new root key. Works on the data folder of a server that is stopped. */
export const newRootKey = async (given: {
  readonly data?: string
  readonly newKeyFile?: string
  readonly json?: boolean
}): Promise<void> => {
  const read = readConfig()
  const options = given.data === undefined ? read : { ...read, dataFolder: given.data }
  const newKey =
    given.newKeyFile === undefined ? undefined : new Secret(await readFile(given.newKeyFile, 'utf8'))
  const sealed = await rotateRootKey(options, newKey === undefined ? {} : { newKey })
  outputFor(given.json === true).result(sealed, () =>
    [
      `${sealed.secrets} secrets are sealed with the new root key.`,
      newKey === undefined
        ? 'Keep a copy of root.key in a safe place: an earlier one opens only earlier copies of the database.'
        : 'Set HOLDFAST_ROOT_KEY to the new key before the server starts.',
    ].join('\n'),
  )
}
