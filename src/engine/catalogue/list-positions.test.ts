import { afterEach, describe, expect, it } from 'vitest'
import { seededRandom } from '#base'
import { createIndexes, openCacheFile, OPEN, type CacheDatabase } from './cache-file.ts'
import { ListPositions } from './list-positions.ts'

const ROWS = 103
const VERSION = 4

/** Rows in two folders, some with equal times, beside others that do not hold at the version. */
const filled = (): CacheDatabase => {
  const database = openCacheFile(':memory:')
  createIndexes(database)
  const insert = database.prepare(`INSERT INTO items VALUES (1, ?, ?, ?, ?, ?, 0, 0, ?, ?)`)
  const random = seededRandom(5)
  for (let n = 0; n < ROWS * 2; n += 1) {
    const [h, sort] = [random.bytes(1)[0]! * 1000 + n, random.bytes(1)[0]! % 40]
    const [from, to] = n % 2 === 0 ? [1, OPEN] : n % 4 === 1 ? [1, VERSION] : [VERSION + 1, OPEN]
    insert.run(h, n, from, to, (n >> 1) % 3 === 0 ? 2 : 1, -sort, n)
  }
  return database
}

describe('positions in a list', () => {
  let database: CacheDatabase
  afterEach(() => {
    database.close()
  })

  it.each([1, 2, 7, 20, 102, 103, 104, 500])(
    'give what an offset gives, wherever one looks first, with a step of %i',
    (step) => {
      database = filled()
      for (const parent of [undefined, 1, 2]) {
        const within = parent === undefined ? '' : 'AND parent = @parent'
        const where = `object = @object ${within} AND is_folder = 0 AND from_version <= @version AND to_version > @version`
        const parameters = { object: 1, version: VERSION, ...(parent === undefined ? {} : { parent }) }
        const all = database
          .prepare(`SELECT at FROM items WHERE ${where} ORDER BY sort, at`)
          .pluck()
          .all(parameters)
        const list = { where, parameters, total: all.length }
        for (const turn of [1, 2, 3, 4]) {
          const positions = new ListPositions(database, step)
          const random = seededRandom(turn)
          for (let look = 0; look < 40; look += 1) {
            const offset = random.bytes(1)[0]! % (all.length + 5)
            const limit = random.bytes(1)[0]! % 12
            expect(positions.page(list, { offset, limit })).toEqual(all.slice(offset, offset + limit))
          }
        }
      }
    },
  )

  it('are found anew after the lists have changed', () => {
    database = filled()
    const where = 'object = @object AND is_folder = 0 AND from_version <= @version AND to_version > @version'
    const parameters = { object: 1, version: VERSION }
    const positions = new ListPositions(database, 10)
    const before = positions.page({ where, parameters, total: ROWS }, { offset: 50, limit: 5 })
    database.exec('DELETE FROM items WHERE rowid IN (SELECT rowid FROM items ORDER BY sort, at LIMIT 30)')
    positions.clear()
    const total = database
      .prepare(`SELECT count(*) FROM items WHERE ${where}`)
      .pluck()
      .get(parameters) as number
    expect(total).toBeLessThan(ROWS)
    const page = { offset: 50 - (ROWS - total), limit: 5 }
    expect(positions.page({ where, parameters, total }, page)).toEqual(before)
  })
})
