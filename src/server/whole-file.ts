import { open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Puts a file in its place, on the disk, as a whole: whoever dies on the way leaves the old one or none. */
export const writeWholeFile = async (file: string, text: string, mode: number): Promise<void> => {
  const unfinished = `${file}.new`
  {
    await using handle = await open(unfinished, 'w', mode)
    await handle.writeFile(text)
    await handle.sync()
  }
  await rename(unfinished, file)
  await syncFolderOf(file)
}

/** A name in a folder is on the disk when the folder is. */
export const syncFolderOf = async (file: string): Promise<void> => {
  await using folder = await open(dirname(file), 'r')
  await folder.sync()
}
