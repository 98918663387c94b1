import { createHash } from 'node:crypto'
import { SignJWT } from 'jose'
import type { Clock, Random } from '#base'
import type { SigningCertificate } from './pfx/read-pfx.ts'

const LIFETIME_S = 600
/** Clocks differ: the assertion is good from a moment ago. */
const SKEW_S = 60
const CURVE_ALGORITHMS: Readonly<Record<string, string>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
}

/** Proves to the token endpoint that we hold the certificate's key: a JWT signed with PS256 (RSA) or ES256 and kin (ECDSA). */
export async function clientAssertion(
  signing: SigningCertificate,
  claims: { readonly applicationId: string; readonly tokenEndpoint: string },
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): Promise<string> {
  const now = Math.floor(clock.nowMs() / 1000)
  const thumbprint = createHash('sha256').update(signing.certificate.raw).digest('base64url')
  return await new SignJWT({})
    .setProtectedHeader({ alg: algorithmOf(signing), typ: 'JWT', 'x5t#S256': thumbprint })
    .setAudience(claims.tokenEndpoint)
    .setIssuer(claims.applicationId)
    .setSubject(claims.applicationId)
    .setJti(random.uuid())
    .setIssuedAt(now)
    .setNotBefore(now - SKEW_S)
    .setExpirationTime(now - SKEW_S + LIFETIME_S)
    .sign(signing.privateKey)
}

function algorithmOf({ keyType, privateKey }: SigningCertificate): string {
  if (keyType === 'RSA') return 'PS256'
  return CURVE_ALGORITHMS[privateKey.asymmetricKeyDetails?.namedCurve ?? ''] ?? 'ES256'
}
