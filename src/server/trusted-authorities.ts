import { readFile } from 'node:fs/promises'
import { invalid } from '#base'

/** The certificates of further authorities, as PEM texts. */
export const trustedAuthorities = async (files: readonly string[]): Promise<readonly string[]> =>
  Promise.all(
    files.map(async (file) => {
      const text = await readFile(file, 'utf8')
      if (!text.includes('-----BEGIN CERTIFICATE-----'))
        throw invalid(`${file} holds no certificate in PEM`, 'caFile')
      return text
    }),
  )
