/** Works on each value, so many at a time, and stops at the first failure, when those under way have ended. */
export const eachOf = async <Value>(
  values: Iterable<Value> | AsyncIterable<Value>,
  concurrency: number,
  work: (value: Value) => Promise<void>,
): Promise<void> => {
  const iterator = Symbol.asyncIterator in values ? values[Symbol.asyncIterator]() : values[Symbol.iterator]()
  let ended = false
  const worker = async (): Promise<void> => {
    while (!ended) {
      const next = await iterator.next()
      if (next.done === true) break
      await work(next.value)
    }
    ended = true
  }
  const outcomes = await Promise.allSettled(
    Array.from({ length: concurrency }, () =>
      worker().catch((error: unknown) => {
        ended = true
        throw error
      }),
    ),
  )
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
}
