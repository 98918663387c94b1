// Numbers of a column written byte by byte across its rows: first the lowest byte of all, then the next. What is constant or
// grows slowly then lies together and compresses to almost nothing.

/** Bytes that numbers up to `most` need. */
export const widthOf = (most: number): number => {
  let width = 0
  for (let rest = most; rest >= 1; rest = Math.floor(rest / 256)) width += 1
  return width
}

/** Whole numbers from 0 to 2^53. */
export const writePlanes = (values: ArrayLike<number>, width: number): Buffer => {
  const count = values.length
  const bytes = Buffer.allocUnsafe(count * width)
  for (let row = 0; row < count; row += 1) {
    let rest = values[row]!
    for (let plane = 0; plane < width; plane += 1) {
      const above = Math.floor(rest / 256)
      bytes[plane * count + row] = rest - above * 256
      rest = above
    }
  }
  return bytes
}

/** The number of one row; `start` is where the planes begin. */
export const readPlanes = (
  bytes: Uint8Array,
  planes: { readonly start: number; readonly count: number; readonly width: number },
  row: number,
): number => {
  let value = 0
  for (let plane = planes.width - 1; plane >= 0; plane -= 1)
    value = value * 256 + bytes[planes.start + plane * planes.count + row]!
  return value
}
