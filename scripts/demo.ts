// The main job, end to end, on a practice tenant with real mail and documents. `./demo --help` lists the options.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, mkdir, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Https } from './demo/https.ts'
import { readOptions, type DemoOptions } from './demo/options.ts'
import { startHoldfast, type Running } from './demo/running.ts'
import { Screen } from './demo/screen.ts'
import { TenantPerson, type LiveUser, type TenantAddresses } from './demo/tenant.ts'

const run = promisify(execFile)

interface ServerAddress {
  readonly url: string
  readonly caFile: string
  readonly userName?: string
  readonly firstPassword?: string
}

interface Organization {
  readonly id: string
  readonly name: string
  readonly officeName: string
}

interface JobSession {
  readonly id: string
  readonly status: string
  readonly progress: number
  readonly endTime?: string
  readonly details?: string
  readonly statistics: {
    readonly processedObjects?: number
    readonly transferredDataBytes?: number
    readonly processingRateItemsPS?: number
  }
}

interface RestoreCounts {
  readonly createdItemsCount?: number
  readonly restoredItemsCount?: number
  readonly failedItemsCount?: number
}

/** Everything that the story measures; `--json` prints it. */
type Summary = Record<string, unknown>

const seconds = (sinceMs: number): number => Math.round((Date.now() - sinceMs) / 10) / 100

const main = async (options: DemoOptions): Promise<number> => {
  const screen = new Screen(options.json)
  const folder =
    options.keep === undefined ? await mkdtemp(join(tmpdir(), 'holdfast-demo-')) : resolve(options.keep)
  await mkdir(folder, { recursive: true })
  const stops: (() => Promise<void>)[] = []
  let isGood = false
  try {
    const summary = await story(options, screen, folder, stops)
    isGood = summary.ok === true
    if (options.json) process.stdout.write(`${JSON.stringify(summary)}\n`)
    if (isGood && !options.exit) await stayRunning(screen)
  } finally {
    for (const stop of stops.reverse()) await stop()
    if (options.keep === undefined) await rm(folder, { recursive: true, force: true })
  }
  return isGood ? 0 : 1
}

const story = async (
  options: DemoOptions,
  screen: Screen,
  folder: string,
  stops: (() => Promise<void>)[],
): Promise<Summary> => {
  screen.chapter('A Microsoft 365 tenant and a backup server, both on this machine')
  const { tenant, server } = await startBoth(options, folder, stops)
  const { users, mails, files } = options
  screen.line(
    `practice tenant ${tenant.ready.domain}: ${users} people, ${mails} messages and ${files} files each`,
  )
  screen.line(`Holdfast at ${server.ready.url}`)
  const api = await logIn(server.ready)
  stops.push(() => api.close())
  const person = await TenantPerson.logIn(tenant.ready)
  stops.push(() => person.close())

  screen.chapter('Adding the organization: POST /v4/Organizations')
  const added = await addOrganization(screen, api, tenant.ready)
  screen.chapter('Backing it up')
  const backup = await backUp(screen, api, added.organization.id)
  const stored = await readWithRestic(screen, folder)

  screen.chapter('Losing a message and a file for good')
  const victim = await somebody(person, tenant.ready)
  const lost = await lose(screen, person, victim)
  screen.chapter('Getting them back')
  const restored = await restore(screen, api, person, { organizationId: added.organization.id, victim, lost })

  const ok = backup.isGood && restored.mailIsEqual && restored.fileIsEqual && stored.isClean !== false
  screen.verdict(ok)
  if (!options.exit) printLogin(screen, server.ready, tenant.ready)
  return { ok, users, mails, files, added: { seconds: added.seconds }, backup, repository: stored, restored }
}

const startBoth = async (options: DemoOptions, folder: string, stops: (() => Promise<void>)[]) => {
  const size = ['--users', options.users, '--mails', options.mails, '--files', options.files].map(String)
  const tenant: Running<TenantAddresses> = await startHoldfast<TenantAddresses>({
    args: ['practice-tenant', ...size, '--data', join(folder, 'tenant')],
    env: {},
    readyWithinMs: 120_000,
    detached: false,
  })
  stops.push(() => tenant.stop())
  const server = await startHoldfast<ServerAddress>({
    args: ['serve', '--data', join(folder, 'server'), '--log-file', join(folder, 'server.log')],
    // The two settings by which any Microsoft 365 program is pointed at the practice tenant.
    env: {
      HTTPS_PROXY: tenant.ready.proxyUrl,
      NODE_EXTRA_CA_CERTS: tenant.ready.caFile,
      HOLDFAST_PORT: String(options.port),
      HOLDFAST_HOST: '127.0.0.1',
    },
    readyWithinMs: 120_000,
    detached: false,
  })
  stops.push(() => server.stop())
  return { tenant, server }
}

const logIn = async (server: ServerAddress): Promise<Https> => {
  const api = new Https(server.url, server.caFile)
  const { userName, firstPassword } = server
  if (userName === undefined || firstPassword === undefined)
    throw new Error('the data folder has been used before; give an empty one with --keep')
  const form = new URLSearchParams({ grant_type: 'password', username: userName, password: firstPassword })
  const { access_token } = await api.ok<{ access_token: string }>('POST', '/v4/token', form)
  api.token = access_token
  return api
}

const addOrganization = async (screen: Screen, api: Https, tenant: TenantAddresses) => {
  const startedMs = Date.now()
  const application = { applicationId: tenant.applicationId, applicationSecret: tenant.applicationSecret }
  const organization = await api.ok<Organization>('POST', '/v4/Organizations', {
    type: 'Office365',
    region: 'Worldwide',
    isExchangeOnline: true,
    isSharePointOnline: true,
    exchangeOnlineSettings: {
      useMfa: true,
      account: tenant.exchangeAccount,
      password: tenant.exchangeAppPassword,
      ...application,
    },
    sharePointOnlineSettings: {
      useMfa: true,
      account: tenant.sharePointAccount,
      password: tenant.sharePointAppPassword,
      ...application,
    },
  })
  const took = seconds(startedMs)
  screen.done(`${organization.name} (${organization.officeName}) added and verified in ${took} s`)
  return { organization, seconds: took }
}

const backUp = async (screen: Screen, api: Https, organizationId: string) => {
  const [repository] = await api.ok<{ id: string; name: string }[]>('GET', '/v4/BackupRepositories')
  if (repository === undefined) throw new Error('the server has no repository')
  const job = await api.ok<{ id: string }>('POST', `/v4/Organizations/${organizationId}/Jobs`, {
    name: 'Everything',
    repositoryId: repository.id,
    backupType: 'EntireOrganization',
    schedulePolicy: { scheduleEnabled: true, type: 'Daily', dailyType: 'Everyday', dailyTime: '22:00:00' },
  })
  const full = await runJob(screen, api, job.id, 'full backup')
  const again = await runJob(screen, api, job.id, 'nothing changed')
  const { results } = await api.ok<{ results: { title: string }[] }>(
    'GET',
    `/v4/JobSessions/${full.session.id}/LogItems?limit=1000`,
  )
  for (const { title } of results.slice(0, 12)) screen.line(title)
  if (results.length > 12) screen.line(`… and ${results.length - 12} more lines in the session's log`)
  const isGood = [full, again].every(({ session }) => ['Success', 'Warning'].includes(session.status))
  return {
    isGood,
    status: full.session.status,
    objects: full.session.statistics.processedObjects,
    readBytes: full.session.statistics.transferredDataBytes,
    fullSeconds: full.took,
    unchangedSeconds: again.took,
  }
}

const runJob = async (screen: Screen, api: Https, jobId: string, title: string) => {
  const startedMs = Date.now()
  await api.ok('POST', `/v4/Jobs/${jobId}/Action`, { start: null })
  for (;;) {
    const [session] = await api.ok<JobSession[]>('GET', `/v4/Jobs/${jobId}/JobSessions`)
    if (session === undefined) throw new Error('the job has no session')
    screen.progress(title, session.progress, session.statistics.processingRateItemsPS ?? 0)
    if (session.endTime !== undefined && session.status !== 'Running') {
      const took = seconds(startedMs)
      const { processedObjects, transferredDataBytes = 0 } = session.statistics
      const megabytes = (transferredDataBytes / 1e6).toFixed(1)
      screen.done(
        `${title}: ${session.status} in ${took} s, ${processedObjects} people, ${megabytes} MB read`,
      )
      if (session.details !== undefined) screen.line(session.details)
      return { session, took }
    }
    await delay(200)
  }
}

/** The user keeps access without us: stock restic reads what was written. */
const readWithRestic = async (screen: Screen, folder: string) => {
  const kit = join(folder, 'recovery-kit')
  await run('bin/holdfast', ['recovery-kit', kit, '--data', join(folder, 'server'), '--json'])
  const repositories = JSON.parse(await readFile(join(kit, 'repositories.json'), 'utf8')) as {
    path: string
    passwordFile: string
  }[]
  let files = 0
  const startedMs = Date.now()
  for (const { path, passwordFile } of repositories) {
    const args = ['-r', path, '--password-file', join(kit, passwordFile), '--no-cache']
    await run('restic', [...args, 'check', '--read-data'], { maxBuffer: 1 << 26 })
    const { stdout } = await run('restic', [...args, 'ls', 'latest'], { maxBuffer: 1 << 28 })
    files += stdout.split('\n').filter((line) => line.includes('/users/')).length
  }
  const bytes = await sizeOf(repositories.map(({ path }) => path))
  screen.done(
    `stock restic checked every byte of ${repositories.length} repositories in ${seconds(startedMs)} s: ` +
      `${files} files and folders, ${(bytes / 1e6).toFixed(1)} MB on disk`,
  )
  return { isClean: true, files, bytes }
}

const sizeOf = async (folders: readonly string[]): Promise<number> => {
  let bytes = 0
  for (const folder of folders)
    for (const name of await readdir(folder, { recursive: true }))
      bytes += await stat(join(folder, name)).then((found) => (found.isFile() ? found.size : 0))
  return bytes
}

const somebody = async (person: TenantPerson, tenant: TenantAddresses): Promise<LiveUser> => {
  const admins = [tenant.exchangeAccount, tenant.sharePointAccount].map((name) => name.toLowerCase())
  const users = await person.users()
  const found = users.find(({ userPrincipalName }) => !admins.includes(userPrincipalName.toLowerCase()))
  if (found === undefined) throw new Error('the tenant has nobody')
  return found
}

const lose = async (screen: Screen, person: TenantPerson, victim: LiveUser) => {
  const mail = await person.somebodysMail(victim.id)
  const file = await person.somebodysFile(victim.id)
  const mailWas = await person.mailFingerprint(victim.id, mail.id)
  const fileWas = await person.fileFingerprint(victim.id, file.path)
  await person.destroyMail(victim.id, mail.id)
  await person.destroyFile(victim.id, file.id)
  if ((await person.mailFingerprint(victim.id, mail.id)) !== undefined)
    throw new Error('the message is still there')
  if ((await person.fileFingerprint(victim.id, file.path)) !== undefined)
    throw new Error('the file is still there')
  screen.line(`${victim.displayName} has lost the message “${mail.subject}” and the file ${file.path}`)
  return { mail, file, mailWas, fileWas }
}

interface Loss {
  readonly organizationId: string
  readonly victim: LiveUser
  readonly lost: Awaited<ReturnType<typeof lose>>
}

const restore = async (screen: Screen, api: Https, person: TenantPerson, loss: Loss) => {
  const { victim, lost } = loss
  const startedMs = Date.now()
  await restoreFrom(
    api,
    loss,
    'vex',
    `Mailboxes/${victim.id}/Items/${encodeURIComponent(lost.mail.id)}`,
    null,
  )
  const mailSeconds = seconds(startedMs)
  const [back, ...copies] = await person.mailBySubject(victim.id, lost.mail.subject)
  const mailIs = back === undefined ? undefined : await person.mailFingerprint(victim.id, back.id)
  const mailIsEqual = mailIs === lost.mailWas && copies.length === 0
  screen.check(mailIsEqual, `the message is back in its folder, equal in every byte, after ${mailSeconds} s`)

  const fileStartedMs = Date.now()
  const action = { documentAction: 'overwrite' }
  await restoreFrom(api, loss, 'veod', `OneDrives/${victim.id}/Documents/${lost.file.id}`, action)
  const fileSeconds = seconds(fileStartedMs)
  const fileIsEqual = (await person.fileFingerprint(victim.id, lost.file.path)) === lost.fileWas
  screen.check(fileIsEqual, `the file is back with its dates, equal in every byte, after ${fileSeconds} s`)
  return { mailIsEqual, fileIsEqual, mailSeconds, fileSeconds }
}

const restoreFrom = async (
  api: Https,
  { organizationId }: Loss,
  type: 'vex' | 'veod',
  what: string,
  how: object | null,
): Promise<RestoreCounts> => {
  const session = await api.ok<{ id: string }>('POST', `/v4/Organizations/${organizationId}/Action`, {
    explore: { type },
  })
  const base = `/v4/RestoreSessions/${session.id}`
  const counts = await api.ok<RestoreCounts>('POST', `${base}/Organization/${what}/Action`, {
    restoreToOriginalLocation: how,
  })
  await api.ok('POST', `${base}/Action`, { stop: null })
  return counts
}

const printLogin = (screen: Screen, server: ServerAddress, tenant: TenantAddresses): void => {
  screen.chapter('Try it yourself')
  screen.line(`Swagger UI   ${server.url}/v8/swagger`)
  screen.line(`log in       ${server.userName} / ${server.firstPassword}`)
  screen.line('for the curl lines of the README:')
  for (const [name, value] of Object.entries({
    CA: server.caFile,
    USERNAME: server.userName,
    PASSWORD: server.firstPassword,
    ACCOUNT: tenant.exchangeAccount,
    APP_PASSWORD: tenant.exchangeAppPassword,
    APPLICATION_ID: tenant.applicationId,
    APPLICATION_SECRET: tenant.applicationSecret,
  }))
    screen.line(`  export ${name}='${value}'`)
}

const stayRunning = async (screen: Screen): Promise<void> => {
  screen.line('Everything stays running. Ctrl-C stops it.')
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
}

try {
  const options = readOptions(process.argv.slice(2))
  if (options !== undefined) process.exitCode = await main(options)
} catch (error) {
  process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
