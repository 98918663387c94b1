import { silentLogger } from '#base'
import { startServer } from '#server'
import { startWorld, HttpClient, type World } from '#world'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'

let world: World
beforeAll(async () => {
  world = await startWorld({ users: 1, mails: 1, files: 1 })
})
afterAll(async () => {
  await world[Symbol.asyncDispose]()
})

it('refuses a second server on the same data folder', async () => {
  const dataFolder = join(world.folder, 'data')
  const second = startServer({ dataFolder, host: '127.0.0.1', port: 0 }, { log: silentLogger })
  await expect(second).rejects.toThrow('another Holdfast server')
})

it('keeps the data folder and what is secret in it to its owner', () => {
  const data = join(world.folder, 'data')
  expect(statSync(data).mode & 0o777).toBe(0o700)
  for (const file of ['root.key', 'holdfast.sqlite', join('tls', 'server.key')])
    expect(statSync(join(data, file)).mode & 0o777).toBe(0o600)
})

it('keeps organizations, users and certificate over a restart, and shows the first password once', async () => {
  const { id } = await world.addOrganization()
  const { caFile } = world.server
  expect(world.server.firstPassword?.reveal()).toBe(world.password)
  await world.restart()
  expect(world.server.firstPassword).toBeUndefined()
  expect(world.server.caFile).toBe(caFile)
  expect((await world.api('v4').get('/Organizations')).json()).toMatchObject([{ id }])
})

it('is trusted by its own certificate alone', async () => {
  await using stranger = new HttpClient(world.server.url, world.tenant.caFile)
  await expect(stranger.send('/')).rejects.toThrow(/certificate/)
})

it('serves documents to anybody unless they are switched off', async () => {
  expect((await world.client.send('/')).text).toContain('/v8/swagger')
  expect((await world.client.send('/v4/swagger')).status).toBe(200)
  expect((await world.client.send('/v4/swagger.json')).json()).toMatchObject({ info: { version: 'v4' } })
  await using quiet = await startWorld({ users: 1, mails: 1, files: 1, server: { documents: false } })
  expect((await quiet.client.send('/v4/swagger.json')).status).toBe(401)
})

it('says how it is', async () => {
  expect((await world.api('v8').get('/Health')).json()).toMatchObject({
    status: expect.any(String) as string,
  })
})
