import { describe, expect, it } from 'vitest'
import { FixedClock } from '#base'
import { memoryStorage, type Storage } from '#storage'
import { initRepository, openRepository } from './repository.ts'
import { TEST_OPTIONS } from './tests/fixtures.ts'

const opens = async (storage: Storage, password: string): Promise<boolean> => {
  try {
    await using _repository = await openRepository(storage, { ...TEST_OPTIONS, password })
    return true
  } catch {
    return false
  }
}

describe('the keys of a repository', () => {
  it('are listed with who made them and when, and without a secret', async () => {
    const storage = memoryStorage()
    const clock = new FixedClock(new Date('2026-03-01T10:00:00Z'))
    await using repository = await initRepository(storage, { ...TEST_OPTIONS, clock })
    const [only] = await repository.keys()
    expect(only).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{64}$/),
      createdAt: new Date('2026-03-01T10:00:00Z'),
      username: 'tester',
      hostname: 'test-host',
      isCurrent: true,
    })
    const second = await repository.addKey('second')
    await storage.write(`keys/${'0'.repeat(64)}`, [Buffer.from('no key')])
    const ids = (await repository.keys()).map(({ id }) => id).sort()
    expect(ids).toEqual([only!.id, second].sort())
  })

  it('are added and removed, but never the one in use nor one that is not there', async () => {
    const storage = memoryStorage()
    await using repository = await initRepository(storage, TEST_OPTIONS)
    const [current] = await repository.keys()
    await expect(repository.removeKey(current!.id)).rejects.toMatchObject({ code: 'conflict' })
    const second = await repository.addKey('second')
    expect(await opens(storage, 'second')).toBe(true)
    await repository.removeKey(second)
    expect(await opens(storage, 'second')).toBe(false)
    await expect(repository.removeKey(second)).rejects.toMatchObject({ code: 'not-found' })
    await expect(repository.removeKey('../config')).rejects.toMatchObject({ code: 'not-found' })
  })

  it('keep the last one when another process removed the one in use', async () => {
    const storage = memoryStorage()
    await using repository = await initRepository(storage, TEST_OPTIONS)
    const [current] = await repository.keys()
    const second = await repository.addKey('second')
    await using other = await openRepository(storage, { ...TEST_OPTIONS, password: 'second' })
    await other.removeKey(current!.id)
    await expect(repository.removeKey(second)).rejects.toMatchObject({ code: 'conflict' })
    expect(await opens(storage, 'second')).toBe(true)
  })

  it('change the password, also when the process dies between the new key and the old', async () => {
    const inner = memoryStorage()
    let isDead = false
    const storage: Storage = {
      ...forwardTo(inner),
      remove: async (path) => {
        if (isDead) throw new Error('killed')
        await inner.remove(path)
      },
    }
    await using repository = await initRepository(storage, TEST_OPTIONS)
    isDead = true
    await expect(repository.changePassword('new')).rejects.toThrow('killed')
    expect([await opens(inner, TEST_OPTIONS.password), await opens(inner, 'new')]).toEqual([true, true])
    isDead = false
    await using again = await openRepository(inner, TEST_OPTIONS)
    await again.changePassword('newest')
    expect([await opens(inner, TEST_OPTIONS.password), await opens(inner, 'newest')]).toEqual([false, true])
    const current = (await again.keys()).filter(({ isCurrent }) => isCurrent)
    expect(current).toHaveLength(1)
  })

  it('are not added twice for a password that opens one already', async () => {
    const storage = memoryStorage()
    await using repository = await initRepository(storage, TEST_OPTIONS)
    const added = await repository.addKey('second')
    expect([await repository.keepPassword('second'), await repository.keepPassword('second')]).toEqual([
      added,
      added,
    ])
    const keys = await repository.keys()
    expect(keys.map(({ id, isCurrent }) => [id === added, isCurrent])).toEqual(
      expect.arrayContaining([
        [true, true],
        [false, false],
      ]),
    )
    expect(keys).toHaveLength(2)
  })

  it('go with every key of a password, but never with that of the one in use', async () => {
    const storage = memoryStorage()
    await using repository = await initRepository(storage, TEST_OPTIONS)
    await repository.addKey(TEST_OPTIONS.password)
    await storage.write(`keys/${'0'.repeat(64)}`, [Buffer.from('no key')])
    await expect(repository.removePassword(TEST_OPTIONS.password)).rejects.toMatchObject({ code: 'conflict' })
    expect(await repository.keys()).toHaveLength(2)
    await repository.keepPassword('second')
    expect(await repository.removePassword(TEST_OPTIONS.password)).toBe(2)
    expect(await repository.removePassword(TEST_OPTIONS.password)).toBe(0)
    expect([await opens(storage, TEST_OPTIONS.password), await opens(storage, 'second')]).toEqual([
      false,
      true,
    ])
  })

  it('are not changed where the storage gives back something else than was written', async () => {
    const inner = memoryStorage()
    let isBad = false
    const storage: Storage = {
      ...forwardTo(inner),
      read: async (path, range, signal) => {
        const bytes = await inner.read(path, range, signal)
        return isBad ? Buffer.from(Buffer.from(bytes).toString().replace('"salt":"', '"salt":"AAAA')) : bytes
      },
    }
    await using repository = await initRepository(storage, TEST_OPTIONS)
    isBad = true
    await expect(repository.changePassword('new')).rejects.toMatchObject({ code: 'corrupt' })
    isBad = false
    expect(await opens(inner, TEST_OPTIONS.password)).toBe(true)
  })
})

const forwardTo = (storage: Storage): Storage => ({
  name: storage.name,
  write: (path, parts, signal) => storage.write(path, parts, signal),
  read: (path, range, signal) => storage.read(path, range, signal),
  stat: (path, signal) => storage.stat(path, signal),
  list: (folder, signal) => storage.list(folder, signal),
  remove: (path, signal) => storage.remove(path, signal),
  space: (signal) => storage.space(signal),
  [Symbol.asyncDispose]: () => storage[Symbol.asyncDispose](),
})
