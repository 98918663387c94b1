import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  .map((name) => ({ name, text: readFileSync(`src/${name}`, 'utf8') }))

it('lets no layer but server and cli read the environment', () => {
  const readers = sources.filter(({ text }) => text.includes('process.env')).map(({ name }) => name)
  expect(readers.filter((name) => !name.startsWith('server/') && !name.startsWith('cli/'))).toEqual([])
})

it('never switches certificate checks off', () => {
  const offenders = sources
    .filter(({ text }) => /rejectUnauthorized\s*:\s*false/.test(text))
    .map(({ name }) => name)
  expect(offenders).toEqual([])
})
