import type { Json, JsonObject } from '#base'
import { ACCOUNT_STATES, type AccountState, type Grant } from '../entra/entra-rows.ts'
import { GraphError, type Route, type TenantAnswer, type TenantRequest } from './contract.ts'
import { FAULT_KINDS, type FaultKind, type FaultPlan, type FaultRule } from './faults.ts'
import type { PracticeControls } from './controls.ts'

// What the world outside a tenant decides: administrators' decisions in portals that have no API here, and faults.

const wrong = (message: string): GraphError => new GraphError(400, 'BadRequest', message)

const text = (body: JsonObject, name: string): string => {
  const value = body[name]
  if (typeof value !== 'string' || value === '') throw wrong(`${name} must be a text`)
  return value
}

const optionalNumber = (body: JsonObject, name: string): number | undefined => {
  const value = body[name]
  if (value === undefined) return undefined
  if (typeof value !== 'number' || !(value >= 0)) throw wrong(`${name} must be a number`)
  return value
}

const faultKind = (value: Json | undefined): FaultKind => {
  const kind = FAULT_KINDS.find((known) => known === value)
  if (kind === undefined) throw wrong(`kind must be one of ${FAULT_KINDS.join(', ')}`)
  return kind
}

const NUMBERS = ['nth', 'times', 'status', 'retryAfterSeconds', 'delayMs'] as const

const ruleOf = (body: JsonObject): FaultRule => {
  const numbers = NUMBERS.map((name) => [name, optionalNumber(body, name)] as const)
  return {
    path: text(body, 'path'),
    ...(body['method'] === undefined ? {} : { method: text(body, 'method') }),
    ...(body['code'] === undefined ? {} : { code: text(body, 'code') }),
    ...(body['kind'] === undefined ? {} : { kind: faultKind(body['kind']) }),
    ...Object.fromEntries(numbers.filter(([, value]) => value !== undefined)),
  }
}

const planOf = (body: JsonObject): FaultPlan => {
  const rates = (body['rates'] ?? {}) as JsonObject
  const read = Object.keys(rates).map((name) => [faultKind(name), optionalNumber(rates, name) ?? 0] as const)
  return { seed: optionalNumber(body, 'seed') ?? 1, rates: Object.fromEntries(read) }
}

const grantsOf = (body: JsonObject): Grant[] =>
  (Array.isArray(body['grants']) ? body['grants'] : []).map((value) => {
    const grant = value as JsonObject
    return { resource: text(grant, 'resource'), role: text(grant, 'role') }
  })

const applicationOf = (body: JsonObject): string | undefined =>
  body['application'] === undefined ? undefined : text(body, 'application')

const accountChange = (body: JsonObject) => {
  const state = body['state']
  if (state !== undefined && !ACCOUNT_STATES.some((known) => known === state)) {
    throw wrong(`state must be one of ${ACCOUNT_STATES.join(', ')}`)
  }
  return {
    ...(body['password'] === undefined ? {} : { password: text(body, 'password') }),
    ...(body['appPassword'] === undefined ? {} : { appPassword: text(body, 'appPassword') }),
    ...(typeof body['mfa'] === 'boolean' ? { mfa: body['mfa'] } : {}),
    ...(state === undefined ? {} : { state: state as AccountState }),
  }
}

type Answer = (request: TenantRequest) => Promise<unknown> | unknown

const changeSettings = async (controls: PracticeControls, request: TenantRequest): Promise<unknown> => {
  const body = await request.json()
  if (typeof body['throttling'] === 'boolean') controls.settings.throttling = body['throttling']
  if (typeof body['legacyEws'] === 'boolean') controls.settings.legacyEws = body['legacyEws']
  if (typeof body['toleratesTokens'] === 'boolean')
    controls.settings.toleratesTokens = body['toleratesTokens']
  const seconds = optionalNumber(body, 'tokenLifetimeSeconds')
  if (seconds !== undefined) controls.setTokenLifetime(seconds)
  const limits = (body['limits'] ?? {}) as JsonObject
  controls.setLimits(
    Object.fromEntries(Object.keys(limits).map((name) => [name, optionalNumber(limits, name)!])),
  )
  return { ...controls.settings }
}

const answers = (controls: PracticeControls): readonly [Route['method'], string, Answer][] => [
  ['GET', 'counters', () => controls.counters.view()],
  ['DELETE', 'counters', () => controls.counters.reset()],
  ['GET', 'requests', () => ({ value: controls.counters.recent() })],
  ['GET', 'faults', () => ({ value: controls.faults.rules() })],
  ['POST', 'faults', async (request) => controls.faults.addRule(ruleOf(await request.json()))],
  ['PUT', 'faults', async (request) => controls.faults.setPlan(planOf(await request.json()))],
  ['DELETE', 'faults', () => controls.faults.clear()],
  ['PATCH', 'settings', (request) => changeSettings(controls, request)],
  ['POST', 'grants', async (request) => {
    const body = await request.json()
    controls.grant(grantsOf(body), applicationOf(body))
  }],
  ['DELETE', 'grants', async (request) => {
    const body = await request.json()
    controls.revoke(grantsOf(body), applicationOf(body))
  }],
  ['POST', 'certificates', async (request) => {
    const body = await request.json()
    return { thumbprint: controls.registerCertificate(text(body, 'pem'), applicationOf(body)) }
  }],
  ['POST', 'secrets/expire', async (request) => controls.expireSecrets(applicationOf(await request.json()))],
  ['PATCH', 'accounts/:name', async (request) =>
    controls.setAccount(request.params['name']!, accountChange(await request.json()))],
  ['POST', 'device-codes/:code', async (request) => {
    const body = await request.json()
    controls.answerDeviceCode(request.params['code']!, body['declined'] === true ? undefined : text(body, 'account'))
  }],
] // prettier-ignore

/** `/_practice/…` on the login host, for whoever has the key of this run. */
export const practiceRoutes = (controls: PracticeControls): readonly Route[] =>
  answers(controls).map(([method, path, answer]) => ({
    role: 'login',
    method,
    path: `/_practice/${path}`,
    area: 'open',
    handler: async (request): Promise<TenantAnswer> => {
      if (request.headers['authorization'] !== `Bearer ${controls.key}`) {
        throw new GraphError(401, 'unauthenticated', 'The key of this practice tenant is missing or wrong.')
      }
      const json = await answer(request)
      return json === undefined ? { status: 204 } : { status: 200, json }
    },
  }))
