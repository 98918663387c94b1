/** Folders of a drive: `a/b` lies in `a`, which comes before it. */
export const SEED_FOLDERS = [
  'Documents',
  'Documents/Contracts',
  'Documents/Contracts/2024',
  'Documents/Contracts/2025',
  'Documents/Contracts/2025/Signed',
  'Documents/Contracts/2025/Signed/Originals',
  'Documents/Finance',
  'Documents/Finance/Budget',
  'Pictures',
  'Pictures/Site visits',
  'Projects',
  'Projects/Überarbeitung',
  'Projects/Überarbeitung/Entwürfe',
  'Projects/日本語',
  'Projects/Archive (old)',
  'Desktop',
] as const

/** Of every drive; it stays empty. */
export const EMPTY_FOLDER = 'Empty folder'
/** Of the first drives: one of everything that is unusual. */
export const ODD_FOLDER = 'Odd things'

/** Names that break what quotes, escapes, sorts or normalizes them wrongly. All are allowed in OneDrive. */
export const ODD_NAMES = [
  'Ünïcode ☃ Plan #1 100%.txt',
  "it's & that + more = [x] {y}.txt",
  '%41 is not A.txt',
  '.hidden',
  'two.dots.tar.gz',
  'no extension',
  'smile 😀 family 👩‍👩‍👧.txt',
  'العربية.txt',
  'Cafe\u0301 (decomposed).txt',
  'Caf\u00e9 (composed).txt',
  'semi;colon, comma!.txt',
  'a^b~c`d@e$f.txt',
  `${'long '.repeat(39)}name.txt`,
] as const

const SUBJECTS = [
  'Budget', 'Offer', 'Minutes', 'Plan', 'Report', 'Invoice', 'Schedule', 'Protokoll', 'Übersicht', 'Facture',
  'Contrat', 'Presupuesto', 'Zestawienie', '見積書', 'Отчёт', 'Design', 'Review', 'Inventory', 'Training', 'Survey',
] // prettier-ignore
const QUALIFIERS = [
  'draft', 'final', 'v2', 'Berlin', 'Q1', 'Q2', 'Q3', 'Q4', 'internal', 'signed', 'for review', 'Łódź', '2024',
  '2025', 'München', 'São Paulo',
] // prettier-ignore

/** The name of the n-th generated file; the number keeps it unique. */
export const seedFileName = (n: number, chance: Uint8Array, extension: string): string => {
  const subject = SUBJECTS[chance[0]! % SUBJECTS.length]!
  const qualifier = QUALIFIERS[chance[1]! % QUALIFIERS.length]!
  return `${subject} ${qualifier} ${n}${extension}`
}
