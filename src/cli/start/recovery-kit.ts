import { conflict } from '#base'
import { readConfig, recoveryKitState, writeRecoveryKit } from '#server'
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

/** Says whether the last kit still opens everything; fails where it does not. */
export const checkRecoveryKit = async (given: {
  readonly data?: string
  readonly json?: boolean
}): Promise<void> => {
  const read = readConfig()
  const state = await recoveryKitState(given.data === undefined ? read : { ...read, dataFolder: given.data })
  outputFor(given.json === true).result(state, () =>
    [
      ...(state.writtenAt === undefined ? [] : [`The last kit is of ${state.writtenAt.toISOString()}.`]),
      ...(state.reasons.length === 0 ? ['It opens everything.'] : state.reasons),
    ].join('\n'),
  )
  if (state.reasons.length > 0) throw conflict('the recovery kit is out of date: write a new one')
}
