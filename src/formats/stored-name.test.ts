import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nameKey, storedName, uniqueName } from './stored-name.ts'

const anyName = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ unit: 'grapheme', maxLength: 80 }),
  fc.constantFrom(
    'con',
    'NUL.txt',
    '..',
    '.',
    '',
    'a/b',
    'x.',
    ' y ',
    'COM1 .log',
    '\u202Egpj.exe',
    'e\u0301.txt',
  ),
)

describe('storedName', () => {
  it('gives a name that no system refuses, whatever comes in', () => {
    fc.assert(
      fc.property(anyName, (name) => {
        const stored = storedName(name)
        expect(stored).not.toBe('')
        expect(Buffer.byteLength(stored)).toBeLessThanOrEqual(200)
        expect(stored).not.toMatch(/[/\\:*?"<>|\p{C}]/u)
        expect(stored).not.toMatch(/^\s|[. ]$/)
        expect(stored).not.toMatch(/^(con|prn|aux|nul|com\d|lpt\d) *(\.|$)/i)
        expect(stored).toBe(stored.normalize('NFC'))
      }),
    )
  })

  it('leaves its own results as they are', () => {
    fc.assert(fc.property(anyName, (name) => storedName(storedName(name)) === storedName(name)))
  })

  it.each([
    ['Report 2026.docx', 'Report 2026.docx'],
    ['Ünïcode – 日本語.txt', 'Ünïcode – 日本語.txt'],
    ['a/b:c.txt', 'a_b_c.txt'],
    ['..', '_'],
    ['con.txt', '_con.txt'],
    ['invoice\u202Efdp.exe', 'invoicefdp.exe'],
    ['tab\there', 'tab here'],
    ['e\u0301', 'é'],
  ])('turns %j into %j', (name, stored) => {
    expect(storedName(name)).toBe(stored)
  })

  it('keeps the extension of a long name', () => {
    expect(storedName(`${'ж'.repeat(300)}.pdf`)).toMatch(/ж\.pdf$/)
  })
})

describe('uniqueName', () => {
  it('numbers names that differ by case or normal form alone', () => {
    const taken = new Set<string>()
    const names = ['Plan.txt', 'plan.TXT', 'PLAN.txt', 'é', 'e\u0301'].map((name) => {
      const unique = uniqueName(storedName(name), (key) => taken.has(key))
      taken.add(nameKey(unique))
      return unique
    })
    expect(names).toEqual(['Plan.txt', 'plan~2.TXT', 'PLAN~3.txt', 'é', 'é~2'])
  })

  it('stays within the length for long names', () => {
    const long = storedName('x'.repeat(400))
    const second = uniqueName(long, (key) => key === nameKey(long))
    expect(Buffer.byteLength(second)).toBeLessThanOrEqual(200)
    expect(second).toMatch(/~2$/)
  })
})
