// RFC 2268. OpenSSL 3 no longer offers RC2, and certificates exported by older Windows versions are wrapped in it.

const PI_TABLE = Buffer.from(
  'd978f9c419ddb5ed28e9fd794aa0d89dc67e37832b76538e624c6488448bfba2' +
    '179a59f587b34f1361456d8d09817d32bd8f40eb86b77b0bf09521225c6b4e82' +
    '54d66593ce60b21c7356c014a78cf1dc1275ca1f3bbee4d1423dd430a33cb626' +
    '6fbf0eda4669075727f21d9bbc944303f811c7f690ef3ee706c3d52fc8661ed7' +
    '08e8eade8052eef784aa72ac354d6a2a961ad2715a1549744b9fd05e0418a4ec' +
    'c2e0416e0f51cbcc2491af50a1f47039997c3a8523b8b47afc02365b25559731' +
    '2d5dfa98e38a92ae05df2910676cbac9d300e6cfe19ea82c6316013f58e289a9' +
    '0d38341bab33ffb0bb480c5fb9b1cd2ec5f3db47e5a59c770aa62068fe7fc1ad',
  'hex',
)
const BLOCK = 8

/** CBC with PKCS#7 padding still on. `effectiveBits` is 40 or 128. */
export function decryptRc2Cbc(
  key: Uint8Array,
  iv: Uint8Array,
  data: Uint8Array,
  effectiveBits: number,
): Buffer {
  const words = expandKey(key, effectiveBits)
  const plain = Buffer.from(data)
  for (let at = 0; at + BLOCK <= data.length; at += BLOCK) {
    decryptBlock(words, plain.subarray(at, at + BLOCK))
    const before = at === 0 ? iv : data.subarray(at - BLOCK, at)
    for (let index = 0; index < BLOCK; index += 1) plain[at + index]! ^= before[index]!
  }
  return plain
}

function expandKey(key: Uint8Array, effectiveBits: number): Uint16Array {
  const table = new Uint8Array(128)
  table.set(key)
  for (let at = key.length; at < 128; at += 1) {
    table[at] = PI_TABLE[(table[at - 1]! + table[at - key.length]!) & 0xff]!
  }
  const bytes = (effectiveBits + 7) >> 3
  const mask = 0xff >> (8 * bytes - effectiveBits)
  table[128 - bytes] = PI_TABLE[table[128 - bytes]! & mask]!
  for (let at = 127 - bytes; at >= 0; at -= 1) table[at] = PI_TABLE[table[at + 1]! ^ table[at + bytes]!]!
  return Uint16Array.from({ length: 64 }, (_, index) => table[2 * index]! + 256 * table[2 * index + 1]!)
}

const ROTATIONS = [1, 2, 3, 5]

function decryptBlock(key: Uint16Array, block: Buffer): void {
  const r = Uint16Array.from({ length: 4 }, (_, index) => block.readUInt16LE(2 * index))
  for (let round = 15; round >= 0; round -= 1) {
    unmix(key, r, round)
    if (round === 11 || round === 5) unmash(key, r)
  }
  r.forEach((word, index) => block.writeUInt16LE(word, 2 * index))
}

function unmix(key: Uint16Array, r: Uint16Array, round: number): void {
  for (let index = 3; index >= 0; index -= 1) {
    const by = ROTATIONS[index]!
    const value = ((r[index]! >> by) | (r[index]! << (16 - by))) & 0xffff
    const [one, two, three] = [r[(index + 3) & 3]!, r[(index + 2) & 3]!, r[(index + 1) & 3]!]
    r[index] = value - key[4 * round + index]! - (one & two) - (~one & three)
  }
}

function unmash(key: Uint16Array, r: Uint16Array): void {
  for (let index = 3; index >= 0; index -= 1) r[index] = r[index]! - key[r[(index + 3) & 3]! & 63]!
}
