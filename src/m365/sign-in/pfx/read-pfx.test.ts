import { readFileSync } from 'node:fs'
import { Secret } from '#base'
import { describe, expect, it } from 'vitest'
import { readPfx } from './read-pfx.ts'

const fixture = (name: string): Buffer =>
  readFileSync(new URL(`../../../../tests/data/pfx/${name}.pfx`, import.meta.url))
const PASSWORD = 'pä-ssword'

const read = async (bytes: Uint8Array | string, password?: string) =>
  await readPfx(
    new Secret(typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('base64')),
    password === undefined ? undefined : new Secret(password),
  )

/** A DER element. */
const der = (tag: number, ...parts: Uint8Array[]): Buffer => {
  const body = Buffer.concat(parts)
  const length =
    body.length < 128 ? [body.length] : [0x83, body.length >> 16, (body.length >> 8) & 255, body.length & 255]
  return Buffer.concat([Buffer.from([tag, ...length]), body])
}

describe('readPfx', () => {
  it.each([
    ['rsa', PASSWORD, 'RSA'],
    ['ecdsa', PASSWORD, 'ECDSA'],
    ['rsa-no-password', undefined, 'RSA'],
    ['rsa-no-password', '', 'RSA'],
    ['ecdsa-plain', undefined, 'ECDSA'],
    ['legacy-3des-rc2', PASSWORD, 'RSA'],
    ['legacy-rc2-128', undefined, 'RSA'],
  ])('opens %s.pfx with %j', async (name, password, keyType) => {
    const found = await read(fixture(name), password)
    expect(found.keyType).toBe(keyType)
    expect(found.certificate.subject).toBe(`CN=Holdfast test ${keyType}`)
    expect(found.certificate.checkPrivateKey(found.privateKey)).toBe(true)
  })

  it('reads the dates of an expired certificate and leaves the judging to others', async () => {
    expect((await read(fixture('expired'), PASSWORD)).notAfter.toISOString()).toBe('2021-01-01T00:00:00.000Z')
  })

  it('forgives line breaks in the base64 text', async () => {
    const lines = fixture('ecdsa')
      .toString('base64')
      .replace(/.{64}/g, (line) => `${line}\r\n`)
    expect((await read(lines, PASSWORD)).keyType).toBe('ECDSA')
  })

  it.each([
    ['rsa', 'wrong', /password of the certificate is wrong/],
    ['legacy-3des-rc2', 'wrong', /password of the certificate is wrong/],
    ['rsa', undefined, /protected by a password/],
    ['no-key', PASSWORD, /no private key/],
    ['no-certificate', PASSWORD, /no certificate/],
    ['wrong-key', undefined, /does not belong/],
    ['weak', PASSWORD, /1024 bits/],
  ])('says what is wrong with %s.pfx and %j', async (name, password, message) => {
    await expect(read(fixture(name), password)).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(message) as string,
    })
  })

  it.each([
    ['nothing', ''],
    ['no base64', 'ä not base64'],
    ['one byte', Buffer.from([0x30])],
    ['PEM', `-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----`],
    ['a picture', Buffer.from('89504e470d0a1a0a', 'hex')],
    ['5 MB', Buffer.alloc(5_000_000, 0x30)],
    ['a cut file', fixture('rsa').subarray(0, 1000)],
    ['trailing bytes', Buffer.concat([fixture('rsa'), Buffer.from('x')])],
    ['a flipped byte', fixture('rsa').map((byte, index) => (index === 900 ? byte ^ 1 : byte))],
    ['a length without end', Buffer.from('3084ffffffff', 'hex')],
  ])('refuses %s as invalid', async (_what, bytes) => {
    await expect(read(bytes, PASSWORD)).rejects.toMatchObject({ code: 'invalid' })
  })

  it('refuses deep nesting without following it', async () => {
    let nested: Buffer = Buffer.from([0x05, 0x00])
    for (let depth = 0; depth < 5000; depth += 1) nested = der(0x30, nested)
    await expect(read(nested)).rejects.toThrow(/nested too deeply/)
  })

  it('refuses a MAC of 2^31 iterations without computing it', async () => {
    const data = der(0x06, Buffer.from('2a864886f70d010701', 'hex'))
    const authSafe = der(0x30, data, der(0xa0, der(0x04, der(0x30))))
    const sha1 = der(0x30, der(0x06, Buffer.from('2b0e03021a', 'hex')))
    const iterations = der(0x02, Buffer.from('0080000000', 'hex'))
    const macData = der(
      0x30,
      der(0x30, sha1, der(0x04, Buffer.alloc(20))),
      der(0x04, Buffer.alloc(8)),
      iterations,
    )
    const pfx = der(0x30, der(0x02, Buffer.from([3])), authSafe, macData)
    await expect(read(pfx, 'x')).rejects.toThrow(/too many password iterations/)
  })
})
