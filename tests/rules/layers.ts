// Runs dependency-cruiser and refuses a run that looked at nothing.
import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'

const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
const args = ['src', '--config', '.dependency-cruiser.cjs', '--output-type', 'json']
const json = execFileSync('node_modules/.bin/depcruise', args, {
  encoding: 'utf8',
  maxBuffer: 1 << 28,
})
const { summary } = JSON.parse(json) as {
  summary: { totalCruised: number; violations: { rule: { name: string }; from: string; to: string }[] }
}
for (const { rule, from, to } of summary.violations) console.error(`${rule.name}: ${from} → ${to}`)
if (summary.totalCruised < files.length) {
  console.error(`only ${summary.totalCruised} of ${files.length} modules were looked at`)
  process.exit(1)
}
console.log(`layers: ${summary.totalCruised} modules, ${summary.violations.length} violations`)
process.exit(summary.violations.length === 0 ? 0 : 1)
