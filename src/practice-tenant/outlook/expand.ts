import { badQuery } from './refusals.ts'
import { splitList } from './query.ts'

/** What `$expand` of a message asks for. */
export interface MessageExpand {
  /** Attachments with their options; undefined when they are not asked for. */
  readonly attachments: { readonly select: string | undefined } | undefined
  /** Ids of extended properties in lower case, with the spelling that was asked for. */
  readonly properties: readonly string[]
}

const optionOf = (options: string, name: string): string | undefined => {
  for (const option of options.split(';')) {
    const at = option.indexOf('=')
    if (option.slice(0, at).trim().toLowerCase() === name) return option.slice(at + 1).trim()
  }
  return undefined
}

const propertyIds = (filter: string): string[] => {
  const terms = filter.split(/\s+or\s+/i)
  return terms.map((term) => {
    const id = /^\(?\s*id\s+eq\s+'((?:[^']|'')*)'\s*\)?$/i.exec(term.trim())?.[1]
    if (id === undefined) throw badQuery(`Invalid filter clause: ${filter}`)
    return id.replaceAll("''", "'")
  })
}

/** Reads `attachments,singleValueExtendedProperties($filter=id eq 'Integer 0x0E07')`. Throws 400 for anything else. */
export const parseExpand = (text: string | undefined): MessageExpand => {
  let attachments: MessageExpand['attachments']
  const properties: string[] = []
  for (const part of splitList(text ?? '')) {
    const [, name = '', options = ''] = /^([\w./]+)\s*(?:\((.*)\))?$/s.exec(part) ?? []
    switch (name.toLowerCase()) {
      case 'attachments':
        attachments = { select: optionOf(options, '$select') }
        break
      case 'singlevalueextendedproperties':
        properties.push(...propertyIds(optionOf(options, '$filter') ?? ''))
        break
      default:
        throw badQuery(`Parsing OData Select and Expand failed: Could not find a property named '${name || part}' on type 'microsoft.graph.message'.`) // prettier-ignore
    }
  }
  return { attachments, properties }
}
