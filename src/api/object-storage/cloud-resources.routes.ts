import type { CloudResource, CloudResources, ServiceInput } from '#engine'
import { Type, type TObject, type TSchema } from 'typebox'
import { answersList, answersObject, cut, type Call, type Operation } from '../contract/operation.ts'
import { flag, object, oneOf, text, uuid } from '../contract/schema.ts'
import { administrator } from '../edge/policies.ts'
import {
  AZURE_REGION_TYPES,
  AzureContainer,
  S3_REGION_TYPES,
  S3Bucket,
  S3CompatibleBucket,
  StorageFolder,
} from './object-storage.schema.ts'

const access = administrator
const NewFolder = object('NewStorageFolder', { name: text() })

interface Family {
  readonly of: ServiceInput['of']
  readonly tag: string
  /** `/S3Resources/buckets`. */
  readonly root: string
  readonly parameter: string
  readonly schema: TSchema
  readonly what: string
  /** What says where the account is served. */
  readonly query: TObject['properties']
  /** Narrows the list of buckets. */
  readonly listQuery?: TObject['properties']
}

const name = text({ description: 'This one alone.' })
const FAMILIES: readonly Family[] = [
  {
    of: 'amazon',
    tag: 'AmazonS3ObjectStorage',
    root: '/S3Resources/buckets',
    parameter: 'bucketName',
    schema: S3Bucket,
    what: 'bucket',
    query: { accountId: uuid(), regionType: oneOf(S3_REGION_TYPES) },
    listQuery: { regionId: text() },
  },
  {
    of: 'compatible',
    tag: 'AmazonS3CompatibleObjectStorage',
    root: '/S3CompatibleResources/buckets',
    parameter: 'bucketName',
    schema: S3CompatibleBucket,
    what: 'bucket',
    query: {
      accountId: uuid(),
      servicePoint: text(),
      customRegionId: text(),
      trustedServerCertificateThumbprint: text({ since: 'v8' }),
      trustServerCertificate: flag({ since: 'v8' }),
    },
  },
  {
    of: 'azure',
    tag: 'AzureObjectStorage',
    root: '/AzureResources/containers',
    parameter: 'containerName',
    schema: AzureContainer,
    what: 'container',
    query: { accountId: uuid(), regionType: oneOf(AZURE_REGION_TYPES) },
  },
]

/** Buckets, containers and folders that an account of object storage reaches. */
export const cloudResourceOperations = (resources: CloudResources): readonly Operation[] =>
  FAMILIES.flatMap((family) => [...containersOf(resources, family), ...foldersOf(resources, family)])

type Asked = Readonly<Record<string, string | undefined>>

const containersOf = (resources: CloudResources, family: Family): readonly Operation[] => [
  answersList(
    family.schema,
    { pagedSince: 'never' },
    {
      method: 'GET',
      path: family.root,
      tag: family.tag,
      summary: `The ${family.what}s of an account`,
      access,
      query: Type.Object({ ...family.query, ...family.listQuery, name }),
      status: { v4: 200 },
      handle: async (call) => {
        const asked = call.query as Asked
        const found = await resources.containers(call.principal, inputOf(family, call), call.signal)
        const fitting = found
          .filter((each) => asked['name'] === undefined || each.name === asked['name'])
          .filter((each) => asked['regionId'] === undefined || each.regionId === asked['regionId'])
        return cut(
          fitting.map((each) => presentContainer(family, each, call)),
          call.window,
        )
      },
    },
  ),
  answersObject(family.schema, {
    method: 'GET',
    path: `${family.root}/{${family.parameter}}`,
    tag: family.tag,
    summary: `One ${family.what} of an account`,
    access,
    query: Type.Object({ ...family.query }),
    status: { v4: 200 },
    handle: async (call) => {
      const asked = containerIn(family, call)
      const found = await resources.container(call.principal, inputOf(family, call), asked, call.signal)
      return presentContainer(family, found, call)
    },
  }),
]

const foldersOf = (resources: CloudResources, family: Family): readonly Operation[] => {
  const { tag, what } = family
  const path = `${family.root}/{${family.parameter}}/folders`
  const query = Type.Object({ ...family.query })
  return [
    answersList(
      StorageFolder,
      { pagedSince: 'never' },
      {
        method: 'GET',
        path,
        tag,
        summary: `The folders at the root of a ${what}`,
        access,
        query: Type.Object({ ...family.query, name }),
        status: { v4: 200 },
        handle: async (call) => {
          const container = containerIn(family, call)
          const input = inputOf(family, call)
          const found = await resources.folders(call.principal, input, container, call.signal)
          const wanted = (call.query as Asked)['name']
          const fitting = found.filter((each) => wanted === undefined || each === wanted)
          return cut(
            fitting.map((each) => presentFolder(family, container, each, call)),
            call.window,
          )
        },
      },
    ),
    answersObject(StorageFolder, {
      method: 'POST',
      path,
      tag,
      summary: `Makes a folder at the root of a ${what}`,
      access,
      query,
      body: NewFolder,
      status: { v4: 200, v8: 201 },
      handle: async (call) => {
        const container = containerIn(family, call)
        const input = inputOf(family, call)
        const { name: wanted } = call.body
        const made = await resources.makeFolder(call.principal, input, container, wanted, call.signal)
        return presentFolder(family, container, made, call)
      },
    }),
    answersObject(StorageFolder, {
      method: 'GET',
      path: `${path}/{folderName}`,
      tag,
      summary: `One folder at the root of a ${what}`,
      access,
      query,
      status: { v4: 200 },
      handle: async (call) => {
        const container = containerIn(family, call)
        const wanted = call.params['folderName'] ?? ''
        const input = inputOf(family, call)
        const found = await resources.folder(call.principal, input, container, wanted, call.signal)
        return presentFolder(family, container, found, call)
      },
    }),
  ]
}

const inputOf = ({ of }: Family, { query }: Pick<Call, 'query'>): ServiceInput => ({ ...query, of })

const containerIn = ({ parameter }: Family, { params }: Pick<Call, 'params'>): string =>
  params[parameter] ?? ''

/** With what the next call needs too. */
const linked = (family: Family, path: string, { query, link }: Pick<Call, 'query' | 'link'>) => {
  const asked = Object.keys(family.query)
    .filter((key) => query[key] !== undefined)
    .map((key) => `${key}=${encodeURIComponent(String(query[key]))}`)
  return link(`${family.root.toLowerCase()}/${path}?${asked.join('&')}`)
}

const presentContainer = (family: Family, container: CloudResource, call: Pick<Call, 'query' | 'link'>) => {
  const at = encodeURIComponent(container.name)
  const _links = { self: linked(family, at, call), folders: linked(family, `${at}/folders`, call) }
  return { ...container, _links }
}

const presentFolder = (
  family: Family,
  container: string,
  folder: string,
  call: Pick<Call, 'query' | 'link'>,
) => {
  const at = encodeURIComponent(container)
  return {
    name: folder,
    path: folder,
    _links: {
      self: linked(family, `${at}/folders/${encodeURIComponent(folder)}`, call),
      [family.what]: linked(family, at, call),
    },
  }
}
