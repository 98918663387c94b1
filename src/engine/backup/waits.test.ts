import { describe, expect, it } from 'vitest'
import { FixedClock } from '#base'
import type { FilePart } from '#repository'
import { Waits } from './waits.ts'

describe('the waits of a run', () => {
  const begin = () => {
    const sums = { sourceWaitMs: 0, targetWaitMs: 0 }
    const clock = new FixedClock(0)
    const waits = new Waits(clock, (amounts) => {
      sums.sourceWaitMs += amounts.sourceWaitMs ?? 0
      sums.targetWaitMs += amounts.targetWaitMs ?? 0
    })
    return { sums, clock, waits }
  }

  it('are the service’s while an answer is not there, also when it fails', async () => {
    const { sums, clock, waits } = begin()
    const slow = async (): Promise<never> => {
      await Promise.resolve()
      clock.advance(40)
      throw new Error('no')
    }
    await expect(waits.forSource(slow())).rejects.toThrow('no')
    expect(sums).toEqual({ sourceWaitMs: 40, targetWaitMs: 0 })
  })

  it('are parted while a file is saved: its bytes are the service’s, the rest is the storage’s', async () => {
    const { sums, clock, waits } = begin()
    const content = async function* (): AsyncGenerator<Uint8Array> {
      clock.advance(30)
      yield await Promise.resolve(Buffer.from('abc'))
      clock.advance(5)
    }
    const read: string[] = []
    const saving = waits.saving({
      saveFile: async (parts: Iterable<FilePart> | AsyncIterable<FilePart>) => {
        for await (const part of parts)
          for await (const piece of part instanceof Uint8Array ? [part] : part)
            read.push(Buffer.from(piece).toString())
        clock.advance(7)
        return { content: [], sizeBytes: 3, newBytes: 3 }
      },
    })
    await saving.saveFile([content(), Buffer.from('def')])
    expect(read).toEqual(['abc', 'def'])
    expect(sums).toEqual({ sourceWaitMs: 35, targetWaitMs: 7 })
  })
})
