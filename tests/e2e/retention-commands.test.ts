import { startWorld, type World } from '#world'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { runProgram } from './living/processes.ts'

// The commands about what is kept, as an administrator types them.

let world: World
let env: Readonly<Record<string, string>>
let person: string

beforeAll(async () => {
  world = await startWorld({ users: 4, mails: 2, files: 2 })
  await world.addOrganization()
  env = {
    HOLDFAST_URL: world.server.url,
    HOLDFAST_CA: world.server.caFile,
    HOLDFAST_PASSWORD: world.password,
  }
  person = [...world.tenant.state.users()][3]!.userPrincipalName
}, 60_000)
afterAll(async () => {
  await world[Symbol.asyncDispose]()
})

const cli = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await runProgram('bin/holdfast', args, env)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout
}
const organization = async (): Promise<string> =>
  (JSON.parse(await cli('organizations', 'list', '--json')) as { name: string }[])[0]!.name
const REPOSITORY = 'Default Backup Repository'

it('shows what would go, cleans up, and tells what happened', async () => {
  expect(await cli('retention', 'preview', REPOSITORY, '--all')).toMatch(
    /keeps everything, for ever[^]*No restore/,
  )
  expect(await cli('retention', 'run', REPOSITORY)).toMatch(/^Success|^Warning/)
  expect(JSON.parse(await cli('retention', 'runs', REPOSITORY, '--json'))).toMatchObject([
    { initiatedBy: 'administrator', removedPoints: 0 },
  ])
})

it('holds a person by address, and releases the hold', async () => {
  await cli('holds', 'set', await organization(), person, '--reason', 'case 7')
  const [hold] = JSON.parse(await cli('holds', 'list', '--json')) as { id: string; name: string }[]
  expect(hold!.name).toBe(person)
  expect(await cli('holds', 'release', hold!.id, '--reason', 'closed')).toContain('is released')
  expect(await cli('holds', 'list')).toContain('There is no legal hold.')
})

it('asks for the person to be typed twice before a removal', async () => {
  const args = ['removals', 'remove', await organization(), person, '--confirm', 'somebody else']
  const { code, stderr } = await runProgram('bin/holdfast', args, env)
  expect(code).not.toBe(0)
  expect(stderr).toContain('has to repeat the user')
})
