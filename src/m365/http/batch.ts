import { HoldfastError, type JsonObject } from '#base'
import { objectOf, objectsOf, numberOf, textOf } from '../graph-json.ts'
import type { Call, GraphClient } from './graph-client.ts'
import { errorOf, recoveryOf, failureOfBody } from './graph-failure.ts'

/** What became of one entry of a batch. */
export type BatchAnswer =
  { readonly json: JsonObject; readonly error?: undefined } | { readonly error: HoldfastError }

const MAX_ENTRIES = 20
const MAX_ROUNDS = 8
const FALLBACK_PAUSE_MS = 5000

export interface BatchCall extends Pick<Call, 'pool' | 'signal'> {
  /** Below `/v1.0`, at most 20. */
  readonly paths: readonly string[]
  readonly prefer?: readonly string[]
}

/** Reads several resources in one request. Entries that the service throttles are asked again, after its pause. */
export async function batchGet(graph: GraphClient, call: BatchCall): Promise<readonly BatchAnswer[]> {
  const { paths, pool, signal } = call
  if (paths.length > MAX_ENTRIES) throw new HoldfastError('invalid', 'a batch takes 20 entries at most')
  const answers = new Map<number, BatchAnswer>()
  for (let round = 1; answers.size < paths.length; round += 1) {
    const open = paths.map((_, index) => index).filter((index) => !answers.has(index))
    const json = await graph.json({
      method: 'POST',
      path: '/$batch',
      pool,
      cost: open.length,
      body: { requests: open.map((index) => entry(index, paths[index]!, call.prefer)) },
      isRepeatable: true,
      signal,
    })
    const pauseMs = take(json, answers, round === MAX_ROUNDS)
    for (const index of open) {
      if (round === MAX_ROUNDS && !answers.has(index)) answers.set(index, { error: unanswered() })
    }
    if (pauseMs > 0) pool.pause(pauseMs)
  }
  return paths.map((_, index) => answers.get(index)!)
}

/** Keeps what is final; gives the pause that the rest asks for. */
function take(json: JsonObject, answers: Map<number, BatchAnswer>, isLastRound: boolean): number {
  let pauseMs = 0
  for (const response of objectsOf(json, 'responses')) {
    const index = Number(textOf(response, 'id'))
    const status = numberOf(response, 'status') ?? 0
    const body = objectOf(response, 'body')
    if (status >= 200 && status < 300) {
      answers.set(index, { json: body ?? {} })
      continue
    }
    const failure = failureOfBody(status, body)
    if (recoveryOf(failure) === 'final' || isLastRound) {
      answers.set(index, { error: errorOf(failure) })
      continue
    }
    const headers = objectOf(response, 'headers')
    const seconds = Number(textOf(headers, 'Retry-After') ?? textOf(headers, 'retry-after') ?? Number.NaN)
    pauseMs = Math.max(pauseMs, Number.isFinite(seconds) ? seconds * 1000 : FALLBACK_PAUSE_MS)
  }
  return pauseMs
}

function entry(index: number, path: string, prefer: readonly string[] | undefined): JsonObject {
  const headers = prefer === undefined ? {} : { headers: { Prefer: prefer.join(', ') } }
  return { id: String(index), method: 'GET', url: path, ...headers }
}

function unanswered(): HoldfastError {
  return new HoldfastError('unavailable', 'Microsoft 365 left an entry of a batch without an answer')
}
