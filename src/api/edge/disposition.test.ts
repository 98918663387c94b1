import { expect, it } from 'vitest'
import { disposition } from './disposition.ts'

it('has the name twice: for old clients, and as it is', () => {
  expect(disposition('Übersicht (1).eml')).toBe(
    `attachment; filename="_bersicht (1).eml"; filename*=UTF-8''%C3%9Cbersicht%20%281%29.eml`,
  )
})

it.each([
  ['a quote that would end the name', 'a".html'],
  ['a line break that would begin another header', 'a\r\nSet-Cookie: b=c'],
  ['folders', '../../etc/passwd'],
  ['folders of Windows', '..\\..\\autoexec.bat'],
  ['text that runs backwards', 'invoice\u202efdp.exe'],
  ['half a character', 'a\ud800b'],
  ['a NUL', 'a\0.txt'],
])('lets nothing out of the name: %s', (_what, name) => {
  const header = disposition(name)
  expect(header).toMatch(/^attachment; filename="[\x20-\x21\x23-\x7e]*"; filename\*=UTF-8''[\w.~!$&+^`|%-]*$/)
  expect(decodeURIComponent(header.split("''")[1]!)).not.toMatch(/[\\/\p{Cc}\u202e]/u)
})
