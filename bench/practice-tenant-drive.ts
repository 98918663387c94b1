// How fast the practice tenant gives file content: the ceiling beside every result of a backup of drives.
import { Agent, request } from 'undici'
import { startPracticeTenant } from '#practice-tenant'

const FILE_BYTES = 64 << 20
const ROUNDS = 5

await using tenant = await startPracticeTenant({ seed: { users: 1, files: 1, mails: 0 }, throttling: false })
const agent = new Agent({ connect: { ca: tenant.ca } })
const authorization = `Bearer ${tenant.token({ application: tenant.editor.id })}`
const user = [...tenant.state.users()][0]!
const upload = await request(
  `${tenant.origin('graph')}/v1.0/users/${user.id}/drive/root:/large.bin:/content`,
  { method: 'PUT', body: Buffer.alloc(FILE_BYTES, 7), headers: { authorization }, dispatcher: agent },
)
const item = (await upload.body.json()) as { '@microsoft.graph.downloadUrl': string }

const rates: number[] = []
for (let round = 0; round < ROUNDS; round += 1) {
  const began = performance.now()
  const { body } = await request(item['@microsoft.graph.downloadUrl'], { dispatcher: agent })
  let bytes = 0
  for await (const chunk of body as AsyncIterable<Buffer>) bytes += chunk.length
  if (bytes !== FILE_BYTES) throw new Error(`got ${bytes} bytes`)
  rates.push(bytes / 1e6 / ((performance.now() - began) / 1000))
}
rates.sort((a, b) => a - b)
const [least, median, most] = [rates[0]!, rates[ROUNDS >> 1]!, rates[ROUNDS - 1]!].map(Math.round)
console.log(
  JSON.stringify({
    title: 'Practice tenant: file content',
    rows: [
      [
        'content of one file over TLS, client in the same process',
        `${median} MB/s (${least}–${most})`,
        '≥ 200 MB/s',
      ],
    ],
  }),
)
await agent.close()
