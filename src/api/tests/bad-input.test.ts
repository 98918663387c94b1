import { startWorld, type World } from '#world'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { operationsOf, type ApiParts } from '../build-api.ts'
import type { Operation } from '../contract/operation.ts'
import { isAlive, VERSIONS } from '../contract/versions.ts'

// Every route of every version, called by an administrator with what no program should send.

const operations = operationsOf({ engine: {}, service: {} } as unknown as ApiParts)
const nowhere = '9d1c3a52-6f0b-4a8e-9c77-2f5d10e4b6aa'

const BODIES = [
  '',
  'null',
  '[]',
  '"text"',
  '{',
  '{"__proto__":{"isAdmin":true}}',
  '{"constructor":"constructor","type":"constructor","region":"__proto__"}',
  '{"name":{"a":1},"type":[],"items":"x","documents":{},"selectedItems":7,"schedulePolicy":"daily"}',
  '{"id":-1,"limit":1e99,"dateTime":"31.02.2026","backupType":true,"path":"\\u0000/etc"}',
  `{"deep":${'['.repeat(200)}${']'.repeat(200)}}`,
  '{"start":null,"stop":null}',
  '{"explore":{"type":"constructor"}}',
]
const QUERIES = [
  '?limit=-1',
  '?limit=abc&offset=1e9',
  '?offset=-5&parentId=%00',
  '?setId=../../etc/passwd&limit=99999999999',
]
const ID_LIKE = [nowhere, 'constructor', '%2e%2e%2f', "'; DROP TABLE jobs; --"]

let world: World
beforeAll(async () => {
  world = await startWorld({ users: 1, mails: 1, files: 1 })
  await world.addOrganization('v4')
})
afterAll(async () => {
  await world[Symbol.asyncDispose]()
})

const addressesOf = ({ path }: Operation): string[] =>
  path.includes('{') ? ID_LIKE.map((id) => path.replaceAll(/\{\w+\}/g, encodeURIComponent(id))) : [path]

/** A restore session that is not there answers 500 with these words, as programs expect. */
const isFault = (status: number, text: string): boolean =>
  status >= 500 && status !== 501 && !text.includes('there is no such restore session')

const callsOf = (operation: Operation): { path: string; body?: string }[] => {
  const addresses = addressesOf(operation)
  const [first = ''] = addresses
  if (operation.method === 'GET' || operation.method === 'DELETE')
    return [...addresses, ...QUERIES.map((query) => `${first}${query}`)].map((path) => ({ path }))
  return [
    ...addresses.map((path) => ({ path, body: '{}' })),
    ...BODIES.map((body) => ({ path: first, body })),
  ]
}

describe.each(VERSIONS)('bad input at %s', (version) => {
  it('is never our fault, on no route', async () => {
    const faults: string[] = []
    let calls = 0
    const wanted = operations.filter((operation) => isAlive(version, operation) && operation.isLogin !== true)
    for (const operation of wanted.filter(({ path }) => path !== '/token/logout'))
      for (const { path, body } of callsOf(operation)) {
        const answer = await world.api(version).send(path, {
          method: operation.method,
          ...(body === undefined ? {} : { body, headers: { 'content-type': 'application/json' } }),
        })
        calls += 1
        const text = answer.text
        if (isFault(answer.status, text))
          faults.push(`${operation.method} ${path} ${body}: ${answer.status} ${text}`)
      }
    expect(faults).toEqual([])
    expect(calls).toBeGreaterThan(500)
  })
})
