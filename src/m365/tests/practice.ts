import { silentLogger, Secret, systemClock, systemRandom, type Clock } from '#base'
import { microsoft365, type CloudHosts, type Microsoft365, type Microsoft365Options } from '#m365'
import { startPracticeTenant, type PracticeTenant, type PracticeTenantOptions } from '#practice-tenant'

/** The hosts of a practice tenant in place of Microsoft's. */
export function hostsOfPractice(tenant: PracticeTenant): Partial<CloudHosts> {
  const hostOf = (role: Parameters<PracticeTenant['origin']>[0]): string => new URL(tenant.origin(role)).host
  return {
    login: hostOf('login'),
    graph: hostOf('graph'),
    outlook: hostOf('outlook'),
    contentHosts: [hostOf('sharepoint'), hostOf('mysite'), hostOf('outlook')],
  }
}

/** A clock on which waiting takes no time, so that a test of patience is quick. It knows how long was waited. */
export class ImpatientClock implements Clock {
  readonly waitsMs: number[] = []
  now(): Date {
    return systemClock.now()
  }
  nowMs(): number {
    return systemClock.nowMs() + this.waitsMs.reduce((sum, ms) => sum + ms, 0)
  }
  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    this.waitsMs.push(ms)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

export function connectorsTo(
  tenant: PracticeTenant,
  options: Partial<Microsoft365Options> = {},
): Microsoft365 {
  return microsoft365({
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
    hosts: { Worldwide: hostsOfPractice(tenant) },
    caCertificates: [tenant.ca],
    ...options,
  })
}

export function connectionTo(tenant: PracticeTenant) {
  const application = { applicationId: tenant.application.id, secret: new Secret(tenant.application.secret) }
  return { region: 'Worldwide' as const, tenant: tenant.domain, application }
}

/** A practice tenant and a connection to it, both ended by disposing. */
export async function practice(
  seed: NonNullable<PracticeTenantOptions['seed']>,
  {
    connectors = {},
    tenant: more = {},
  }: {
    readonly connectors?: Partial<Microsoft365Options>
    readonly tenant?: Partial<PracticeTenantOptions>
  } = {},
) {
  const tenant = await startPracticeTenant({ seed, ...more })
  const m365 = connectorsTo(tenant, connectors)
  const connection = m365.connect(connectionTo(tenant))
  const people = [...tenant.state.users()]
  const idOf = (index: number): string => people[index]!.id
  return {
    tenant,
    m365,
    connection,
    people,
    idOf,
    async [Symbol.asyncDispose]() {
      await connection[Symbol.asyncDispose]()
      await m365[Symbol.asyncDispose]()
      await tenant[Symbol.asyncDispose]()
    },
  }
}

export async function bytesOf(content: AsyncIterable<Uint8Array> | undefined): Promise<Buffer> {
  return content === undefined ? Buffer.alloc(0) : Buffer.concat(await Array.fromAsync(content))
}

export async function* inPieces(bytes: Uint8Array, size = 100_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size))
}
