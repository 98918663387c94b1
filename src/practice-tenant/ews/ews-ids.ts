import { EwsRefusal } from './soap.ts'

// Graph writes the same ids with `-` and `_` where EWS has `/` and `+`.

export const toEwsId = (restId: string): string => restId.replaceAll('-', '/').replaceAll('_', '+')
export const fromEwsId = (ewsId: string): string => ewsId.replaceAll('/', '-').replaceAll('+', '_')

const isBase64 = (text: string): boolean => /^[A-Za-z0-9+/]+={0,2}$/.test(text) && text.length % 4 === 0

/** An id of any format as EWS id. Throws `ErrorInvalidIdMalformed`. */
const toEwsFormat = (format: string, id: string): string => {
  const ewsId = decodeId(format, id)
  if (!isBase64(ewsId)) throw new EwsRefusal('ErrorInvalidIdMalformed', 'Id is malformed.')
  return ewsId
}

const decodeId = (format: string, id: string): string => {
  switch (format) {
    case 'EwsId':
    case 'EwsLegacyId':
    case 'EntryId':
      return id
    case 'HexEntryId':
      return Buffer.from(id, 'hex').toString('base64')
    case 'OwaId':
      return safeDecode(id)
    default:
      throw new EwsRefusal('ErrorInvalidIdMalformed', `Ids of the format ${format} are not converted here.`)
  }
}

const safeDecode = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}

/** The id in another format. */
export const convertId = (from: string, to: string, id: string): string => {
  const ewsId = toEwsFormat(from, id)
  switch (to) {
    case 'EwsId':
    case 'EwsLegacyId':
    case 'EntryId':
      return ewsId
    case 'HexEntryId':
      return Buffer.from(ewsId, 'base64').toString('hex').toUpperCase()
    case 'OwaId':
      return encodeURIComponent(ewsId)
    default:
      throw new EwsRefusal('ErrorInvalidIdMalformed', `Ids of the format ${to} are not converted here.`)
  }
}
