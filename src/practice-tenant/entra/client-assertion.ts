import { constants, verify, X509Certificate, type KeyObject } from 'node:crypto'
import type { CertificateRow } from './entra-rows.ts'
import { EntraRefusal } from './refusals.ts'
import type { TokenCall } from './token-call.ts'

export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const SKEW_SECONDS = 300

interface Assertion {
  readonly head: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
  readonly signed: string
  readonly signature: Buffer
}

const malformed = (reason: string): EntraRefusal => new EntraRefusal(50027, { reason })

const parse = (text: string): Assertion => {
  const [head, claims, signature] = text.split('.')
  if (head === undefined || claims === undefined || signature === undefined) {
    throw malformed('The token is not three parts.')
  }
  try {
    const json = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Assertion['head']
    const signed = `${head}.${claims}`
    return { head: json(head), claims: json(claims), signed, signature: Buffer.from(signature, 'base64url') }
  } catch {
    throw malformed('The token is not JSON.')
  }
}

const verifies = (assertion: Assertion, key: KeyObject): boolean => {
  const data = Buffer.from(assertion.signed)
  const isRsa = key.asymmetricKeyType === 'rsa'
  switch (assertion.head['alg']) {
    case 'RS256':
      return isRsa && verify('sha256', data, key, assertion.signature)
    case 'PS256': {
      const pss = {
        key,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
      }
      return isRsa && verify('sha256', data, pss, assertion.signature)
    }
    case 'ES256':
      return !isRsa && verify('sha256', data, { key, dsaEncoding: 'ieee-p1363' }, assertion.signature)
    default:
      return false
  }
}

const thumbprint = (value: unknown): string | undefined =>
  typeof value === 'string' ? Buffer.from(value, 'base64url').toString('hex') : undefined

const certificateOf = (call: TokenCall, application: string, assertion: Assertion): CertificateRow => {
  const sha256 = thumbprint(assertion.head['x5t#S256'])
  const sha1 = thumbprint(assertion.head['x5t'])
  const found = call.parts.rows
    .certificates(application)
    .find((row) => (sha256 === undefined ? row.sha1 === sha1 : row.sha256 === sha256))
  if (found !== undefined) return found
  const shown = sha256 ?? sha1 ?? 'none'
  throw new EntraRefusal(700027, {
    reason: `[Reason - The key was not found. Thumbprint of key: '${shown}']`,
  })
}

const checkTime = (claims: Assertion['claims'], nowSeconds: number): void => {
  const { nbf, exp } = claims
  if (typeof exp !== 'number') throw malformed("The 'exp' claim is missing.")
  const early = typeof nbf === 'number' && nbf > nowSeconds + SKEW_SECONDS
  if (early || exp <= nowSeconds - SKEW_SECONDS) {
    throw new EntraRefusal(700024, { reason: `Current time: ${nowSeconds}, expiry: ${exp}.` })
  }
}

const checkAudience = (call: TokenCall, claims: Assertion['claims']): void => {
  const { parts, request } = call
  const login = request.origin('login')
  const given = Array.isArray(claims['aud']) ? String(claims['aud'][0]) : String(claims['aud'])
  const rest = given.toLowerCase().startsWith(`${login.toLowerCase()}/`) ? given.slice(login.length + 1) : ''
  const match = /^([^/]+)\/(v2\.0|oauth2\/token|oauth2\/v2\.0\/token)?\/?$/i.exec(rest)
  const tenant = match?.[1]?.toLowerCase()
  if (tenant !== parts.state.tenantId && tenant !== parts.domain) throw malformed('Unexpected audience.')
}

/** Accepts an assertion that a registered certificate has signed for this application, now, and for the first time. */
export const checkAssertion = (call: TokenCall, application: string, text: string): void => {
  if (call.form.get('client_assertion_type') !== ASSERTION_TYPE) {
    throw new EntraRefusal(900144, { name: 'client_assertion_type' })
  }
  const assertion = parse(text)
  const row = certificateOf(call, application, assertion)
  if (!verifies(assertion, new X509Certificate(row.pem).publicKey)) {
    throw new EntraRefusal(700027, {
      reason: '[Reason - The key was found, but use of the key to verify the signature failed.]',
    })
  }
  const { claims } = assertion
  const nowMs = call.parts.state.clock.nowMs()
  if (row.expires_ms <= nowMs) {
    throw new EntraRefusal(700027, {
      reason: '[Reason - The certificate used to sign the client assertion is expired.]',
    })
  }
  checkTime(claims, Math.floor(nowMs / 1000))
  checkAudience(call, claims)
  if (claims['iss'] !== application || claims['sub'] !== application) throw new EntraRefusal(700021)
  const jti = claims['jti']
  if (typeof jti !== 'string') throw malformed("The 'jti' claim is missing.")
  if (!call.parts.rows.useAssertion(`${application}/${jti}`, Number(claims['exp']) * 1000)) {
    throw malformed('The token has been used before.')
  }
}
