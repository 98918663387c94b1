import { cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { Secret, seededRandom, silentLogger, systemClock } from '#base'
import { openDatabase } from '#database'
import {
  Audit,
  BackupRepositories,
  ReencryptionRunner,
  Reencryptions,
  RepositoryGate,
  rootKeyFrom,
  Secrets,
  systemPrincipal,
  TableTaskQueue,
} from '#engine'
import { localStorage } from '#storage'
import { restic } from './stock-restic.ts'

const contoso = { id: '0c0ffee0-1111-4222-8333-444444444444', name: 'contoso.example' }

it('stock restic checks and restores what has a new master key, and what opened the earlier one opens nothing', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-new-key-'))
  await using cleaning = new AsyncDisposableStack()
  cleaning.defer(() => rm(folder, { recursive: true }))
  const [clock, random, log] = [systemClock, seededRandom(3), silentLogger]
  const database = cleaning.use(await openDatabase(':memory:', clock))
  const rootKey = rootKeyFrom(new Secret(Buffer.alloc(32, 7).toString('base64')))
  const parts = { database, clock, random, log, audit: new Audit({ database, clock, rootKey }) }
  const repositories = cleaning.use(
    new BackupRepositories({
      ...parts,
      secrets: new Secrets({ rootKey, clock }),
      openStorage: (path) => localStorage(path),
      reserved: [],
      scrypt: { N: 1024, r: 8, p: 1 },
    }),
  )
  const tasks = new TableTaskQueue(parts)
  const runner = cleaning.use(
    new ReencryptionRunner({
      ...{ ...parts, tasks, repositories, gate: new RepositoryGate(clock) },
      isRestoring: async () => Promise.resolve(false),
      lookAgain: async () => Promise.resolve(),
    }),
  )
  const { id } = await repositories.add(systemPrincipal, { name: 'Main', path: join(folder, 'data') })
  const shard = await (await repositories.shards(id, contoso, { shardCount: 1 })).open(0)
  const kit = async () => {
    const { path, password } = (await repositories.recoveryKit(id)).shards[0]!
    return { path, by: { RESTIC_PASSWORD: password.reveal() } }
  }
  const earlier = await kit()
  const source = join(folder, 'source')
  await cp('docs', source, { recursive: true })
  await restic(earlier.path, ['backup', '--tag', 'holdfast', source], earlier.by)
  await shard.refresh()
  const kept = join(folder, 'kept')
  await cp(join(earlier.path, 'keys'), kept, { recursive: true })

  await new Reencryptions({ ...parts, tasks, runner }).start(systemPrincipal, id)
  await runner.drain()

  const { path, by } = await kit()
  expect(path).not.toBe(earlier.path)
  expect(await restic(path, ['check', '--read-data'], by)).toContain('no errors were found')
  const target = join(folder, 'restored')
  await restic(path, ['restore', 'latest', '--tag', 'holdfast', '--target', target], by)
  expect(await readdir(join(target, source))).toEqual(await readdir(source))
  // The key of before, laid beside the new one, opens none of the files.
  await cp(kept, join(path, 'keys'), { recursive: true })
  await expect(restic(path, ['snapshots'], earlier.by)).rejects.toThrow(
    /wrong password|verification failed|config/,
  )
  await expect(restic(earlier.path, ['snapshots'], earlier.by)).rejects.toThrow(/config/)
})
