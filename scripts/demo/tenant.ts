import { createHash } from 'node:crypto'
import { Https } from './https.ts'

/** What `holdfast practice-tenant --json` prints. */
export interface TenantAddresses {
  readonly tenantId: string
  readonly domain: string
  readonly login: string
  readonly graph: string
  readonly proxyUrl: string
  readonly caFile: string
  readonly applicationId: string
  readonly applicationSecret: string
  readonly editorApplicationId: string
  readonly editorApplicationSecret: string
  readonly exchangeAccount: string
  readonly exchangeAppPassword: string
  readonly sharePointAccount: string
  readonly sharePointAppPassword: string
}

export interface LiveUser {
  readonly id: string
  readonly userPrincipalName: string
  readonly displayName: string
}

export interface LiveMail {
  readonly id: string
  readonly subject: string
}

export interface LiveFile {
  readonly id: string
  readonly name: string
  readonly size: number
  /** Below the drive's root: `Reports/2026/Plan.docx`. */
  readonly path: string
}

interface DriveChild {
  readonly id: string
  readonly name: string
  readonly size: number
  readonly file?: object
  readonly folder?: object
  readonly malware?: object
}

const encodePath = (path: string): string => path.split('/').map(encodeURIComponent).join('/')

interface Listed<Item> {
  readonly value: readonly Item[]
}

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex')

/** Somebody who works in the tenant: looks at mail and files, and deletes them, through Microsoft Graph. */
export class TenantPerson {
  readonly #graph: Https

  private constructor(graph: Https) {
    this.#graph = graph
  }

  static async logIn(tenant: TenantAddresses): Promise<TenantPerson> {
    const login = new Https(tenant.login, tenant.caFile)
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: tenant.editorApplicationId,
      client_secret: tenant.editorApplicationSecret,
      scope: 'https://graph.microsoft.com/.default',
    })
    const { access_token } = await login.ok<{ access_token: string }>(
      'POST',
      `/${tenant.tenantId}/oauth2/v2.0/token`,
      form,
    )
    await login.close()
    const graph = new Https(tenant.graph, tenant.caFile)
    graph.token = access_token
    return new TenantPerson(graph)
  }

  async users(): Promise<readonly LiveUser[]> {
    const { value } = await this.#graph.ok<Listed<LiveUser>>(
      'GET',
      '/v1.0/users?$top=999&$select=id,displayName,userPrincipalName',
    )
    return value
  }

  /** The newest message of the inbox that has an attachment, else the newest one. */
  async somebodysMail(userId: string): Promise<LiveMail> {
    const path = `/v1.0/users/${userId}/mailFolders/inbox/messages?$top=200&$select=id,subject,hasAttachments`
    const { value } = await this.#graph.ok<Listed<LiveMail & { hasAttachments: boolean }>>('GET', path)
    const found = value.find(({ hasAttachments }) => hasAttachments) ?? value[0]
    if (found === undefined) throw new Error('the inbox is empty')
    return found
  }

  /** Properties that must come back, the body, the MIME text and every attachment. */
  async mailFingerprint(userId: string, mailId: string): Promise<string | undefined> {
    const base = `/v1.0/users/${userId}/messages/${mailId}`
    const answer = await this.#graph.call('GET', base)
    if (answer.status === 404) return undefined
    const mail = answer.json as Record<string, unknown>
    const kept = [
      'subject',
      'body',
      'from',
      'toRecipients',
      'ccRecipients',
      'receivedDateTime',
      'sentDateTime',
      'isRead',
    ]
    const more = [
      'isDraft',
      'flag',
      'categories',
      'importance',
      'internetMessageId',
      'parentFolderId',
      'hasAttachments',
    ]
    const properties = JSON.stringify([...kept, ...more].map((name) => mail[name]))
    const { value } = await this.#graph.ok<Listed<{ id: string; name: string }>>('GET', `${base}/attachments`)
    const hashes: string[] = []
    for (const { id, name } of value) {
      const content = await this.#graph.call('GET', `${base}/attachments/${id}/$value`)
      hashes.push(`${name} ${content.status} ${sha256(content.bytes)}`)
    }
    return sha256([properties, ...hashes.sort()].join('\n'))
  }

  /** Gone for good: not even Deleted Items has it. */
  async destroyMail(userId: string, mailId: string): Promise<void> {
    await this.#graph.ok('POST', `/v1.0/users/${userId}/messages/${mailId}/permanentDelete`, {})
  }

  async mailBySubject(userId: string, subject: string): Promise<readonly LiveMail[]> {
    const path = `/v1.0/users/${userId}/mailFolders/inbox/messages?$top=1000&$select=id,subject`
    const { value } = await this.#graph.ok<Listed<LiveMail>>('GET', path)
    return value.filter((mail) => mail.subject === subject)
  }

  /** A file of a good size, and where it is. */
  async somebodysFile(userId: string): Promise<LiveFile> {
    const files: LiveFile[] = []
    const folders = ['']
    for (let folder = folders.shift(); folder !== undefined && files.length < 20; folder = folders.shift()) {
      const at = folder === '' ? 'root' : `root:/${encodePath(folder)}:`
      const { value } = await this.#graph.ok<Listed<DriveChild>>(
        'GET',
        `/v1.0/users/${userId}/drive/${at}/children`,
      )
      for (const child of value) {
        const path = folder === '' ? child.name : `${folder}/${child.name}`
        if (child.folder !== undefined) folders.push(path)
        if (child.file !== undefined && child.malware === undefined) files.push({ ...child, path })
      }
    }
    const [largest] = files.sort((a, b) => b.size - a.size)
    if (largest === undefined) throw new Error('the drive has no file')
    return largest
  }

  async fileFingerprint(userId: string, path: string): Promise<string | undefined> {
    const base = `/v1.0/users/${userId}/drive/root:/${encodePath(path)}:`
    const answer = await this.#graph.call('GET', base.slice(0, -1))
    if (answer.status === 404) return undefined
    const file = answer.json as { fileSystemInfo?: unknown; size?: number }
    const content = await this.#graph.call('GET', `${base}/content`)
    if (content.status >= 300) throw new Error(`the content of ${path} answered ${content.status}`)
    return sha256(`${JSON.stringify(file.fileSystemInfo)} ${file.size} ${sha256(content.bytes)}`)
  }

  async destroyFile(userId: string, fileId: string): Promise<void> {
    await this.#graph.ok('POST', `/v1.0/users/${userId}/drive/items/${fileId}/permanentDelete`, {})
  }

  async close(): Promise<void> {
    await this.#graph.close()
  }
}
