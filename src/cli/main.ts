import { messageOf } from '#base'
import { exitCodeOf } from './exit-codes.ts'
import { buildProgram } from './program.ts'

try {
  await buildProgram().parseAsync()
} catch (error) {
  process.stderr.write(`holdfast: ${messageOf(error)}\n`)
  process.exitCode = exitCodeOf(error)
}
