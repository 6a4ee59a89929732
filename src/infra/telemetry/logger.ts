import { types } from 'node:util'
import { destination, type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino'

export type { Logger }

/** Deeper chains of causes than this are cut. */
const CAUSES_MAX = 5

/** JSON lines with UTC times. What is logged names no user and no amount; whoever adds a line keeps it so. */
export function createLogger(level: string, output?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: (error: unknown) => describeError(error) },
  }
  // Written at once: the last lines before an exit are the ones that matter.
  return pino(options, output ?? destination({ sync: true }))
}

interface ErrorDescription {
  readonly type: string
  readonly message: string
  readonly stack?: string
  readonly code?: string
  readonly reason?: string
  readonly constraint?: string
  readonly cause?: ErrorDescription
}

/**
 * An error with its stack and causes. Chosen fields alone: a database driver's errors carry whole rows in others.
 */
function describeError(error: unknown, depth = 0): ErrorDescription {
  if (!types.isNativeError(error)) return { type: typeof error, message: String(error) }
  const facts = error as Error & Record<'code' | 'reason' | 'constraint', unknown>
  return {
    type: error.name,
    message: error.message,
    ...(error.stack === undefined ? {} : { stack: error.stack }),
    ...textFact('code', facts.code),
    ...textFact('reason', facts.reason),
    ...textFact('constraint', facts.constraint),
    ...(error.cause === undefined || depth >= CAUSES_MAX
      ? {}
      : { cause: describeError(error.cause, depth + 1) }),
  }
}

function textFact<Name extends string>(name: Name, value: unknown): { [Key in Name]?: string } {
  const fact: { [Key in Name]?: string } = {}
  if (typeof value === 'string' || typeof value === 'number') fact[name] = String(value)
  return fact
}
