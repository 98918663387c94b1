import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  runProgram,
  startServerProcess,
  startTenantProcess,
  type PracticeAddresses,
  type ServerAddress,
} from './living/processes.ts'

// What the README tells a newcomer to type works as it stands, but for the port.

const folder = mkdtempSync(join(tmpdir(), 'holdfast-readme-'))
const stops: (() => Promise<void>)[] = []
let tenant: PracticeAddresses
let server: ServerAddress

beforeAll(async () => {
  const startedTenant = await startTenantProcess(folder, '--users', '1', '--mails', '1', '--files', '1')
  stops.push(() => startedTenant.stop())
  tenant = startedTenant.ready
  const startedServer = await startServerProcess(folder, tenant)
  stops.push(() => startedServer.stop())
  server = startedServer.ready
}, 120_000)

afterAll(async () => {
  for (const stop of stops.reverse()) await stop()
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
})

/** The shell lines below “Try it by hand”. */
const linesOfReadme = (): string => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  const chapter = readme.split('## Try it by hand')[1] ?? ''
  const [, block] = /```sh\n(.*?)```/s.exec(chapter) ?? []
  if (block === undefined) throw new Error('the README has no lines to try')
  return block
}

/** The answers, one JSON value after the other. */
const typeThem = async (): Promise<string> => {
  const lines = linesOfReadme().replaceAll('https://localhost:4443', server.url)
  const { code, stdout, stderr } = await runProgram('bash', ['-euc', lines], {
    CA: server.caFile,
    USERNAME: server.userName,
    PASSWORD: server.firstPassword,
    ACCOUNT: tenant.exchangeAccount,
    APP_PASSWORD: tenant.exchangeAppPassword,
    APPLICATION_ID: tenant.applicationId,
    APPLICATION_SECRET: tenant.applicationSecret,
  })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout
}

describe('the lines of the README', () => {
  it('log in, list no organization and add one', async () => {
    const answers = await typeThem()
    expect(answers.startsWith('[]')).toBe(true)
    expect(JSON.parse(answers.slice(2))).toMatchObject({ type: 'Office365', officeName: tenant.domain })
  }, 30_000)

  it('typed again, list it and hear that it is there already', async () => {
    const answers = await typeThem()
    const end = answers.indexOf(']{') + 1
    expect(JSON.parse(answers.slice(0, end))).toMatchObject([{ officeName: tenant.domain }])
    expect(answers.slice(end)).toMatch(/already/)
  }, 30_000)
})
