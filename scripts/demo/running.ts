import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** A child process of ours that has said that it is ready, as one line of JSON. */
export interface Running<Ready> {
  readonly ready: Ready
  readonly pid: number
  /** SIGTERM, and SIGKILL when that does not help within ten seconds. */
  stop(): Promise<void>
}

export interface Launch {
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** For at most this long. */
  readonly readyWithinMs: number
  /** Goes on when this program ends. */
  readonly detached: boolean
}

/** Starts `bin/holdfast …` and waits for its line of JSON. */
export const startHoldfast = async <Ready>(launch: Launch): Promise<Running<Ready>> => {
  const child = spawn('bin/holdfast', [...launch.args, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...launch.env },
    detached: launch.detached,
  })
  const complaints: string[] = []
  child.stderr.on('data', (piece: Buffer) => {
    complaints.push(piece.toString())
    if (complaints.length > 50) complaints.shift()
  })
  const ready = await firstLine(child, launch.readyWithinMs).catch(async (error: unknown) => {
    await end(child)
    throw new Error(`holdfast ${launch.args[0]} did not start: ${String(error)}\n${complaints.join('')}`)
  })
  return { ready: JSON.parse(ready) as Ready, pid: child.pid!, stop: () => end(child) }
}

const firstLine = async (child: ChildProcess, withinMs: number): Promise<string> => {
  const lines = createInterface({ input: child.stdout! })
  const patience = AbortSignal.timeout(withinMs)
  const ended = once(child, 'exit', { signal: patience }).then(([code]) => {
    throw new Error(`it ended with code ${String(code)}`)
  })
  const line = once(lines, 'line', { signal: patience }).then(([text]) => String(text))
  return Promise.race([line, ended])
}

const end = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  const impatience = setTimeout(() => child.kill('SIGKILL'), 10_000)
  await gone
  clearTimeout(impatience)
}
