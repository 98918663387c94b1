import type { EventEmitter } from 'node:events'

/** What is needed of a connection. */
export interface Connection {
  readonly remoteAddress?: string | undefined
  destroy(): unknown
  once(event: 'close', listener: () => void): unknown
}

/** Closes connections above `most` from one address, before a handshake costs anything. */
export const limitConnections = (server: EventEmitter, most: number): void => {
  const open = new Map<string, number>()
  server.on('connection', (connection: Connection) => {
    const address = connection.remoteAddress ?? ''
    const count = (open.get(address) ?? 0) + 1
    if (count > most) {
      connection.destroy()
      return
    }
    open.set(address, count)
    connection.once('close', () => {
      const left = (open.get(address) ?? 1) - 1
      if (left === 0) open.delete(address)
      else open.set(address, left)
    })
  })
}
