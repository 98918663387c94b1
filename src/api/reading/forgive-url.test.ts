import { expect, it } from 'vitest'
import { forgiveUrl } from './forgive-url.ts'

it.each([
  ['/v4/Jobs/', '/v4/Jobs'],
  ['//v6/Jobs/1/start', '/v6/Jobs/1/start'],
  ['/v4//Jobs///1//', '/v4/Jobs/1'],
  ['/v4/Mailboxes/?offset=0', '/v4/Mailboxes?offset=0'],
  ['/v7/Proxies?extendedView=true/', '/v7/Proxies?extendedView=true'],
  ['/v4/Jobs?', '/v4/Jobs'],
  ['/v4/Jobs/?', '/v4/Jobs'],
  ['/', '/'],
  ['/v4/x?path=/a//b', '/v4/x?path=/a//b'],
])('takes %s for %s', (sent, meant) => {
  expect(forgiveUrl(sent)).toBe(meant)
})
