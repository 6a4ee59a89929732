import { parseArgs, type ParseArgsConfig } from 'node:util'

/** The command was not given as it has to be. */
export class ImportUsageError extends Error {
  override readonly name = 'ImportUsageError'
}

/** Not everything was taken; the message says what was and what was not. */
export class ImportIncomplete extends Error {
  override readonly name = 'ImportIncomplete'
}

/** The one file of a command and its options. @throws ImportUsageError. */
export function readArguments<Options extends NonNullable<ParseArgsConfig['options']>>(
  args: readonly string[],
  usage: string,
  options: Options,
) {
  try {
    const parsed = parseArgs({ args: [...args], allowPositionals: true, options })
    const [file, ...more] = parsed.positionals
    if (file === undefined || more.length > 0) throw new ImportUsageError('one FILE is needed')
    return { file, values: parsed.values }
  } catch (error) {
    throw new ImportUsageError(`${(error as Error).message}\n${usage}`)
  }
}

/** True for "dmy", false for "mdy", undefined for none. @throws ImportUsageError. */
export function readDateOrder(order: string | undefined, usage: string): boolean | undefined {
  if (order === undefined) return undefined
  if (order !== 'mdy' && order !== 'dmy') throw new ImportUsageError(usage)
  return order === 'dmy'
}
