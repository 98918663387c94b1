import { HoldfastError } from '#base'

/** The body of a refusal by the token service. */
export interface TokenRefusal {
  readonly error?: string | undefined
  readonly error_codes?: readonly number[] | undefined
  readonly correlation_id?: string | undefined
  readonly trace_id?: string | undefined
  readonly timestamp?: string | undefined
}

type Subject = 'applicationId' | 'applicationSecret' | 'applicationCertificate' | 'tenant' | 'region'

const REFUSALS: Readonly<Record<number, readonly [message: string, property?: Subject]>> = {
  7000215: [
    'the application secret is wrong; the value of the secret is needed, not its id',
    'applicationSecret',
  ],
  7000222: ['the application secret has expired', 'applicationSecret'],
  7000218: ['the application needs a secret or a certificate', 'applicationSecret'],
  700027: ['the certificate is not registered with the application', 'applicationCertificate'],
  50012: ['the certificate is not registered with the application', 'applicationCertificate'],
  700024: ['the clocks of this server and of Microsoft 365 differ too much for a certificate sign-in'],
  700016: ['the application is not known in this tenant', 'applicationId'],
  7000112: ['the application is disabled in this tenant', 'applicationId'],
  90002: ['the tenant does not exist', 'tenant'],
  900023: ['the tenant is neither a GUID nor a domain', 'tenant'],
  90038: ['the tenant lives in another national cloud', 'region'],
  500011: ['the tenant does not offer Microsoft Graph to this application', 'tenant'],
  65001: ['nobody has consented to the application in this tenant', 'applicationId'],
  53003: ['Conditional Access blocks the application', 'applicationId'],
  530032: ['a security policy of the tenant blocks the application', 'applicationId'],
}

/** What the token service refused, for a person. Credentials and set-up: always `invalid`. */
export function signInRefused(refusal: TokenRefusal): HoldfastError {
  const codes = refusal.error_codes ?? []
  const known = codes.find((code) => REFUSALS[code] !== undefined)
  const code = known ?? codes[0]
  const reason = code === undefined ? (refusal.error ?? 'unknown') : `AADSTS${code}`
  const [message, property] = (known === undefined ? undefined : REFUSALS[known]) ?? [
    'the sign-in of the application was refused',
  ]
  return new HoldfastError('invalid', `${message} (${reason})`, {
    reason,
    ...(property === undefined ? {} : { property }),
  })
}

/** Codes that ask for patience rather than for a change. */
const TRANSIENT_CODES = new Set([90055, 50196, 90033])

export function isTransient(refusal: TokenRefusal): boolean {
  return (
    refusal.error === 'temporarily_unavailable' ||
    (refusal.error_codes ?? []).some((code) => TRANSIENT_CODES.has(code))
  )
}
