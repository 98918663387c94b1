import { expect, it } from 'vitest'
import { EventLoopLoad } from './load.ts'

it('takes one long step for no overload, but two in a row', () => {
  using load = new EventLoopLoad()
  load.sample(3_000)
  expect(load.isOverloaded).toBe(false)
  load.sample(700)
  expect(load).toMatchObject({ isOverloaded: true, lagMs: 700 })
  load.sample(2)
  expect(load.isOverloaded).toBe(false)
})
