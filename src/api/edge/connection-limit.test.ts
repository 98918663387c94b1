import { EventEmitter } from 'node:events'
import { expect, it } from 'vitest'
import { limitConnections } from './connection-limit.ts'

class Connection extends EventEmitter {
  readonly remoteAddress: string
  isDestroyed = false
  constructor(remoteAddress: string) {
    super()
    this.remoteAddress = remoteAddress
  }
  destroy(): void {
    this.isDestroyed = true
    this.emit('close')
  }
}

const connect = (server: EventEmitter, address: string): Connection => {
  const connection = new Connection(address)
  server.emit('connection', connection)
  return connection
}

it('closes what one address opens above the limit, and leaves other addresses alone', () => {
  const server = new EventEmitter()
  limitConnections(server, 2)
  const [first, second, third] = [1, 2, 3].map(() => connect(server, '10.0.0.1'))
  expect([first, second, third].map((each) => each!.isDestroyed)).toEqual([false, false, true])
  expect(connect(server, '10.0.0.2').isDestroyed).toBe(false)
})

it('takes a new connection when an old one has ended, however many were refused', () => {
  const server = new EventEmitter()
  limitConnections(server, 1)
  const first = connect(server, '10.0.0.1')
  for (let turn = 0; turn < 5; turn += 1) expect(connect(server, '10.0.0.1').isDestroyed).toBe(true)
  first.destroy()
  expect(connect(server, '10.0.0.1').isDestroyed).toBe(false)
})
