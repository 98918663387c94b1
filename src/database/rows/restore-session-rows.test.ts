import { expect, it } from 'vitest'
import { FixedClock } from '#base'
import { openDatabase } from '../open-database.ts'
import { restoreSessionRows } from './restore-session-rows.ts'

const day = (number: number): Date => new Date(Date.UTC(2026, 2, number))

it('counts and gives the restore sessions between two moments alone', async () => {
  await using database = await openDatabase(':memory:', new FixedClock('2026-03-01T00:00:00Z'))
  for (const number of [1, 2, 3, 4])
    await restoreSessionRows.insert(database.queries, {
      id: `s${number}`,
      organizationId: 'o',
      repositoryId: '',
      type: 'Vex',
      name: 'n',
      state: number === 4 ? 'Working' : 'Stopped',
      result: 'Success',
      initiatedBy: 'a',
      creationTime: day(number),
      ...(number === 4 ? {} : { endTime: day(number + 1) }),
      properties: {},
    })
  const ids = async (filter: object): Promise<[string[], number]> => {
    const { items, totalCount } = await restoreSessionRows.list(database.queries, filter)
    return [items.map(({ id }) => id), totalCount]
  }
  expect(await ids({ startedFrom: day(2), startedTo: day(3) })).toEqual([['s3', 's2'], 2])
  expect(await ids({ endedFrom: day(3) })).toEqual([['s3', 's2'], 2])
  expect(await ids({ startedFrom: day(2), limit: 1, offset: 1 })).toEqual([['s3'], 3])
})
