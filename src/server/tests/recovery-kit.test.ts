import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { silentLogger, systemClock, systemRandom } from '#base'
import { openDatabase } from '#database'
import { Audit, BackupRepositories, rootKeyOf, Secrets, systemPrincipal } from '#engine'
import { localStorage } from '#storage'
import { openDataFolder } from '../data-folder.ts'
import { recoveryKitState, writeRecoveryKit } from '../recovery-kit.ts'

const contoso = { id: '0c0ffee0-1111-4222-8333-444444444444', name: 'contoso.example' }
let path: string
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'holdfast-kit-'))
})
afterEach(() => rm(path, { recursive: true }))

const data = (): string => join(path, 'data')

const atServer = async <Result>(work: (repositories: BackupRepositories) => Promise<Result>) => {
  const folder = await openDataFolder(data())
  await using database = await openDatabase(folder.database, systemClock)
  const rootKey = await rootKeyOf(folder.rootKey, { mayMake: true })
  const parts = { database, clock: systemClock, random: systemRandom, log: silentLogger }
  await using repositories = new BackupRepositories({
    ...{ ...parts, secrets: new Secrets({ rootKey, clock: systemClock }), reserved: [] },
    audit: new Audit({ database, clock: systemClock, rootKey }),
    openStorage: (place) => localStorage(place),
    scrypt: { N: 256, r: 1, p: 1 },
  })
  return await work(repositories)
}

it('a recovery kit is out of date when a folder was added, or has another password, and says so', async () => {
  const options = { dataFolder: data() }
  const reasons = async () => (await recoveryKitState(options)).reasons
  const id = await atServer(async (repositories) => {
    const made = await repositories.add(systemPrincipal, { name: 'Main', path: join(path, 'main') })
    await (await repositories.shards(made.id, contoso, { shardCount: 2 })).open(0)
    return made.id
  })
  expect(await reasons()).toEqual(['no recovery kit was written yet'])
  await writeRecoveryKit(options, join(path, 'kit'))
  expect(await reasons()).toEqual([])
  await atServer(async (repositories) => (await repositories.shards(id, contoso)).open(1))
  expect(await reasons()).toEqual([`${join(path, 'main')}/contoso.example~0c0ffee0/s01 is not in it`])
  await writeRecoveryKit(options, join(path, 'another'))
  expect(await reasons()).toEqual([])
  await atServer((repositories) => repositories.rotatePasswords(systemPrincipal, id))
  expect(await reasons()).toMatchObject(
    [/s00 has another password/, /s01 has another password/].map((told) => expect.stringMatching(told)),
  )
})
