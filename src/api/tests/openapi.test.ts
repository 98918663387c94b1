import { describe, expect, it } from 'vitest'
import { operationsOf, type ApiParts } from '../build-api.ts'
import { openApiFor } from '../contract/openapi.ts'
import { VERSIONS } from '../contract/versions.ts'

const operations = operationsOf({ engine: {}, service: {} } as unknown as ApiParts)

describe.each(VERSIONS)('the OpenAPI document of %s', (version) => {
  const document = openApiFor(version, operations)

  // A change to an old version has to show in review: `npx vitest run src/api/tests/openapi -u` writes the files anew.
  it('is the one that was reviewed', async () => {
    await expect(`${JSON.stringify(document, null, 1)}\n`).toMatchFileSnapshot(`golden/${version}.json`)
  })

  it('names every operation once, and every component that it speaks of', () => {
    const text = JSON.stringify(document)
    const components = (document['components'] as { schemas: object }).schemas
    const wanted = [...text.matchAll(/#\/components\/schemas\/(\w+)/g)].map(([, name]) => name!)
    expect(wanted.filter((name) => !(name in components))).toEqual([])
    const ids = [...text.matchAll(/"operationId":"(\w+)"/g)].map(([, id]) => id)
    expect(new Set(ids).size).toBe(ids.length)
  })
})
