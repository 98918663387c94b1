import { randomBytes, randomUUID } from 'node:crypto'
import { link, mkdir, open, readFile, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { corrupt, HoldfastError, Secret } from '#base'

const KEY_BYTES = 32

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT'

/** Reads a root key in base64: 32 bytes, given by the environment or a key store. */
export const rootKeyFrom = (base64: Secret): Secret => {
  if (Buffer.from(base64.reveal().trim(), 'base64').length !== KEY_BYTES)
    throw new HoldfastError('invalid', 'the root key has to be 32 bytes in base64')
  return new Secret(base64.reveal().trim())
}

/** A key that nobody has had. */
export const newRootKey = (): Secret => new Secret(randomBytes(KEY_BYTES).toString('base64'))

const writeNewKey = async (file: string): Promise<void> => {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const draft = `${file}.${randomUUID()}.new`
  try {
    const handle = await open(draft, 'wx', 0o600)
    await handle.writeFile(`${newRootKey().reveal()}\n`)
    await handle.sync()
    await handle.close()
    // A link never replaces a key that another process wrote meanwhile, and is never seen half-written.
    await link(draft, file).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    })
  } finally {
    await rm(draft, { force: true })
  }
  const folder = await open(dirname(file), 'r')
  await folder.sync()
  await folder.close()
}

/**
 * The root key of a data folder; made when `mayMake` and it is not there. Without it no secret can be read again, so a
 * missing key beside stored secrets is an error, not a reason for a new one.
 */
export const rootKeyOf = async (file: string, options: { readonly mayMake: boolean }): Promise<Secret> => {
  const there = await stat(file).catch((error: unknown) => {
    if (isMissing(error)) return undefined
    throw error
  })
  if (there === undefined && !options.mayMake)
    throw corrupt('the root key is missing: the stored secrets cannot be read without it')
  if (there === undefined) await writeNewKey(file)
  if (there !== undefined && (there.mode & 0o077) !== 0)
    throw new HoldfastError('denied', 'the root key can be read by others: set its mode to 0600')
  return rootKeyFrom(new Secret(await readFile(file, 'utf8')))
}
