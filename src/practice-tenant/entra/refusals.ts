/** A refusal of the token service: thrown inside, answered in its one shape at the edge. */
export class EntraRefusal extends Error {
  readonly code: number
  readonly kind: Kind
  readonly more: { readonly suberror?: string; readonly claims?: string; readonly retryAfterSeconds?: number }

  constructor(
    code: EntraCode,
    details: Readonly<Record<string, string>> = {},
    more: EntraRefusal['more'] = {},
  ) {
    const kind: Kind = REFUSALS[code]
    super(kind.text.replace(/\{(\w+)\}/g, (_, name: string) => details[name] ?? ''))
    this.code = code
    this.kind = kind
    this.more = more
  }
}

interface Kind {
  readonly error: string
  readonly status: number
  readonly text: string
}

export type EntraCode = keyof typeof REFUSALS

const kind = (error: string, status: number, text: string): Kind => ({ error, status, text })
const mfa =
  "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access '{resource}'."
const enrol =
  "Due to a configuration change made by your administrator, or because you moved to a new location, you must enroll in multi-factor authentication to access '{resource}'."

// Error, status and text by AADSTS code.
const REFUSALS = {
  7000215: kind(
    'invalid_client',
    401,
    "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{app}'.",
  ),
  7000222: kind(
    'invalid_client',
    401,
    "The provided client secret keys for app '{app}' are expired. Visit the Azure portal to create new keys for your app.",
  ),
  7000218: kind(
    'invalid_client',
    401,
    "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
  ),
  700027: kind(
    'invalid_client',
    401,
    'The certificate with identifier used to sign the client assertion is not registered on application. {reason}',
  ),
  700024: kind('invalid_client', 401, 'Client assertion is not within its valid time range. {reason}'),
  700021: kind(
    'invalid_client',
    401,
    "Client assertion application identifier does not match 'client_id' parameter.",
  ),
  700023: kind(
    'invalid_scope',
    400,
    "The provided value for the input parameter 'scope' isn't valid because it names no resource.",
  ),
  50012: kind('invalid_client', 401, 'Authentication failed. {reason}'),
  50027: kind('invalid_client', 401, 'JWT token is invalid or malformed. {reason}'),
  700016: kind(
    'unauthorized_client',
    400,
    "Application with identifier '{app}' was not found in the directory '{tenant}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant.",
  ),
  7000112: kind('unauthorized_client', 400, "Application '{app}' is disabled."),
  90002: kind(
    'invalid_request',
    400,
    "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.",
  ),
  90038: kind('invalid_request', 400, "Tenant '{tenant}' lives in another national cloud."),
  900023: kind(
    'invalid_request',
    400,
    "Specified tenant identifier '{tenant}' is neither a valid DNS name, nor a valid external domain.",
  ),
  900144: kind('invalid_request', 400, "The request body must contain the following parameter: '{name}'."),
  9001023: kind(
    'invalid_request',
    400,
    'The grant type is not supported over the /common or /consumers endpoints. Please use the /organizations or tenant-specific endpoint.',
  ),
  500011: kind(
    'invalid_resource',
    400,
    'The resource principal named {resource} was not found in the tenant named {tenant}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant.',
  ),
  70011: kind(
    'invalid_scope',
    400,
    "The provided value for the input parameter 'scope' is not valid. The scope {scope} is not valid.",
  ),
  1002012: kind(
    'invalid_scope',
    400,
    'The provided value for scope {scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).',
  ),
  700022: kind(
    'invalid_scope',
    400,
    "The provided value for the input parameter 'scope' isn't valid because it contains more than one resource.",
  ),
  70003: kind('unsupported_grant_type', 400, "The app requested an unsupported grant type '{grant}'."),
  50126: kind('invalid_grant', 400, 'Error validating credentials due to invalid username or password.'),
  50034: kind(
    'invalid_grant',
    400,
    'The user account {account} does not exist in the {tenant} directory. To sign into this application, the account must be added to the directory.',
  ),
  50053: kind(
    'invalid_grant',
    400,
    "The account is locked, you've tried to sign in too many times with an incorrect user ID or password.",
  ),
  50055: kind('invalid_grant', 400, 'The password is expired.'),
  50056: kind(
    'invalid_grant',
    400,
    'Invalid or null password: password does not exist in the directory for this user.',
  ),
  50057: kind('invalid_grant', 400, 'The user account is disabled.'),
  50076: kind('interaction_required', 400, mfa),
  50079: kind('interaction_required', 400, enrol),
  50072: kind('interaction_required', 400, enrol),
  50173: kind(
    'invalid_grant',
    400,
    'The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password.',
  ),
  70043: kind(
    'invalid_grant',
    400,
    'The refresh token has expired or is invalid due to sign-in frequency checks by conditional access.',
  ),
  50196: kind(
    'invalid_request',
    400,
    'The server terminated an operation because it encountered a client request loop. Please contact your app vendor.',
  ),
  530032: kind(
    'interaction_required',
    400,
    'Access has been blocked by a security policy of the tenant that asks for a managed device.',
  ),
  53003: kind(
    'access_denied',
    400,
    'Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.',
  ),
  65001: kind(
    'invalid_grant',
    400,
    "The user or administrator has not consented to use the application with ID '{app}'. Send an interactive authorization request for this user and resource.",
  ),
  700082: kind('invalid_grant', 400, 'The refresh token has expired due to inactivity.'),
  9002313: kind('invalid_grant', 400, 'Invalid request. Request is malformed or invalid. {reason}'),
  70016: kind(
    'authorization_pending',
    400,
    'OAuth 2.0 device flow error. Authorization is pending. Continue polling.',
  ),
  70018: kind(
    'bad_verification_code',
    400,
    'Invalid verification code due to user typing in wrong user code for device code flow.',
  ),
  70021: kind('authorization_declined', 400, 'The end user has denied the authorization request.'),
  70019: kind('expired_token', 400, 'Verification code expired. Have the user retry the sign-in.'),
  70000: kind('invalid_grant', 400, "The provided value for the input parameter '{name}' is not valid."),
  90055: kind('temporarily_unavailable', 429, 'The tenant has too many requests. Please try again later.'),
} as const satisfies Record<number, Kind>
