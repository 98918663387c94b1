import fastifySwagger from '@fastify/swagger'
import fastifySwaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import type { OpenAPIV3 } from 'openapi-types'
import { openApiFor } from './contract/openapi.ts'
import type { Operation } from './contract/operation.ts'
import { VERSIONS, type Version } from './contract/versions.ts'

/** Serves each version's OpenAPI document and its Swagger UI, to anybody: neither holds what is not published. */
export const serveDocuments =
  (version: Version, operations: readonly Operation[]) =>
  async (app: FastifyInstance): Promise<void> => {
    const document = openApiFor(version, operations) as unknown as OpenAPIV3.Document
    const text = JSON.stringify(document)
    app.get(`/${version}/swagger.json`, async (_request, reply) =>
      reply.header('content-type', 'application/json; charset=utf-8').send(text),
    )
    await app.register(fastifySwagger, { mode: 'static', specification: { document } })
    await app.register(fastifySwaggerUi, {
      routePrefix: `/${version}/swagger`,
      uiConfig: { docExpansion: 'none', persistAuthorization: true },
    })
  }

/** The page at `/`: what this is and where its documents are. */
export const welcomePage = (): string => {
  const rows = VERSIONS.map(
    (version) =>
      `<li>${version}: <a href="/${version}/swagger">Swagger UI</a>, <a href="/${version}/swagger.json">OpenAPI</a></li>`,
  )
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Holdfast</title>
<h1>Holdfast</h1><p>Backup of Microsoft 365. The REST API in its versions:</p><ul>${rows.join('')}</ul></html>`
}
