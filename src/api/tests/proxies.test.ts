import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startWorld, type World } from '#world'

let world: World
beforeAll(async () => {
  world = await startWorld({ users: 1, mails: 5, files: 2 })
}, 60_000)
afterAll(async () => {
  await world?.[Symbol.asyncDispose]()
})

interface ProxyAnswer {
  readonly id: string
  readonly port: number
  readonly enableNetworkThrottling: boolean
  readonly throttlingValue?: number
  readonly throttlingUnit?: string
}
const proxy = async (): Promise<ProxyAnswer> =>
  (await world.api('v6').get('/Proxies')).json<ProxyAnswer[]>()[0]!

describe('the built-in proxy', () => {
  it('keeps the bandwidth that was set, also when it is switched off and the server starts anew', async () => {
    const { id } = await proxy()
    const limit = { enableNetworkThrottling: true, throttlingValue: 80, throttlingUnit: 'MBs' }
    expect((await world.api('v8').put(`/Proxies/${id}`, limit)).status).toBe(204)
    expect(await proxy()).toMatchObject(limit)
    expect((await world.api('v6').put(`/Proxies/${id}`, { enableNetworkThrottling: false })).status).toBe(200)
    await world.restart()
    expect(await proxy()).toMatchObject({ ...limit, enableNetworkThrottling: false })
  })

  it('takes back what it has answered, and refuses what it cannot be', async () => {
    const there = await proxy()
    const api = world.api('v7')
    expect((await api.put(`/Proxies/${there.id}`, there)).status).toBe(200)
    for (const change of [
      { port: there.port + 1 },
      { hostName: 'another.example' },
      { useInternetProxy: true },
      { enableNetworkThrottling: true, throttlingValue: 0 },
      { enableNetworkThrottling: true, throttlingValue: 1, throttlingUnit: 'KBs' },
    ])
      expect((await api.put(`/Proxies/${there.id}`, change)).status, JSON.stringify(change)).toBe(400)
    expect(await proxy()).toEqual(there)
  })

  it('is looked at anew through each of the doors', async () => {
    const { id } = await proxy()
    expect((await world.api('v8').post(`/Proxies/${id}/Rescan`)).status).toBe(204)
    expect((await world.api('v6').post('/Proxies/Rescan', {})).status).toBe(200)
    expect((await world.api('v7').post('/Proxies/Rescan', { proxies: [{ id }] })).status).toBe(200)
    expect((await world.api('v4').post(`/Proxies/${id}/Action`, { rescan: null })).status).toBe(200)
    const unknown = '00000000-0000-0000-0000-000000000001'
    expect((await world.api('v8').post(`/Proxies/${unknown}/Rescan`)).status).toBe(404)
  })
})
