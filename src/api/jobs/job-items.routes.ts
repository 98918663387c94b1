import { invalid } from '#base'
import type { JobItemList, Jobs } from '#engine'
import { Type } from 'typebox'
import { answersList, answersNothing, answersObject, cut, type Operation } from '../contract/operation.ts'
import { listOf } from '../contract/schema.ts'
import { administrator, administratorOrOwner } from '../edge/policies.ts'
import { itemInput, presentItem } from './job-items.ts'
import { JobItem } from './job.schema.ts'

const tag = 'Job'
const Ids = Type.Array(Type.String())
const IdsQuery = Type.Object({ ids: listOf(Type.String(), { description: 'Ids with commas between them.' }) })

/** What a job protects, and what it leaves out. */
export const jobItemOperations = (jobs: Jobs): readonly Operation[] => [
  ...itemsOf(jobs, 'selected', 'SelectedItems'),
  ...itemsOf(jobs, 'excluded', 'ExcludedItems'),
]

const itemsOf = (
  jobs: Jobs,
  list: JobItemList,
  name: 'SelectedItems' | 'ExcludedItems',
): readonly Operation[] => {
  const segment = name === 'SelectedItems' ? 'selecteditems' : 'excludeditems'
  const path = `/Jobs/{jobId}/${name}`
  return [
    answersList(
      JobItem,
      { pagedSince: 'v8' },
      {
        method: 'GET',
        path,
        tag,
        summary: `The ${list} items of a job`,
        access: administratorOrOwner,
        status: { v4: 200 },
        handle: async (call) => {
          const jobId = call.params['jobId'] ?? ''
          const items = await jobs.items(call.principal, jobId, list)
          return cut(
            items.map((item) => presentItem(jobId, segment, item, call)),
            call.window,
          )
        },
      },
    ),
    answersNothing({
      method: 'POST',
      path,
      tag,
      summary: `Adds ${list} items`,
      access: administrator,
      body: Type.Array(JobItem),
      status: { v4: 200, v6: 204 },
      handle: async (call) => {
        await jobs.addItems(call.principal, call.params['jobId'] ?? '', list, call.body.map(itemInput))
      },
    }),
    answersNothing({
      method: 'DELETE',
      path,
      tag,
      summary: `Removes ${list} items`,
      access: administrator,
      query: IdsQuery,
      body: Ids,
      status: { v4: 200, v5: 204 },
      handle: async (call) => {
        const ids = [...(call.query.ids ?? []), ...call.body]
        if (ids.length === 0) throw invalid('ids is missing', 'ids')
        await jobs.removeItems(call.principal, call.params['jobId'] ?? '', list, ids)
      },
    }),
    ...oneItem(jobs, list, segment, `${path}/{itemId}`),
  ]
}

const oneItem = (
  jobs: Jobs,
  list: JobItemList,
  segment: 'selecteditems' | 'excludeditems',
  path: string,
): readonly Operation[] => {
  const ids = ({ jobId = '', itemId = '' }: Readonly<Record<string, string>>) => ({ jobId, itemId })
  return [
    answersObject(JobItem, {
      method: 'GET',
      path,
      tag,
      summary: `One of the ${list} items`,
      access: administratorOrOwner,
      status: { v4: 200 },
      handle: async (call) => {
        const { jobId, itemId } = ids(call.params)
        return presentItem(jobId, segment, await jobs.item(call.principal, jobId, list, itemId), call)
      },
    }),
    answersNothing({
      method: 'PUT',
      path,
      tag,
      summary: `Changes one of the ${list} items`,
      access: administrator,
      body: JobItem,
      status: { v4: 200, v6: 204 },
      handle: async (call) => {
        const { jobId, itemId } = ids(call.params)
        await jobs.updateItem(call.principal, jobId, list, itemId, itemInput(call.body))
      },
    }),
    answersNothing({
      method: 'DELETE',
      path,
      tag,
      summary: `Removes one of the ${list} items`,
      access: administrator,
      status: { v4: 200, v5: 204 },
      handle: async (call) => {
        const { jobId, itemId } = ids(call.params)
        await jobs.removeItems(call.principal, jobId, list, [itemId])
      },
    }),
  ]
}
