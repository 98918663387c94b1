import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { Secret, seededRandom, silentLogger, systemClock } from '#base'
import { openDatabase } from '#database'
import { Audit, BackupRepositories, rootKeyFrom, Secrets, systemPrincipal } from '#engine'
import { localStorage } from '#storage'
import { restic } from './stock-restic.ts'

const contoso = { id: '0c0ffee0-1111-4222-8333-444444444444', name: 'contoso.example' }

it('stock restic opens a repository with its new password, and no longer with the earlier one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-rotated-'))
  await using cleaning = new AsyncDisposableStack()
  cleaning.defer(() => rm(folder, { recursive: true }))
  const clock = systemClock
  const database = cleaning.use(await openDatabase(':memory:', clock))
  const rootKey = rootKeyFrom(new Secret(Buffer.alloc(32, 7).toString('base64')))
  const secrets = new Secrets({ rootKey, clock })
  const audit = new Audit({ database, clock, rootKey })
  const repositories = cleaning.use(
    new BackupRepositories({
      ...{ database, secrets, audit, clock, random: seededRandom(3), log: silentLogger },
      openStorage: (path) => localStorage(path),
      reserved: [],
      scrypt: { N: 1024, r: 8, p: 1 },
    }),
  )
  const { id } = await repositories.add(systemPrincipal, { name: 'Main', path: join(folder, 'data') })
  await (await repositories.shards(id, contoso, { shardCount: 1 })).open(0)
  const kit = async () => (await repositories.recoveryKit(id)).shards[0]!
  const earlier = await kit()
  await repositories.rotatePasswords(systemPrincipal, id)
  const { path, password } = await kit()
  const check = (by: Secret) => restic(path, ['check'], { RESTIC_PASSWORD: by.reveal() })
  expect(await check(password)).toContain('no errors were found')
  await expect(check(earlier.password)).rejects.toThrow(/wrong password/)
})
