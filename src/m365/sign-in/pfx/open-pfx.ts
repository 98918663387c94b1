import { invalid } from '#base'
import { malformed, octets, oid, readElement, TAG, type Element } from './ber.ts'
import { decrypt, macFits, passwordsFor, WorkLimit, type Password } from './password-based.ts'

// PKCS#12, RFC 7292.
const DATA = '1.2.840.113549.1.7.1'
const ENCRYPTED_DATA = '1.2.840.113549.1.7.6'
const BAG = '1.2.840.113549.1.12.10.1.'
const X509 = '1.2.840.113549.1.9.22.1'

/** What a PFX file holds, in DER. */
export interface PfxContents {
  /** PKCS#8. */
  readonly privateKeys: readonly Uint8Array[]
  readonly certificates: readonly Uint8Array[]
}

/**
 * Opens a PFX file after checking its MAC. Throws `invalid` with a message for a person. Works on hostile bytes:
 * bounded depth, parts and password iterations.
 */
export function openPfx(bytes: Uint8Array, password: string): PfxContents {
  const file = readElement(bytes)
  const [, authSafe, macData] = file.children
  if (file.tag !== TAG.sequence || oid(authSafe?.children[0]) !== DATA)
    throw malformed('it is something else')
  const contents = octets(authSafe?.children[1]?.children[0])
  const limit = new WorkLimit()
  const fitting = fittingPassword(macData, contents, password, limit)
  const found = { privateKeys: [] as Uint8Array[], certificates: [] as Uint8Array[] }
  for (const info of readElement(contents).children) {
    collectBags(readElement(safeContents(info, fitting, limit)), { found, password: fitting, limit }, 0)
  }
  return found
}

function fittingPassword(
  macData: Element | undefined,
  contents: Uint8Array,
  password: string,
  limit: WorkLimit,
): Password {
  const candidates = passwordsFor(password)
  if (macData === undefined) return candidates[0]!
  const fitting = candidates.find((candidate) => macFits(macData, contents, candidate, limit))
  if (fitting !== undefined) return fitting
  throw invalid(
    password === ''
      ? 'the certificate is protected by a password, or damaged'
      : 'the password of the certificate is wrong, or the file is damaged',
  )
}

function safeContents(info: Element, password: Password, limit: WorkLimit): Uint8Array {
  const kind = oid(info.children[0])
  const content = info.children[1]?.children[0]
  if (kind === DATA) return octets(content)
  if (kind !== ENCRYPTED_DATA) throw malformed('it is protected by a public key')
  const [, algorithm, encrypted] = content?.children[1]?.children ?? []
  return decrypt(algorithm, octets(encrypted), password, limit)
}

interface Collecting {
  readonly found: { privateKeys: Uint8Array[]; certificates: Uint8Array[] }
  readonly password: Password
  readonly limit: WorkLimit
}

const MAX_NESTED_BAGS = 4

function collectBags(bags: Element, collecting: Collecting, depth: number): void {
  if (depth > MAX_NESTED_BAGS) throw malformed('it is nested too deeply')
  for (const bag of bags.children) {
    const kind = oid(bag.children[0])
    const value = bag.children[1]?.children[0]
    if (value === undefined) throw malformed('a part is missing')
    if (kind === `${BAG}1`) collecting.found.privateKeys.push(encoded(bag.children[1]!))
    if (kind === `${BAG}2`) collecting.found.privateKeys.push(unwrappedKey(value, collecting))
    if (kind === `${BAG}3` && oid(value.children[0]) === X509) {
      collecting.found.certificates.push(octets(value.children[1]?.children[0]))
    }
    if (kind === `${BAG}6`) collectBags(value, collecting, depth + 1)
  }
}

function unwrappedKey(value: Element, { password, limit }: Collecting): Uint8Array {
  return decrypt(value.children[0], octets(value.children[1]), password, limit)
}

/** The DER of the one element inside an explicit tag. */
function encoded(wrapper: Element): Uint8Array {
  return wrapper.bytes
}
