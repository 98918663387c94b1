import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export interface CorpusFile {
  readonly name: string
  readonly bytes: Buffer
}

const load = (folder: string): readonly CorpusFile[] => {
  const directory = new URL(`../corpus/${folder}/`, import.meta.url)
  return readdirSync(directory)
    .sort()
    .map((name) => ({
      name,
      bytes: readFileSync(fileURLToPath(new URL(encodeURIComponent(name), directory))),
    }))
}

let mail: readonly CorpusFile[] | undefined
let documents: readonly CorpusFile[] | undefined

/** Real RFC 5322 messages, many of them odd, in a fixed order. Read once; the buffers are shared: do not change them. */
export const corpusMail = (): readonly CorpusFile[] => (mail ??= load('mail'))

/** Real Office files, pictures and Outlook messages, in a fixed order. Read once; the buffers are shared. */
export const corpusDocuments = (): readonly CorpusFile[] => (documents ??= load('documents'))
