import type { Random } from '#base'

// Polynomials over the field of two elements, a bit a coefficient. restic wants an irreducible one of degree 53 in the
// configuration; Holdfast takes its secret chunk borders from the same value.

const DEGREE = 53

const degreeOf = (polynomial: bigint): number => polynomial.toString(2).length - 1

const remainder = (dividend: bigint, divisor: bigint): bigint => {
  const degree = degreeOf(divisor)
  let rest = dividend
  while (rest !== 0n && degreeOf(rest) >= degree) rest ^= divisor << BigInt(degreeOf(rest) - degree)
  return rest
}

const multiply = (a: bigint, b: bigint, modulus: bigint): bigint => {
  let product = 0n
  for (let bit = 0; b >> BigInt(bit) !== 0n; bit += 1) {
    if ((b >> BigInt(bit)) & 1n) product ^= a << BigInt(bit)
  }
  return remainder(product, modulus)
}

const commonDivisor = (a: bigint, b: bigint): bigint => (b === 0n ? a : commonDivisor(b, remainder(a, b)))

/** Ben-Or's test: no factor of degree up to half of its own. */
export const isIrreducible = (polynomial: bigint): boolean => {
  if (polynomial < 2n) return false
  let power = 2n
  for (let round = 1; round <= degreeOf(polynomial) / 2; round += 1) {
    power = multiply(power, power, polynomial)
    if (commonDivisor(polynomial, power ^ 2n) !== 1n) return false
  }
  return true
}

/** A random irreducible polynomial of degree 53, in hexadecimal. About one candidate in 26 is one. */
export const newPolynomial = (random: Random): string => {
  for (let attempt = 0; attempt < 10_000; attempt += 1) {
    const bits = Buffer.from(random.bytes(8)).readBigUInt64LE() & ((1n << BigInt(DEGREE)) - 1n)
    // An even one is divisible by x.
    const candidate = bits | (1n << BigInt(DEGREE)) | 1n
    if (isIrreducible(candidate)) return candidate.toString(16)
  }
  throw new Error('the random source gives no irreducible polynomial')
}
