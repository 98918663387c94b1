/**
 * The address as it was meant: doubled slashes and one at the end of the path or of the query are dropped, so is a lone
 * question mark. Letter case is left to the router.
 */
export const forgiveUrl = (url: string): string => {
  const mark = url.indexOf('?')
  const path = mark < 0 ? url : url.slice(0, mark)
  const query = mark < 0 ? '' : url.slice(mark + 1)
  const cleanPath = path.replace(/\/{2,}/g, '/').replace(/(.)\/$/, '$1')
  const cleanQuery = query.replace(/\/+$/, '')
  return cleanQuery === '' ? cleanPath : `${cleanPath}?${cleanQuery}`
}
