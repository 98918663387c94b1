import { beforeAll, describe, expect, it } from 'vitest'
import { messageOf, seededRandom, type Random } from '#base'
import { faulty, retrying, type Storage } from '#storage'
import { clock, keepWorkers } from '../../src/engine/backup/tests/backup-world.ts'
import { EngineLife, type Ending } from './engine-life.ts'

// Five storage calls in a hundred fail in a life of sessions of every kind, in four shards. More lives:
// `HOLDFAST_EVERY_CALL=1 npx vitest run tests/recovery/shaky-storage.test.ts`.
const RATE = 0.05
const LIVES = process.env['HOLDFAST_EVERY_CALL'] === undefined ? 1 : 10
const SEEDS = Array.from({ length: LIVES }, (_, at) => at + 1)
const USERS = ['ada', 'ben', 'cleo', 'dora'] as const

keepWorkers()

interface Step {
  readonly told: string
  readonly prepare?: (life: EngineLife) => Promise<void>
  readonly work: (life: EngineLife) => Promise<Ending>
}

const change = (life: EngineLife, round: number): void => {
  for (const user of USERS) {
    const mailbox = life.backup.mailboxes.get(user) ?? life.backup.mailbox(user).folder('in', 'Inbox')
    for (const number of [1, 2, 3]) mailbox.put(`${user}-${round}-${number}`, 'in')
    const drive = life.backup.drives.get(user) ?? life.backup.drive(user).folder('d', 'Docs')
    drive.file(`${user}-${round}`, `file ${round}`, 'd', `${user} ${round} `.repeat(900))
  }
}

const backup = (round: number): Step => ({
  told: `backup ${round}`,
  prepare: async (life) => {
    await life.passDay()
    change(life, round)
  },
  work: (life) => life.backUp(),
})

const STEPS: readonly Step[] = [
  backup(1),
  backup(2),
  { told: 'copy', prepare: (life) => life.addCopy(), work: (life) => life.copy() },
  {
    told: 'verification of what is damaged',
    prepare: (life) => life.lose(),
    work: (life) => life.lookAfter('Verification', { data: 'all' }),
  },
  { told: 'repair', work: (life) => life.lookAfter('Repair', { data: 'all' }) },
  { told: 'verification', work: (life) => life.lookAfter('Verification', { data: 'all' }) },
  backup(3),
  { told: 'removal', work: (life) => life.removePerson('ben') },
  backup(4),
  { told: 'retention', work: (life) => life.retain() },
  { told: 'copy', work: (life) => life.copy() },
  { told: 'restore test', work: (life) => life.lookAfter('RestoreTest', { itemsPerObject: 2, seed: 7 }) },
]

const SAID = /did not answer|nothing is pruned/

/** Faults that can be switched off, drawn anew for each shard. */
class Faults {
  isOn = true
  hits = 0
  readonly #random: Random

  constructor(seed: number) {
    this.#random = seededRandom(seed)
  }

  before(storage: Storage): Storage {
    const fraction = (): number => {
      const drawn = this.isOn ? this.#random.fraction() : 1
      if (drawn < RATE / 2) this.hits += 1
      return drawn
    }
    return faulty(storage, { random: { ...this.#random, fraction }, rate: RATE })
  }

  async without<Result>(work: () => Promise<Result>): Promise<Result> {
    const before = this.isOn
    this.isOn = false
    try {
      return await work()
    } finally {
      this.isOn = before
    }
  }
}

const attempt = (step: Step, life: EngineLife): Promise<Ending> =>
  step.work(life).catch((error: unknown) => ({ status: 'Failed', details: messageOf(error) }))

interface Disturbance {
  readonly faults: Faults
  readonly isRepeating: boolean
  /** How the steps are to end: one that ends otherwise is done once more, without faults. */
  readonly expected?: readonly string[]
}

/** How each step ended, and what is stored then. */
const live = async ({ faults, isRepeating, expected }: Disturbance) => {
  const random = seededRandom(3)
  const wrap = (storage: Storage): Storage =>
    isRepeating ? retrying(faults.before(storage), { clock, random }) : faults.before(storage)
  await using life = await faults.without(() => EngineLife.start(wrap))
  const endings: string[] = []
  const failures: Ending[] = []
  for (const [at, step] of STEPS.entries()) {
    await step.prepare?.(life)
    let ending = await attempt(step, life)
    if (expected !== undefined && told(step, ending) !== expected[at]) {
      failures.push(ending)
      ending = await faults.without(() => attempt(step, life))
    }
    endings.push(told(step, ending))
  }
  return { endings, failures, contents: await faults.without(() => life.contents()) }
}

const told = (step: Step, { status, details = '' }: Ending): string =>
  `${step.told}: ${status} ${status === 'Failed' ? details : ''}`

let undisturbed: Awaited<ReturnType<typeof live>>
beforeAll(async () => {
  const faults = new Faults(0)
  undisturbed = await faults.without(() => live({ faults, isRepeating: false }))
  expect(undisturbed.endings.join()).not.toContain('Failed')
}, 60_000)

describe('while five storage calls in a hundred fail', () => {
  it.each(SEEDS)(
    'sessions, copies, repairs, verifications and removals end as if none did, where calls are repeated (life %i)',
    async (seed) => {
      const faults = new Faults(seed)
      const { endings, contents } = await live({ faults, isRepeating: true })
      expect(faults.hits).toBeGreaterThan(20)
      expect(endings).toEqual(undisturbed.endings)
      expect(contents).toEqual(undisturbed.contents)
    },
    60_000,
  )

  it.each(SEEDS)(
    'each of them costs a repetition at most, where they are not (life %i)',
    async (seed) => {
      const { endings: expected } = undisturbed
      const shaky = { faults: new Faults(100 + seed), isRepeating: false, expected }
      const { endings, failures, contents } = await live(shaky)
      expect(failures.length).toBeGreaterThan(3)
      for (const { status, details } of failures) if (status === 'Failed') expect(details).toMatch(SAID)
      expect(endings).toEqual(undisturbed.endings)
      expect(contents).toEqual(undisturbed.contents)
    },
    60_000,
  )
})
