import { openSync, writeSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { localStorage, type Storage } from '#storage'
import type { DeathAtCall } from './order.ts'

/** Opens folders that kill their process at one call, counted over all of them. */
export const deadlyStorages = (death: DeathAtCall | undefined): ((root: string) => Storage) => {
  let calls = 0
  const isDue = (call: 'read' | 'write' | 'remove'): boolean => {
    if (death?.call !== call && death?.call !== 'any') return false
    calls += 1
    return calls === death.number
  }
  return (root) => {
    const local = localStorage(root)
    if (death === undefined) return local
    return {
      ...local,
      name: local.name,
      read: (path, range, signal, into) => (isDue('read') ? die() : local.read(path, range, signal, into)),
      stat: (path, signal) => (isDue('read') ? die() : local.stat(path, signal)),
      list: (folder, signal) => (isDue('read') ? never() : local.list(folder, signal)),
      space: (signal) => local.space(signal),
      [Symbol.asyncDispose]: () => local[Symbol.asyncDispose](),
      write: async (path, parts, signal) => {
        if (!isDue('write')) return local.write(path, parts, signal)
        if (death.moment === 'half') await writeHalf(join(root, path), parts)
        if (death.moment === 'after') await local.write(path, parts, signal)
        return die()
      },
      remove: async (path, signal) => {
        if (!isDue('remove')) return local.remove(path, signal)
        if (death.moment === 'after') await local.remove(path, signal)
        return die()
      },
    }
  }
}

const writeHalf = async (target: string, parts: readonly Uint8Array[]): Promise<void> => {
  await mkdir(dirname(target), { recursive: true })
  const bytes = Buffer.concat(parts)
  writeSync(openSync(`${target}-tmp-0011223344556677`, 'w'), bytes.subarray(0, bytes.length >> 1))
}

export const die = (): Promise<never> => {
  process.kill(process.pid, 'SIGKILL')
  return new Promise(() => {})
}

async function* never(): AsyncGenerator<never> {
  yield await die()
}
