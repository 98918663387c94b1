import type { JobItem, JobItemInput } from '#engine'
import type { Static } from 'typebox'
import type { Call } from '../contract/operation.ts'
import { fromWireId, toWireId } from '../organizations/directory-ids.ts'
import type { JobItem as JobItemSchema } from './job.schema.ts'

type Body = Static<typeof JobItemSchema>

/** `site` of v4 and v5 means another flag in each type of item. */
const FLAG_OF_TYPE: Readonly<Partial<Record<string, 'personalSite' | 'groupSite' | 'sites'>>> = {
  User: 'personalSite',
  Group: 'groupSite',
  PartialOrganization: 'sites',
}

const siteInput = ({ type, siteOrFlag }: Body): JobItemInput => {
  if (siteOrFlag === undefined) return {}
  if (typeof siteOrFlag === 'object') return { site: siteOrFlag as NonNullable<JobItem['site']> }
  const flag = FLAG_OF_TYPE[type]
  return flag === undefined ? {} : { [flag]: siteOrFlag }
}

/** The ids of users and groups become the directory's own. */
export const itemInput = (body: Body): JobItemInput => {
  const { user, group, siteOrFlag: _, site, team, _links, id: _id, ...flags } = body
  return {
    ...flags,
    ...siteInput(body),
    ...(user === undefined ? {} : { user: { ...user, id: fromWireId(user.id ?? '') } }),
    ...(group === undefined ? {} : { group: { ...group, id: fromWireId(group.id ?? '') } }),
    ...(site === undefined ? {} : { site: { ...site, id: site.id ?? '' } }),
    ...(team === undefined ? {} : { team: { ...team, id: team.id ?? '' } }),
  }
}

const presentSite = (item: JobItem) => {
  const flag = FLAG_OF_TYPE[item.type]
  return item.type === 'Site' ? item.site : flag === undefined ? undefined : item[flag]
}

export const presentItem = (
  jobId: string,
  list: 'selecteditems' | 'excludeditems',
  item: JobItem,
  { link }: Pick<Call, 'link'>,
) => ({
  ...item,
  siteOrFlag: presentSite(item),
  user: item.user === undefined ? undefined : { ...item.user, id: toWireId(item.user.id) },
  group: item.group === undefined ? undefined : { ...item.group, id: toWireId(item.group.id) },
  _links: { self: link(`/jobs/${jobId}/${list}/${item.id}`), job: link(`/jobs/${jobId}`) },
})
