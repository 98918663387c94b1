// Every check and every test, one after the other; the last line counts them: `N passed, N failed`.
// `node tests/run.ts PATTERN…` runs only the tests whose file name holds a pattern.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const patterns = process.argv.slice(2)
let passed = 0
let failed = 0

const run = (command: string, args: string[]): boolean =>
  spawnSync(command, args, { stdio: 'inherit', env: process.env }).status === 0

const check = (name: string, command: string, args: string[]): void => {
  const ok = run(command, args)
  console.log(`${ok ? 'ok' : 'FAILED'}: ${name}`)
  if (ok) passed += 1
  else failed += 1
}

if (patterns.length === 0) {
  check('types', 'node_modules/.bin/tsc', ['--noEmit', '-p', 'tsconfig.json'])
  check('lint', 'node_modules/.bin/eslint', ['.'])
  check('format', 'node_modules/.bin/prettier', ['--check', '--log-level', 'warn', '.'])
  check('layers', process.execPath, ['tests/rules/layers.ts'])
}

const scratch = mkdtempSync(join(tmpdir(), 'holdfast-test-'))
try {
  const report = join(scratch, 'report.json')
  const args = ['run', ...patterns, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const ok = run('node_modules/.bin/vitest', args)
  const { numPassedTests, numFailedTests, numFailedTestSuites, numPendingTests } = JSON.parse(
    readFileSync(report, 'utf8'),
  ) as {
    numPassedTests: number
    numFailedTests: number
    numFailedTestSuites: number
    numPendingTests: number
  }
  passed += numPassedTests
  failed += numFailedTests
  if (numPendingTests > 0)
    console.log(`${numPendingTests} not run on this machine: see the report above for why`)
  // A file that does not load has no failed test, yet is a failure.
  if (!ok && numFailedTests === 0) failed += Math.max(1, numFailedTestSuites)
} catch (error) {
  console.error(`the test runner left no report: ${String(error)}`)
  failed += 1
} finally {
  rmSync(scratch, { recursive: true, force: true })
}

console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
