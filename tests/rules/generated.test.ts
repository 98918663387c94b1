import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { clientSource, GENERATED } from '../../scripts/generate-client.ts'

it('has a client that fits the newest OpenAPI document: node scripts/generate-client.ts', () => {
  expect(readFileSync(GENERATED, 'utf8')).toBe(clientSource())
})
