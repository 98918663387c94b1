// Makes the files that the repository is measured with, always the same for a size: a quarter mails of 4 to 100 KB, a
// quarter documents of 20 KB to 4 MB, a quarter long texts and a quarter archives of 10 to 200 MB. Texts are words by
// frequency; pictures, office documents and archives are noise, as those are compressed already. One file in ten is
// another one once more, under another name. `node bench/mixed-files.ts FOLDER MEGABYTES` tells the number of files and bytes.
import { createCipheriv } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { seededRandom } from '#base'

const [folder = '', megabytes = '1400'] = process.argv.slice(2)
const share = (Number(megabytes) * 1_000_000) / 4
const random = seededRandom(20260105)
const PIECE = 1_000_000

const WORDS = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  .split(/\s+/)
  .concat(Array.from({ length: 4000 }, (_, number) => (number * 2654435761).toString(36)))

const text = (bytes: number): Buffer => {
  const pieces: string[] = []
  for (let length = 0; length < bytes;) {
    const word = WORDS[Math.floor(random.fraction() ** 2 * WORDS.length)]!
    pieces.push(word)
    length += word.length + 1
  }
  return Buffer.from(pieces.join(' ').slice(0, bytes))
}

const noiseStream = createCipheriv('aes-256-ctr', Buffer.alloc(32, 7), Buffer.alloc(16))
const noise = (bytes: number): Buffer => noiseStream.update(Buffer.alloc(bytes))

/** Small sizes are frequent. */
const between = (least: number, most: number, skew: number): number =>
  Math.floor(least + random.fraction() ** skew * (most - least))

const total = { files: 0, bytes: 0 }

const put = (path: string, bytes: number, make: (bytes: number) => Buffer): void => {
  const target = join(folder, path)
  mkdirSync(dirname(target), { recursive: true })
  const file = openSync(target, 'wx')
  for (let left = bytes; left > 0; left -= PIECE) writeSync(file, make(Math.min(left, PIECE)))
  closeSync(file)
  total.files += 1
  total.bytes += bytes
}

const putAgain = (path: string, of: string): void => {
  const content = readFileSync(join(folder, of))
  writeFileSync(join(folder, path), content)
  total.files += 1
  total.bytes += content.length
}

/** A quarter of the whole. */
const fill = (
  pathOf: (number: number) => string,
  sizeOf: () => number,
  make: (bytes: number) => Buffer,
): void => {
  const end = total.bytes + share
  for (let number = 0; total.bytes < end; number += 1) {
    if (number % 10 === 9) putAgain(`${pathOf(number - 3)}.again`, pathOf(number - 3))
    else put(pathOf(number), Math.min(sizeOf(), end - total.bytes), make)
  }
}

fill(
  (number) => `mail/${number % 12}/${number % 28}/mail-${number}.eml`,
  () => between(4000, 100_000, 3),
  text,
)
fill(
  (number) => `documents/${number % 20}/document-${number}.docx`,
  () => between(20_000, 4_000_000, 4),
  noise,
)
fill(
  (number) => `texts/text-${number}.csv`,
  () => between(10_000_000, 200_000_000, 3),
  text,
)
fill(
  (number) => `archives/archive-${number}.zip`,
  () => between(10_000_000, 200_000_000, 3),
  noise,
)
console.log(JSON.stringify(total))
