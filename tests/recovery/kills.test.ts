import { expect, it } from 'vitest'
import { killAll } from './kills.ts'

const KILLS = 40
const SEED = 20261124

it(`${KILLS} kills of backups, retention, removals, copies and repairs lose nothing, and work goes on`, async () => {
  const { kills, killed, killedWhenDone, resumed } = await killAll({ kills: KILLS, seed: SEED })
  expect(kills).toBe(KILLS)
  for (const kind of ['backup', 'retention', 'removal', 'copy', 'repair'] as const)
    expect(killed[kind], kind).toBeGreaterThan(0)
  expect(killedWhenDone, 'kills when all was done').toBeLessThan(KILLS / 2)
  expect(resumed, 'readings that went on from a save point').toBeGreaterThan(KILLS / 4)
}, 600_000)
