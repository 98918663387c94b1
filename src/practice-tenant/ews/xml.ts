import { SaxesParser } from 'saxes'

/** An element without its prefix; text is what stands directly inside it. */
export interface XmlElement {
  readonly name: string
  readonly namespace: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: XmlElement[]
  text: string
}

/** Why a text is no XML that is read here. */
export class XmlRefusal extends Error {
  readonly line: number
  readonly position: number
  constructor(message: string, line: number, position: number) {
    super(message)
    this.line = line
    this.position = position
  }
}

const MAX_DEPTH = 64
const MAX_ELEMENTS = 20_000

/** Parses a document. Document type declarations are refused, and with them every entity but the five of XML. */
export const parseXml = (text: string): XmlElement => {
  const parser = new SaxesParser({ xmlns: true, position: true })
  const stack: XmlElement[] = []
  let root: XmlElement | undefined
  let count = 0
  const refuse = (message: string): never => {
    throw new XmlRefusal(message, parser.line, parser.column)
  }
  parser.on('error', (error) => refuse(error.message))
  parser.on('doctype', () => refuse('A document type declaration is not allowed.'))
  parser.on('opentag', (tag) => {
    count += 1
    if (stack.length >= MAX_DEPTH || count > MAX_ELEMENTS)
      refuse('The document is nested too deep or too large.')
    const attributes: Record<string, string> = {}
    for (const { prefix, local, value } of Object.values(tag.attributes)) {
      if (prefix === '') attributes[local] = value
    }
    const element: XmlElement = { name: tag.local, namespace: tag.uri, attributes, children: [], text: '' }
    stack.at(-1)?.children.push(element)
    root ??= element
    stack.push(element)
  })
  parser.on('closetag', () => stack.pop())
  parser.on('text', (piece) => {
    const open = stack.at(-1)
    if (open !== undefined) open.text += piece
  })
  parser.on('cdata', (piece) => {
    const open = stack.at(-1)
    if (open !== undefined) open.text += piece
  })
  parser.write(text).close()
  return root ?? refuse('There is no element.')
}

/** The first child of the name. */
export const child = (element: XmlElement | undefined, name: string): XmlElement | undefined =>
  element?.children.find((candidate) => candidate.name === name)

/** The element at the end of a path of names. */
export const descend = (element: XmlElement | undefined, ...names: string[]): XmlElement | undefined =>
  names.reduce<XmlElement | undefined>((at, name) => child(at, name), element)

const SIGNS: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** Text as it may stand in content and attributes; characters that XML cannot hold are dropped. */
export const escapeXml = (text: string): string =>
  text
    .toWellFormed()
    .replace(/[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '')
    .replace(/[&<>"]/g, (sign) => SIGNS[sign]!)

/** `<t:Name a="1">content</t:Name>`; the content is XML already. */
export const tag = (name: string, attributes: Readonly<Record<string, string>>, content = ''): string => {
  const given = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeXml(value)}"`)
  return content === '' ? `<${name}${given.join('')}/>` : `<${name}${given.join('')}>${content}</${name}>`
}

/** An element that holds text. */
export const textTag = (name: string, text: string): string => `<${name}>${escapeXml(text)}</${name}>`
