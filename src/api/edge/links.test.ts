import { describe, expect, it } from 'vitest'
import { linkWriter, originOf } from './links.ts'

const names = new Set(['localhost', '127.0.0.1', 'backup.example.com'])
const socket = { localAddress: '::ffff:10.0.0.5', localPort: 4443 }

it('writes absolute links up to v5, and from v6 links without a host', () => {
  expect(linkWriter('v5', 'https://localhost:4443')('/jobs/1').href).toBe('https://localhost:4443/v5/jobs/1')
  expect(linkWriter('v6', 'https://localhost:4443')('/jobs/1').href).toBe('/v6/jobs/1')
})

describe('believes a Host header only where it names this server', () => {
  it.each([
    ['backup.example.com:4443', 'https://backup.example.com:4443'],
    ['LOCALHOST', 'https://localhost'],
    ['evil.example', 'https://10.0.0.5:4443'],
    ['localhost:4443/evil', 'https://10.0.0.5:4443'],
    ['localhost@evil.example', 'https://10.0.0.5:4443'],
    ['', 'https://10.0.0.5:4443'],
  ])('%s', (host, origin) => {
    expect(originOf({ names }, host, socket)).toBe(origin)
  })
})

it('lets the configured address win', () => {
  const configured = 'https://backup.example.com'
  expect(originOf({ names, configured }, 'localhost:1', socket)).toBe(configured)
})
