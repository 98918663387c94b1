import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestProject } from 'vitest/node'
import { startRadosgw, type RunningRadosgw } from './radosgw.ts'

// Loaded by vitest before the test files. Nothing is started until one of them asks.

let running: Promise<RunningRadosgw> | undefined

const server = createServer((_, response) => {
  running ??= startRadosgw()
  running.then(
    ({ settings }) => response.end(JSON.stringify(settings)),
    (error: unknown) => response.writeHead(500).end(String(error)),
  )
})

export const setup = async ({ provide }: TestProject): Promise<void> => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  provide('radosgw', `http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
}

export const teardown = async (): Promise<void> => {
  server.close()
  server.closeAllConnections()
  await (await running?.catch(() => undefined))?.[Symbol.asyncDispose]()
}
