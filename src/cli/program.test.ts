import type { Command } from 'commander'
import { expect, it } from 'vitest'
import { buildProgram } from './program.ts'

const below = (command: Command): Command[] => command.commands.flatMap((each) => [each, ...below(each)])

it('declares no option of a command that the options before all commands would swallow', () => {
  const program = buildProgram()
  const before = new Set(program.options.map(({ long }) => long))
  const commands = below(program)
  expect(commands.length).toBeGreaterThan(50)
  const swallowed = commands.flatMap((command) =>
    command.options
      .filter(({ long }) => before.has(long))
      .map(({ long }) => `${command.parent?.name()} ${command.name()} ${long}`),
  )
  expect(swallowed).toEqual([])
})
