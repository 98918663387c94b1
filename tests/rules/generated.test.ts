import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { clientSource, GENERATED } from '../../scripts/generate-client.ts'

it('has a client that fits the newest OpenAPI document: node scripts/generate-client.ts', () => {
  expect(readFileSync(GENERATED, 'utf8')).toBe(clientSource())
})

it('tells in docs/status.md which operations are not built: node scripts/api-status.ts', () => {
  expect(() => execFileSync(process.execPath, ['scripts/api-status.ts', '--check'])).not.toThrow()
})
