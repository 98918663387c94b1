// Writes the section of docs/status.md that tells which operations of the REST contract answer 501. `--check` only compares.
import { readFileSync, writeFileSync, existsSync } from 'node:fs'
import { contractRows } from '../src/api/contract-operations.ts'
import { openApiFor, operationsOf, VERSIONS, type ApiParts } from '../src/api/index.ts'

const FILE = 'docs/status.md'
const BEGIN = '<!-- operations: made by scripts/api-status.ts -->'
const END = '<!-- end of operations -->'

const operations = operationsOf({ engine: {}, service: {} } as unknown as ApiParts)
const shape = (path: string): string => path.replace(/\{[^}]*\}/g, '{}').toLowerCase()

const built = new Set<string>()
for (const version of VERSIONS) {
  const { paths } = openApiFor(version, operations) as { paths: Record<string, object> }
  for (const [path, methods] of Object.entries(paths))
    for (const method of Object.keys(methods)) built.add(`${method.toUpperCase()} ${shape(path)}`)
}
const isBuilt = (version: string, method: string, path: string): boolean =>
  built.has(`${method} ${shape(`/${version}${path}`)}`)

const counts = VERSIONS.map((version) => {
  const known = contractRows.filter(({ versions }) => versions.includes(version))
  const done = known.filter(({ method, path }) => isBuilt(version, method, path))
  return `| ${version} | ${done.length} | ${known.length} |`
})

const groups = new Map<string, string[]>()
for (const { group, method, path, versions } of contractRows) {
  const missing = versions.filter((version) => !isBuilt(version, method, path))
  if (missing.length === 0) continue
  const line = `\`${method} ${path.replaceAll('{}', '…')}\` (${missing.join(', ')})`
  groups.set(group, [...(groups.get(group) ?? []), line])
}

const section = [
  BEGIN,
  '| version | operations built | of |',
  '| --- | --- | --- |',
  ...counts,
  '',
  'These are known and answer 501:',
  '',
  ...[...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([group, lines]) => `- **${group}**: ${lines.join(', ')}`),
  END,
].join('\n')

const before = existsSync(FILE)
  ? readFileSync(FILE, 'utf8')
  : `# Status\n\nWhat is not built yet.\n\n## REST operations\n\n${BEGIN}\n${END}\n`
const begin = before.indexOf(BEGIN)
const end = before.indexOf(END)
const after =
  begin < 0 || end < 0
    ? `${before.trimEnd()}\n\n## REST operations\n\n${section}\n`
    : before.slice(0, begin) + section + before.slice(end + END.length)

if (process.argv.includes('--check')) {
  if (after !== before) {
    console.error(`${FILE} is not current: run node scripts/api-status.ts`)
    process.exit(1)
  }
} else writeFileSync(FILE, after)
console.log(counts.join('\n'))
