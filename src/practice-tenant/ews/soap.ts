import type { TenantAnswer } from '../core/contract.ts'
import { child, parseXml, tag, textTag, XmlRefusal } from './xml.ts'
import type { XmlElement } from './xml.ts'

export const NAMESPACES = {
  soap: 'http://schemas.xmlsoap.org/soap/envelope/',
  messages: 'http://schemas.microsoft.com/exchange/services/2006/messages',
  types: 'http://schemas.microsoft.com/exchange/services/2006/types',
  errors: 'http://schemas.microsoft.com/exchange/services/2006/errors',
} as const

/** Ends a whole call with a SOAP fault. */
export class SoapFault extends Error {
  readonly code: string
  /** Named values for the client, such as BackOffMilliseconds or LineNumber. */
  readonly values: Readonly<Record<string, string>>
  constructor(code: string, message: string, values: Readonly<Record<string, string>> = {}) {
    super(message)
    this.code = code
    this.values = values
  }
}

/** One request of an operation that fails, while the call goes on. */
export class EwsRefusal extends Error {
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

export interface SoapRequest {
  readonly header: XmlElement | undefined
  /** The element of the operation: `GetFolder`. */
  readonly operation: XmlElement
}

/** Takes an envelope apart. Throws a fault for what is none. */
export const readSoap = (text: string): SoapRequest => {
  const root = parsed(text)
  const operation = child(root, 'Body')?.children[0]
  if (root.name !== 'Envelope' || root.namespace !== NAMESPACES.soap || operation === undefined) {
    throw new SoapFault(
      'ErrorInvalidRequest',
      'The request is invalid: there is no SOAP 1.1 envelope with a body.',
    )
  }
  if (operation.namespace !== NAMESPACES.messages) {
    throw new SoapFault(
      'ErrorInvalidRequest',
      'The request is invalid: the operation is in no known namespace.',
    )
  }
  return { header: child(root, 'Header'), operation }
}

const parsed = (text: string): XmlElement => {
  try {
    return parseXml(text)
  } catch (error) {
    if (!(error instanceof XmlRefusal)) throw error
    throw new SoapFault('ErrorSchemaValidation', 'The request failed schema validation.', {
      LineNumber: String(error.line),
      LinePosition: String(error.position),
      Violation: error.message,
    })
  }
}

const VERSION = {
  MajorVersion: '15',
  MinorVersion: '20',
  MajorBuildNumber: '8158',
  MinorBuildNumber: '17',
  Version: 'V2018_01_08',
}

const envelope = (status: number, header: string, body: string): TenantAnswer => ({
  status,
  headers: { 'content-type': 'text/xml; charset=utf-8' },
  bytes: Buffer.from(
    `<?xml version="1.0" encoding="utf-8"?>${tag('s:Envelope', { 'xmlns:s': NAMESPACES.soap }, `${header}${tag('s:Body', {}, body)}`)}`,
  ),
})

/** The answer of an operation: its response messages in the order of the requests. */
export const soapAnswer = (operation: string, messages: readonly string[]): TenantAnswer => {
  const version = tag('h:ServerVersionInfo', { ...VERSION, 'xmlns:h': NAMESPACES.types })
  const names = { 'xmlns:m': NAMESPACES.messages, 'xmlns:t': NAMESPACES.types }
  const list = tag('m:ResponseMessages', {}, messages.join(''))
  return envelope(200, tag('s:Header', {}, version), tag(`m:${operation}Response`, names, list))
}

/** A response message that went well. */
export const successMessage = (operation: string, content: string): string =>
  tag(
    `m:${operation}ResponseMessage`,
    { ResponseClass: 'Success' },
    `${textTag('m:ResponseCode', 'NoError')}${content}`,
  )

/** A response message that says what is wrong with its request. */
export const errorMessage = (operation: string, refusal: EwsRefusal, content = ''): string =>
  tag(
    `m:${operation}ResponseMessage`,
    { ResponseClass: 'Error' },
    textTag('m:MessageText', refusal.message) +
      textTag('m:ResponseCode', refusal.code) +
      textTag('m:DescriptiveLinkKey', '0') +
      content,
  )

/** A fault with its code in the three places where clients look for it. */
export const faultAnswer = (fault: SoapFault): TenantAnswer => {
  const values = Object.entries(fault.values).map(([name, value]) =>
    tag('t:Value', { Name: name }, escapeValue(value)),
  )
  const detail =
    tag('e:ResponseCode', { 'xmlns:e': NAMESPACES.errors }, escapeValue(fault.code)) +
    tag('e:Message', { 'xmlns:e': NAMESPACES.errors }, escapeValue(fault.message)) +
    (values.length === 0 ? '' : tag('t:MessageXml', { 'xmlns:t': NAMESPACES.types }, values.join('')))
  const content =
    tag('faultcode', { 'xmlns:a': NAMESPACES.types }, `a:${fault.code}`) +
    tag('faultstring', { 'xml:lang': 'en-US' }, escapeValue(fault.message)) +
    tag('detail', {}, detail)
  return envelope(500, '', tag('s:Fault', {}, content))
}

const escapeValue = (text: string): string => textTag('x', text).slice(3, -4)
