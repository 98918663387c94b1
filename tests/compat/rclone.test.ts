import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startPracticeTenant, type PracticeTenant } from '../../src/practice-tenant/core/practice-tenant.ts'
import { http } from '../../src/practice-tenant/tests/http.ts'

// rclone was written by others for the real OneDrive. It reaches the practice tenant by two settings alone: a proxy that
// answers for Microsoft's names, and the authority to trust.

const run = promisify(execFile)

describe('rclone on the practice tenant', () => {
  let tenant: PracticeTenant
  let folder: string
  let environment: NodeJS.ProcessEnv

  beforeAll(async () => {
    tenant = await startPracticeTenant({ seed: { users: 2, files: 30, mails: 0 }, throttling: false })
    // Debian's rclone is of 2022 and sends its token to upload and download addresses, which was tolerated then.
    tenant.controls.settings.toleratesTokens = true
    folder = await mkdtemp(join(tmpdir(), 'rclone-'))
    const token = tenant.token({ application: tenant.editor.id })
    const user = [...tenant.state.users()][0]!
    const drive = await http(`${tenant.origin('graph')}/v1.0/users/${user.id}/drive`, {
      headers: { authorization: `Bearer ${token}` },
      ca: tenant.ca,
    })
    environment = {
      PATH: process.env['PATH'],
      HOME: folder,
      RCLONE_CONFIG: join(folder, 'rclone.conf'),
      RCLONE_CONFIG_OD_TYPE: 'onedrive',
      RCLONE_CONFIG_OD_TOKEN: JSON.stringify({
        access_token: token,
        token_type: 'Bearer',
        refresh_token: 'unused',
        expiry: '2099-01-01T00:00:00Z',
      }),
      RCLONE_CONFIG_OD_DRIVE_ID: drive.json<{ id: string }>().id,
      RCLONE_CONFIG_OD_DRIVE_TYPE: 'business',
      HTTPS_PROXY: tenant.proxyUrl,
      SSL_CERT_FILE: tenant.caFile,
    }
    await mkdir(join(folder, 'up', 'sub folder'), { recursive: true })
    await writeFile(join(folder, 'up', 'small.txt'), 'hello')
    await writeFile(join(folder, 'up', 'empty.txt'), '')
    await writeFile(join(folder, 'up', 'sub folder', 'ünï #%+.bin'), randomBytes(12 << 20))
  })
  afterAll(async () => {
    await tenant[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  const rclone = async (...args: string[]): Promise<{ stdout: string; stderr: string }> =>
    run('rclone', args, { env: environment, maxBuffer: 1 << 26 })

  it('lists every file, whatever its name', async () => {
    const { stdout } = await rclone('lsf', '-R', 'od:')
    const names = stdout.split('\n')
    expect(names).toContain('Odd things/Ünïcode ☃ Plan #1 100%.txt')
    expect(names).toContain('Odd things/%41 is not A.txt')
    expect(names).toContain('Empty folder/')
  })

  it('copies up, by upload sessions of several fragments, too, and agrees on every hash', async () => {
    await rclone('copy', join(folder, 'up'), 'od:from rclone')
    const { stderr } = await rclone('check', join(folder, 'up'), 'od:from rclone', '-v')
    expect(stderr).toContain('Using quickxor for hash comparisons')
    expect(stderr).toContain('3 matching files')
  })

  it('copies down what it has copied up, and the documents of the seed', async () => {
    await rclone('copy', 'od:from rclone', join(folder, 'down'))
    for (const name of ['small.txt', 'empty.txt', 'sub folder/ünï #%+.bin']) {
      const [up, down] = [
        await readFile(join(folder, 'up', name)),
        await readFile(join(folder, 'down', name)),
      ]
      expect(down.equals(up)).toBe(true)
    }
    await rclone('copy', 'od:Documents', join(folder, 'documents'))
    const { stderr } = await rclone('check', 'od:Documents', join(folder, 'documents'))
    expect(stderr).toContain('0 differences found')
  })

  it('moves, copies on the server, and deletes', async () => {
    await rclone('moveto', 'od:from rclone/small.txt', 'od:from rclone/moved.txt')
    await rclone('copyto', 'od:from rclone/moved.txt', 'od:from rclone/copied.txt')
    const { stdout } = await rclone('lsf', 'od:from rclone')
    expect(stdout.split('\n')).toEqual(expect.arrayContaining(['copied.txt', 'moved.txt']))
    await rclone('purge', 'od:from rclone')
    expect((await rclone('lsf', 'od:')).stdout).not.toContain('from rclone')
  })
})
