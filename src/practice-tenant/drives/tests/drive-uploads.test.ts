import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { seededRandom } from '#base'
import type { PracticeTenant } from '../../core/practice-tenant.ts'
import type { HttpAnswer } from '../../tests/http.ts'
import { quickXorHash } from '../quick-xor-hash.ts'
import { DriveClient, errorOf, MovingClock, startDrives, type Item } from './drive-world.ts'

const UNIT = 327_680
const bytesOf = (length: number, seed = 1): Buffer => {
  const block = seededRandom(seed).bytes(4096)
  return Buffer.alloc(length, block)
}

describe('upload sessions', () => {
  const clock = new MovingClock()
  let tenant: PracticeTenant
  let client: DriveClient
  const body = bytesOf(2 * UNIT + 100)

  beforeAll(async () => {
    tenant = await startDrives(clock, { files: 5 })
    client = DriveClient.of(tenant, 0)
  })
  afterAll(() => tenant[Symbol.asyncDispose]())

  const open = async (
    path: string,
    request: object = {},
    headers: Record<string, string> = {},
  ): Promise<HttpAnswer> =>
    client.call('POST', `/root:/${path}:/createUploadSession`, { body: request, headers })
  const urlOf = async (path: string, request: object = {}): Promise<string> =>
    (await open(path, request)).json<{ uploadUrl: string }>().uploadUrl
  const send = (
    url: string,
    start: number,
    end: number,
    whole = body,
    total = whole.length,
  ): Promise<HttpAnswer> =>
    client.plain('PUT', url, {
      body: whole.subarray(start, end),
      headers: { 'content-range': `bytes ${start}-${end - 1}/${total}` },
    })
  const sendAll = async (url: string): Promise<HttpAnswer> => {
    await send(url, 0, UNIT)
    await send(url, UNIT, 2 * UNIT)
    return send(url, 2 * UNIT, body.length)
  }

  it('take a file in order and keep its bytes, dates and hash', async () => {
    const fileSystemInfo = {
      createdDateTime: '2019-02-03T04:05:06Z',
      lastModifiedDateTime: '2020-02-03T04:05:06Z',
    }
    const answer = await open('deep/er/big.bin', { item: { fileSystemInfo, name: 'big.bin' } })
    expect(answer.json()).toMatchObject({ nextExpectedRanges: ['0-'] })
    const { uploadUrl } = answer.json<{ uploadUrl: string }>()
    expect(uploadUrl.startsWith(`${tenant.origin('mysite')}/personal/`)).toBe(true)
    const first = await send(uploadUrl, 0, UNIT)
    expect([first.status, first.json<{ nextExpectedRanges: string[] }>().nextExpectedRanges]).toEqual([
      202,
      [`${UNIT}-`],
    ])
    const status = await client.plain('GET', uploadUrl)
    expect(status.json<{ nextExpectedRanges: string[] }>().nextExpectedRanges).toEqual([`${UNIT}-`])
    await send(uploadUrl, UNIT, 2 * UNIT)
    const last = await send(uploadUrl, 2 * UNIT, body.length)
    expect(last.status).toBe(201)
    expect(last.json<Item>()).toMatchObject({
      name: 'big.bin',
      size: body.length,
      fileSystemInfo,
      file: { hashes: { quickXorHash: quickXorHash(body) } },
    })
    expect((await client.content('/root:/deep/er/big.bin:')).equals(body)).toBe(true)
    expect((await client.plain('GET', uploadUrl)).status).toBe(404)
  })

  const refused: readonly (readonly [string, (url: string) => Promise<HttpAnswer>, number, string])[] = [
    ['a fragment that is no multiple of 320 KiB', (url) => send(url, 0, UNIT + 1), 400, 'invalidRequest'],
    ['a gap', (url) => send(url, UNIT, 2 * UNIT), 416, 'invalidRange'],
    ['a token', (url) => client.call('PUT', url, { body: 'x' }), 401, 'unauthenticated'],
    [
      'a fragment without Content-Range',
      (url) => client.plain('PUT', url, { body: 'x' }),
      400,
      'invalidRequest',
    ],
    ['a range beyond the total', (url) => send(url, 0, UNIT, body, 100), 400, 'invalidRequest'],
    [
      'less than the range says',
      (url) => client.plain('PUT', url, { body: 'x', headers: { 'content-range': 'bytes 0-99/100' } }),
      400,
      'invalidRequest',
    ],
    ['a commit before the end', (url) => client.plain('POST', url), 400, 'invalidRequest'],
  ]
  it.each(refused)('refuse %s', async (_, attempt, status, code) => {
    const url = await urlOf('refused.bin')
    expect(errorOf(await attempt(url))).toMatchObject({ status, code })
    expect((await client.call('GET', '/root:/refused.bin')).status).toBe(404)
    expect((await sendAll(url)).status).toBe(201)
    await client.call('DELETE', '/root:/refused.bin')
  })

  it('refuse a fragment that was already received, and another total', async () => {
    const url = await urlOf('again.bin')
    await send(url, 0, UNIT)
    expect(errorOf(await send(url, 0, UNIT))).toMatchObject({ status: 416, inner: 'fragmentOverlap' })
    expect(errorOf(await send(url, UNIT, 2 * UNIT, body, body.length + 1)).status).toBe(400)
    await send(url, UNIT, 2 * UNIT)
    expect((await send(url, 2 * UNIT, body.length)).status).toBe(201)
  })

  it('can be cancelled, and are over after a day', async () => {
    const cancelled = await urlOf('cancelled.bin')
    await send(cancelled, 0, UNIT)
    expect((await client.plain('DELETE', cancelled)).status).toBe(204)
    expect(errorOf(await send(cancelled, UNIT, 2 * UNIT)).status).toBe(404)
    const late = await urlOf('late.bin')
    clock.advance(25 * 3_600_000)
    expect(errorOf(await send(late, 0, UNIT)).status).toBe(404)
    await urlOf('other.bin')
    const left = tenant.state.db
      .prepare('SELECT count(*) AS n FROM drive_uploads WHERE name = ?')
      .get('late.bin')
    expect(left).toEqual({ n: 0 })
  })

  it('replace, rename or refuse what has the name', async () => {
    const old = await client.put('taken.bin', 'old')
    expect(
      errorOf(await open('taken.bin', { item: { '@microsoft.graph.conflictBehavior': 'fail' } })),
    ).toMatchObject({
      status: 409,
      code: 'nameAlreadyExists',
    })
    const renamed = await sendAll(
      await urlOf('taken.bin', { item: { '@microsoft.graph.conflictBehavior': 'rename' } }),
    )
    expect([renamed.status, renamed.json<Item>().name]).toEqual([201, 'taken 1.bin'])
    const replaced = await sendAll(
      await urlOf('taken.bin', { item: { '@microsoft.graph.conflictBehavior': 'replace' } }),
    )
    expect([replaced.status, replaced.json<Item>().id]).toEqual([200, old.id])
    expect(
      (await client.call('GET', `/items/${old.id}/versions`)).json<{ value: object[] }>().value,
    ).toHaveLength(2)
  })

  it('survive a name that is taken meanwhile, and end under another', async () => {
    const url = await urlOf('race.bin', { item: { '@microsoft.graph.conflictBehavior': 'fail' } })
    await client.put('race.bin', 'quicker')
    expect(errorOf(await sendAll(url))).toMatchObject({ status: 409, code: 'nameAlreadyExists' })
    const metadata = { name: 'race won.bin', '@microsoft.graph.sourceUrl': url }
    const ended = await client.call('PUT', '/root:/race%20won.bin', { body: metadata })
    expect(ended.status).toBe(201)
    expect((await client.content('/root:/race%20won.bin:')).equals(body)).toBe(true)
    expect((await client.content('/root:/race.bin:')).toString()).toBe('quicker')
  })

  it('wait for a commit when asked to', async () => {
    const url = await urlOf('deferred.bin', { deferCommit: true })
    const last = await sendAll(url)
    expect([last.status, last.json<{ nextExpectedRanges: string[] }>().nextExpectedRanges]).toEqual([202, []])
    expect((await client.call('GET', '/root:/deferred.bin')).status).toBe(404)
    expect((await client.plain('POST', url)).status).toBe(201)
  })

  it('heed If-Match', async () => {
    const file = await client.put('matched.bin', 'x')
    expect((await open('matched.bin', {}, { 'if-match': '"{0},9"' })).status).toBe(412)
    expect((await open('matched.bin', {}, { 'if-match': file.eTag })).status).toBe(200)
  })

  it('refuse what does not fit into the drive', async () => {
    const tiny = DriveClient.of(tenant, 'tiny-quota')
    const big = { item: { fileSize: 2 << 20 } }
    const answer = await tiny.call('POST', '/root:/big.bin:/createUploadSession', { body: big })
    expect(errorOf(answer)).toMatchObject({ status: 507, code: 'quotaLimitReached' })
    const put = await tiny.call('PUT', '/root:/big.bin:/content', { body: bytesOf(2 << 20) })
    expect(put.status).toBe(507)
    expect((await tiny.call('PUT', '/root:/small.bin:/content', { body: Buffer.from('x') })).status).toBe(201)
  })
})

describe('small uploads and downloads', () => {
  const clock = new MovingClock()
  let tenant: PracticeTenant
  let client: DriveClient

  beforeAll(async () => {
    tenant = await startDrives(clock, { files: 5 })
    client = DriveClient.of(tenant, 0)
  })
  afterAll(() => tenant[Symbol.asyncDispose]())

  it('answer 201 for a new file and 200 for a new version', async () => {
    const first = await client.call('PUT', '/root:/a/new/place.txt:/content', { body: Buffer.from('one') })
    const second = await client.call('PUT', '/root:/a/NEW/Place.txt:/content', { body: Buffer.from('two') })
    expect([first.status, second.status]).toEqual([201, 200])
    const [one, two] = [first.json<Item>(), second.json<Item>()]
    expect(two).toMatchObject({ id: one.id, name: 'place.txt' })
    expect(two.eTag).not.toBe(one.eTag)
    expect(two.cTag).not.toBe(one.cTag)
  })

  it('heed conflict behaviours', async () => {
    await client.put('same.txt', 'x')
    const fail = await client.call('PUT', '/root:/SAME.txt:/content?@microsoft.graph.conflictBehavior=fail', {
      body: Buffer.from('y'),
    })
    expect(fail.status).toBe(409)
    expect((await client.put('same.txt', 'y', '?@microsoft.graph.conflictBehavior=rename')).name).toBe(
      'same 1.txt',
    )
    const folder = await client.call('PUT', '/root:/Documents:/content', { body: Buffer.from('y') })
    expect(folder.status).toBe(409)
    const odd = await client.call('PUT', '/root:/x.txt:/content?@microsoft.graph.conflictBehavior=odd', {
      body: Buffer.from('y'),
    })
    expect(odd.status).toBe(400)
  })

  it('give parts, the end, and the whole of a file', async () => {
    const body = bytesOf(3_000_000, 5)
    const item = await client.put('parts.bin', body)
    const url = item['@microsoft.graph.downloadUrl']!
    const part = async (range: string) => client.plain('GET', url, { headers: { range } })
    const middle = await part('bytes=1048570-2097200')
    expect([middle.status, middle.headers['content-range']]).toEqual([206, 'bytes 1048570-2097200/3000000'])
    expect(middle.bytes.equals(body.subarray(1_048_570, 2_097_201))).toBe(true)
    expect((await part('bytes=-10')).bytes.equals(body.subarray(-10))).toBe(true)
    expect((await part('bytes=2999999-')).bytes.length).toBe(1)
    expect((await part('bytes=0-9999999')).bytes.equals(body)).toBe(true)
    const beyond = await part('bytes=3000000-')
    expect([beyond.status, beyond.headers['content-range']]).toEqual([416, 'bytes */3000000'])
    const whole = await part('bytes=0-1,5-6')
    expect([whole.status, whole.bytes.equals(body)]).toEqual([200, true])
    const known = await client.plain('GET', url, {
      headers: { 'if-none-match': String(whole.headers['etag']) },
    })
    expect([known.status, known.bytes.length]).toEqual([304, 0])
  })

  it('redirect to an address that takes no token, lasts an hour, and cannot be forged', async () => {
    const item = await client.put('address.txt', 'x')
    const redirect = await client.call('GET', `/items/${item.id}/content`)
    expect(redirect.status).toBe(302)
    const url = String(redirect.headers['location'])
    expect(new URL(url).origin).toBe(tenant.origin('mysite'))
    expect((await client.plain('GET', url)).text).toBe('x')
    expect((await client.call('GET', url)).status).toBe(401)
    expect((await client.plain('GET', url.replace(/tempauth=v1\.(\d+)/, 'tempauth=v1.1'))).status).toBe(401)
    const known = await client.call('GET', `/items/${item.id}/content`, {
      headers: { 'if-none-match': item.eTag },
    })
    expect(known.status).toBe(304)
    clock.advance(3_700_000)
    expect(errorOf(await client.plain('GET', url))).toEqual({ status: 401, code: 'unauthenticated' })
  })

  it('take a token at addresses when the tenant tolerates it', async () => {
    const { '@microsoft.graph.downloadUrl': url } = await client.put('older client.txt', 'x')
    tenant.controls.settings.toleratesTokens = true
    expect((await client.call('GET', url!)).status).toBe(200)
    tenant.controls.settings.toleratesTokens = false
    expect((await client.call('GET', url!)).status).toBe(401)
  })

  it('break off the first download of a flaky file', async () => {
    const body = bytesOf(4_000_000, 9)
    const { '@microsoft.graph.downloadUrl': url } = await client.put('flaky-file.bin', body)
    await expect(client.plain('GET', url!)).rejects.toThrow()
    expect((await client.plain('GET', url!)).bytes.equals(body)).toBe(true)
  })

  it('grow Office files for promote-office, and stay whole archives', async () => {
    const promoting = DriveClient.of(tenant, 'promote-office')
    const { items } = await client.pages('/root/delta')
    const original = await client.content(`/items/${items.find(({ name }) => name.endsWith('.xlsx'))!.id}`)
    const item = await promoting.put('uploaded.xlsx', original)
    expect(item.size).toBeGreaterThan(original.length)
    const grown = await promoting.content(`/items/${item.id}`)
    expect(grown.subarray(0, original.length - 2).equals(original.subarray(0, -2))).toBe(true)
    expect(grown.readUInt16LE(original.length - 2)).toBe(grown.length - original.length)
    expect((await promoting.put('plain.txt', 'x')).size).toBe(1)
  })
})
