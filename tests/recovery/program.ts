import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

const READY_WITHIN_MS = 120_000

/** `bin/holdfast …` as a process of its own, which a test may kill. */
export class Program {
  readonly #child: ChildProcess
  readonly exited: Promise<Exit>
  #complaints = ''

  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.#child = spawn('bin/holdfast', [...args, '--json'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    })
    this.#child.stderr!.on('data', (piece: Buffer) => {
      this.#complaints = (this.#complaints + piece.toString()).slice(-20_000)
    })
    this.exited = once(this.#child, 'exit').then(([code, signal]) => ({ code, signal }) as Exit)
  }

  /** What it wrote to standard error. */
  get complaints(): string {
    return this.#complaints
  }

  /** Its first line, which says that it is ready. */
  async ready<Ready>(): Promise<Ready> {
    const patience = AbortSignal.timeout(READY_WITHIN_MS)
    const lines = createInterface({ input: this.#child.stdout! })
    const line = once(lines, 'line', { signal: patience }).then(([text]) => String(text))
    line.catch(() => {})
    const gone = this.exited.then(({ code, signal }) => {
      throw new Error(`it ended with ${code ?? signal}: ${this.#complaints}`)
    })
    return JSON.parse(await Promise.race([line, gone])) as Ready
  }

  async kill(): Promise<Exit> {
    this.#child.kill('SIGKILL')
    return this.exited
  }

  async terminate(): Promise<Exit> {
    this.#child.kill('SIGTERM')
    return this.exited
  }
}
