import { corrupt, HoldfastError, type Random } from '#base'
import { countOf, fieldsOf, parseJson } from './document.ts'
import { hexOf, parseId } from './ids.ts'
import { isIrreducible, newPolynomial } from './polynomial.ts'
import { type KeySet, open, seal } from './sealing.ts'

export interface RepositoryConfig {
  readonly version: 1 | 2
  readonly id: string
  readonly chunkerPolynomial: string
}

export const newConfig = (random: Random): RepositoryConfig => ({
  version: 2,
  id: hexOf(random.bytes(32)),
  chunkerPolynomial: newPolynomial(random),
})

/** The config file: sealed JSON, the only document that is never compressed. */
export const sealConfig = (key: KeySet, config: RepositoryConfig, iv: Uint8Array): Uint8Array =>
  seal(
    key,
    Buffer.from(
      JSON.stringify({
        version: config.version,
        id: config.id,
        chunker_polynomial: config.chunkerPolynomial,
      }),
    ),
    iv,
  )

export const openConfig = (key: KeySet, sealed: Uint8Array): RepositoryConfig => {
  const fields = fieldsOf(parseJson(open(key, sealed)), 'the config')
  const version = countOf(fields['version'], 'the version in the config')
  if (version !== 1 && version !== 2) {
    throw new HoldfastError(
      'not-built',
      `the repository has version ${version}; Holdfast reads versions 1 and 2`,
    )
  }
  const polynomial = fields['chunker_polynomial']
  const isPolynomial = typeof polynomial === 'string' && /^[0-9a-f]{1,16}$/.test(polynomial)
  if (!isPolynomial || !isIrreducible(BigInt(`0x${polynomial}`))) {
    throw corrupt('the config has no irreducible polynomial')
  }
  return { version, id: parseId(fields['id']), chunkerPolynomial: polynomial }
}
