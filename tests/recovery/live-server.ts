import { setTimeout as delay } from 'node:timers/promises'
import { HttpClient } from '../world/http-client.ts'
import { Caller, type TenantReady } from './live-tenant.ts'
import { Program, type Exit } from './program.ts'

export const ADMINISTRATOR = { name: 'administrator', password: 'a password for tests 1' }

export interface JobSession {
  readonly id: string
  readonly status: string
  readonly details?: string
  readonly endTime?: string
}

export const HAS_ENDED = ['Success', 'Warning', 'Failed', 'Stopped']

/** Where a server starts, again and again. */
export interface Installation {
  readonly dataFolder: string
  readonly logFile: string
  readonly tenant: TenantReady
}

export const serverProgram = ({ dataFolder, logFile, tenant }: Installation): Program =>
  new Program(['serve', '--data', dataFolder, '--log-file', logFile, '--port', '0', '--host', '127.0.0.1'], {
    HTTPS_PROXY: tenant.proxyUrl,
    NODE_EXTRA_CA_CERTS: tenant.caFile,
    HOLDFAST_FIRST_PASSWORD: ADMINISTRATOR.password,
    HOLDFAST_LOGINS_PER_MINUTE: '0',
  })

/** A server as a process of its own, and its administrator. */
export class LiveServer {
  readonly #program: Program
  readonly api: Caller

  private constructor(program: Program, api: Caller) {
    this.#program = program
    this.api = api
  }

  /** Nothing is done by hand: it is started, and that is all. */
  static async start(installation: Installation): Promise<LiveServer> {
    const program = serverProgram(installation)
    try {
      const { url, caFile } = await program.ready<{ url: string; caFile: string }>()
      return new LiveServer(program, new Caller(url, caFile, await logIn(url, caFile)))
    } catch (error) {
      await program.kill()
      throw error
    }
  }

  async kill(): Promise<void> {
    await this.#program.kill()
    await this.api[Symbol.asyncDispose]()
  }

  async terminate(): Promise<Exit> {
    const exit = await this.#program.terminate()
    await this.api[Symbol.asyncDispose]()
    return exit
  }

  get complaints(): string {
    return this.#program.complaints
  }

  async newestSession(jobId: string): Promise<JobSession | undefined> {
    return (await this.api.ok<JobSession[]>('GET', `/v4/Jobs/${jobId}/JobSessions`))[0]
  }

  async startJob(jobId: string): Promise<JobSession> {
    await this.api.ok('POST', `/v4/Jobs/${jobId}/Action`, { start: null })
    return (await this.newestSession(jobId))!
  }

  async ended(jobId: string, withinMs = 120_000): Promise<JobSession> {
    for (const until = Date.now() + withinMs; Date.now() < until; await delay(100)) {
      const session = await this.newestSession(jobId)
      if (session !== undefined && HAS_ENDED.includes(session.status)) return session
    }
    throw new Error('the session does not end')
  }
}

const logIn = async (url: string, caFile: string): Promise<string> => {
  await using client = new HttpClient(url, caFile)
  const form = new URLSearchParams({
    grant_type: 'password',
    username: ADMINISTRATOR.name,
    password: ADMINISTRATOR.password,
  })
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const answer = await client.send('/v4/token', { method: 'POST', body: form.toString(), headers })
  if (answer.status !== 200) throw new Error(`log-in answered ${answer.status}: ${answer.text}`)
  return answer.json<{ access_token: string }>().access_token
}

const settingsOf = (
  account: string,
  password: string,
  { applicationId, applicationSecret }: TenantReady,
) => ({
  useMfa: true,
  account,
  password,
  applicationId,
  applicationSecret,
})

/** The body of `POST /v4/Organizations`. */
export const organizationBody = (tenant: TenantReady) => ({
  type: 'Office365',
  region: 'Worldwide',
  isExchangeOnline: true,
  isSharePointOnline: true,
  exchangeOnlineSettings: settingsOf(tenant.exchangeAccount, tenant.exchangeAppPassword, tenant),
  sharePointOnlineSettings: settingsOf(tenant.sharePointAccount, tenant.sharePointAppPassword, tenant),
})
