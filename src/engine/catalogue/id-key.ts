/** Stands for an id in the cache: 48 and 31 bits of a hash, so short that a million rows can be indexed in a second. */
export interface IdKey {
  readonly h: number
  readonly c: number
}

// Four lanes, each fed with all of the text. Not for adversaries: ids are the service's.
const SEEDS = [1779033703, 3144134277, 1013904242, 2773480762] as const
const FACTORS = [597399067, 2869860233, 951274213, 2716044179] as const

export const idKey = (id: string): IdKey => {
  let [a, b, c, d] = SEEDS as readonly number[] as [number, number, number, number]
  for (let at = 0; at < id.length; at += 1) {
    const code = id.charCodeAt(at)
    a = b ^ Math.imul(a ^ code, FACTORS[0])
    b = c ^ Math.imul(b ^ code, FACTORS[1])
    c = d ^ Math.imul(c ^ code, FACTORS[2])
    d = a ^ Math.imul(d ^ code, FACTORS[3])
  }
  a = Math.imul(c ^ (a >>> 18), FACTORS[0])
  b = Math.imul(d ^ (b >>> 22), FACTORS[1])
  c = Math.imul(a ^ (c >>> 17), FACTORS[2])
  return { h: (b >>> 16) * 4294967296 + (a >>> 0), c: c >>> 1 }
}

/** Names that are compared by a number first and by themselves then. */
export const textNumber = (text: string): number => idKey(text).h
