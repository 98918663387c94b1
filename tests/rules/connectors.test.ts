import { describe, expectTypeOf, it } from 'vitest'
import type { Connectors } from '#engine'
import type { microsoft365 } from '#m365'

describe('layers that know nothing of each other', () => {
  it('m365 gives what the engine asks for', () => {
    expectTypeOf<ReturnType<typeof microsoft365>>().toExtend<Connectors>()
  })
})
