import { InvalidArgumentError, type Command } from 'commander'
import { table } from '../output.ts'
import { allOf, type WithContext } from './command.ts'

interface ProxyView {
  readonly id: string
  readonly hostName: string
  readonly enableNetworkThrottling?: boolean
  readonly throttlingValue?: number
  readonly throttlingUnit?: string
}

const UNITS: Readonly<Record<string, string>> = { mbps: 'Mbps', mbs: 'MBs', kbs: 'KBs' }
const LIMIT = /^(\d+)\s*(mbps|mbs|kbs)$/i

const limitText = ({
  enableNetworkThrottling,
  throttlingValue,
  throttlingUnit = 'Mbps',
}: ProxyView): string => (enableNetworkThrottling === true ? `${throttlingValue} ${throttlingUnit}` : 'none')

/** `80Mbps`, `10MBs`, `500KBs`, or `none`. */
const readLimit = (text: string): object => {
  if (text.toLowerCase() === 'none') return { enableNetworkThrottling: false }
  const [, value, unit = ''] = LIMIT.exec(text) ?? []
  if (value === undefined)
    throw new InvalidArgumentError('Such as 80Mbps (megabits), 10MBs or 500KBs (bytes) a second, or none.')
  return {
    enableNetworkThrottling: true,
    throttlingValue: Number(value),
    throttlingUnit: UNITS[unit.toLowerCase()],
  }
}

/** Backup proxies, and what traffic they may make. */
export const addProxyCommands = (program: Command, withContext: WithContext): void => {
  const group = program.command('proxies').description('backup proxies')

  group
    .command('list')
    .description('list the proxies with their limits')
    .action(async (_options: object, command: Command) =>
      withContext(command, async ({ server, output }) => {
        const found = await Array.fromAsync(allOf<ProxyView>(server, '/Proxies'))
        output.result(found, () =>
          table(
            ['host', 'limit', 'id'],
            found.map((proxy) => [proxy.hostName, limitText(proxy), proxy.id]),
            'There is no proxy.',
          ),
        )
      }),
    )

  group
    .command('limit <rate> [host-or-id]')
    .description(
      'limit the traffic with Microsoft 365 and object storage, running jobs too: 80Mbps, 10MBs, none',
    )
    .action(async (rate: string, wanted: string | undefined, _options: object, command: Command) => {
      const limit = readLimit(rate)
      await withContext(command, async ({ server, output }) => {
        const proxies = await Array.fromAsync(allOf<ProxyView>(server, '/Proxies'))
        const found = proxies.filter(
          ({ id, hostName }) =>
            wanted === undefined || id === wanted || hostName.toLowerCase() === wanted.toLowerCase(),
        )
        const [proxy] = found
        if (proxy === undefined || found.length > 1)
          throw new InvalidArgumentError(proxy === undefined ? 'There is no such proxy.' : 'Say which proxy.')
        await server.put(`/Proxies/${proxy.id}`, limit)
        const changed = await server.get<ProxyView>(`/Proxies/${proxy.id}`)
        output.result(changed, () => `The limit of ${changed.hostName} is now: ${limitText(changed)}`)
      })
    })
}
