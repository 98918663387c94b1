import { Type, type Static } from 'typebox'
import { answersObject, type Operation } from '../contract/operation.ts'
import { object, oneOf, text, uuid } from '../contract/schema.ts'
import type { Load } from '../edge/load.ts'
import { administrator, administratorOrOwner } from '../edge/policies.ts'

export interface HealthEntry {
  readonly isHealthy: boolean
  readonly description: string
}

/** What the server tells about itself. */
export interface Service {
  readonly installationId: string
  readonly version: string
  /** Looks afresh; never throws. */
  health(): Promise<Readonly<Record<string, HealthEntry>>>
}

const STATUSES = ['Unhealthy', 'Healthy'] as const

const ServiceInstance = object('ServiceInstance', { installationId: uuid(), version: text() })

const Health = object('HealthReport', {
  status: oneOf(STATUSES),
  entries: Type.Unsafe<Readonly<Record<string, { status: (typeof STATUSES)[number]; description: string }>>>({
    type: 'object',
    additionalProperties: object('HealthEntry', { status: oneOf(STATUSES), description: text() }),
  }),
})

const loadEntry = (load: Load | undefined): Readonly<Record<string, HealthEntry>> => {
  if (load === undefined) return {}
  const { isOverloaded, lagMs } = load
  const description = isOverloaded ? 'takes no new work' : 'keeps up'
  return { load: { isHealthy: !isOverloaded, description: `${description}, ${lagMs} ms late` } }
}

const statusOf = (isHealthy: boolean): (typeof STATUSES)[number] => (isHealthy ? 'Healthy' : 'Unhealthy')

/** The server itself. */
export const serviceOperations = (service: Service, load?: Load): readonly Operation[] => [
  answersObject(ServiceInstance, {
    method: 'GET',
    path: '/ServiceInstance',
    tag: 'ServiceInstance',
    summary: 'Which installation this is',
    access: administratorOrOwner,
    status: { v4: 200 },
    handle: async () => ({ installationId: service.installationId, version: service.version }),
  }),
  answersObject(Health, {
    method: 'GET',
    path: '/Health',
    since: 'v8',
    tag: 'Health',
    summary: 'Whether the parts of the server work',
    access: administrator,
    status: { v8: 200 },
    statusOf: (report) => ((report as Static<typeof Health>).status === 'Healthy' ? 200 : 503),
    handle: async () => {
      const parts = Object.entries({ ...(await service.health()), ...loadEntry(load) })
      return {
        status: statusOf(parts.every(([, { isHealthy }]) => isHealthy)),
        entries: Object.fromEntries(
          parts.map(([name, { isHealthy, description }]) => [
            name,
            { status: statusOf(isHealthy), description },
          ]),
        ),
      }
    },
  }),
]
