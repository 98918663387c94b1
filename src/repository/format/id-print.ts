import type { Random } from '#base'
import { ID_BYTES } from './ids.ts'

const ID_WORDS = ID_BYTES / 4
/** What is held of an id. */
export const PRINT_WORDS = 4

/** What the prints of a process are made with, and nobody else knows. */
export type PrintFactors = Uint32Array

export const newPrintFactors = (random: Random): PrintFactors =>
  new Uint32Array(Uint8Array.from(random.bytes(PRINT_WORDS * ID_WORDS * 4)).buffer)

/**
 * A short form of an id: sums of its words with random factors. That two of ten million ids agree in it happens by a chance
 * of 2^-82. Nobody can bring it about: who makes ids that agree in k bits of each word gains no more than that much, and cannot
 * see whether two prints agree, as the factors are drawn anew by each process and never leave it.
 */
export const printId = (
  factors: PrintFactors,
  ids: Uint32Array,
  from: number,
  to: Uint32Array,
  at: number,
): void => {
  for (let word = 0; word < PRINT_WORDS; word += 1) {
    const factor = word * ID_WORDS
    let sum = 0
    for (let place = 0; place < ID_WORDS; place += 1)
      sum = (sum + Math.imul(ids[from + place]!, factors[factor + place]!)) | 0
    to[at + word] = sum
  }
}
