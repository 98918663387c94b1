// Who may import whom: one line per layer. Everything else here follows from this table.
const layers = {
  base: [],
  client: [],
  items: ['base'],
  storage: ['base'],
  database: ['base'],
  'practice-tenant': ['base', 'formats', 'items'],
  m365: ['base', 'items'],
  formats: ['base', 'items'],
  repository: ['base', 'storage'],
  engine: ['base', 'items', 'repository', 'formats', 'database', 'storage'],
  api: ['base', 'engine', 'items'],
  cli: ['client', 'base'],
  server: ['base', 'items', 'storage', 'repository', 'formats', 'm365', 'database', 'engine', 'api'],
}

const TESTS = '(\\.test\\.ts$|/tests/)'

const layerRules = Object.entries(layers).map(([layer, may]) => ({
  name: `layer-${layer}`,
  severity: 'error',
  from: { path: `^src/${layer}/`, pathNot: [TESTS, '^src/cli/start/'] },
  to: { path: '^src/', pathNot: `^src/(${[layer, ...may].join('|')})/` },
}))

module.exports = {
  forbidden: [
    ...layerRules,
    {
      name: 'no-deep-import',
      comment: 'Enter another layer by its index.ts only.',
      severity: 'error',
      from: { path: '^src/([^/]+)/', pathNot: TESTS },
      to: { path: '^src/([^/]+)/', pathNot: ['^src/$1/', '^src/[^/]+/index\\.ts$'] },
    },
    {
      name: 'no-circular',
      severity: 'error',
      from: { path: '^src/' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'only-starters-start-processes',
      comment:
        'The CLI works on the client alone; `serve` and `practice-tenant` start a process from src/cli/start.',
      severity: 'error',
      from: { path: '^src/cli/start/' },
      to: { path: '^src/', pathNot: '^src/(cli|client|base|server|practice-tenant)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
}
