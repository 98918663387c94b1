import { readConfig, writeRecoveryKit } from '#server'
import { outputFor } from '../output.ts'

/** Writes what is needed to read every repository without Holdfast. Works on the data folder, not over the network. */
export const recoveryKit = async (
  folder: string,
  given: { readonly data?: string; readonly json?: boolean },
): Promise<void> => {
  const read = readConfig()
  const options = given.data === undefined ? read : { ...read, dataFolder: given.data }
  const files = await writeRecoveryKit(options, folder)
  outputFor(given.json === true).result({ folder, files }, () =>
    [
      `Written to ${folder}:`,
      ...files.map((file) => `  ${file}`),
      'Whoever has these files can read the backups. Keep them away from this machine, in a safe place.',
    ].join('\n'),
  )
}
