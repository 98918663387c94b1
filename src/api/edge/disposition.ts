/** Control characters, separators of folders, and marks that turn the direction of the text. */
const UNFIT = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069/\\]/gu

/** `Content-Disposition` by RFC 6266: an ASCII name for old clients, the real one in UTF-8. Always to be saved, never shown. */
export const disposition = (fileName: string): string => {
  const name = fileName.toWellFormed().replace(UNFIT, '_')
  const plain = name.replace(/[^\x20-\x7e]|["%]/g, '_')
  const encoded = encodeURIComponent(name).replace(/['()*]/g, (character) => hex(character))
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`
}

const hex = (character: string): string =>
  `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
