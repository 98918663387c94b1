import { describe, expect, it } from 'vitest'
import { hostsOf, onContentHost, onHost } from './hosts.ts'

const worldwide = hostsOf('Worldwide')

describe('hosts', () => {
  it.each([
    'http://graph.microsoft.com/v1.0/users',
    'https://graph.microsoft.com.evil.example/v1.0/users',
    'https://graph.microsoft.com:8443/v1.0/users',
    'https://user@graph.microsoft.com/v1.0/users',
    'https://evil.example/graph.microsoft.com',
    'not an address',
  ])('sends no token to %s', (address) => {
    expect(() => onHost(address, worldwide.graph)).toThrow(/outside of the service/)
  })

  it('accepts a link of the very host, whatever the letters', () => {
    expect(onHost('https://Graph.Microsoft.com/v1.0/users?$skiptoken=x', worldwide.graph).pathname).toBe(
      '/v1.0/users',
    )
  })

  it.each([
    'https://sharepoint.com.evil.example/x',
    'https://evilsharepoint.com/x',
    'http://contoso-my.sharepoint.com/x',
    'https://contoso-my.sharepoint.com:444/x',
    'https://127.0.0.1/x',
  ])('reads no content from %s', (address) => {
    expect(() => onContentHost(address, worldwide)).toThrow(/trusted hosts/)
  })

  it('reads content from a host below a trusted name', () => {
    expect(onContentHost('https://contoso-my.sharepoint.com/a?tempauth=1', worldwide).search).toBe(
      '?tempauth=1',
    )
  })

  it('takes a trusted name with a port for exactly that host', () => {
    const practice = hostsOf('Worldwide', { Worldwide: { contentHosts: ['localhost:4444'] } })
    expect(onContentHost('https://localhost:4444/a', practice).port).toBe('4444')
    expect(() => onContentHost('https://localhost:4445/a', practice)).toThrow(/trusted hosts/)
    expect(() => onContentHost('https://a.localhost:4444/a', practice)).toThrow(/trusted hosts/)
  })

  it('keeps the token audience of a region whose Graph host is overridden', () => {
    const dod = hostsOf('USgovDefence', { USgovDefence: { graph: 'dod-graph.microsoft.us' } })
    expect(dod.graph).toBe('dod-graph.microsoft.us')
    expect(dod.graphResource).toBe('https://graph.microsoft.us')
  })
})
