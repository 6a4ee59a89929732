import { z } from 'zod'

/** One environment variable. */
export interface Setting<Schema extends z.ZodType> {
  /** The environment variable. */
  readonly name: string
  readonly default: string | undefined
  readonly meaning: string
  /** What it accepts, to follow "must be". */
  readonly takes: string
  /** From the variable's text, or undefined when it is not set and has no default. */
  readonly schema: Schema
  /** Its value is not repeated in messages. */
  readonly secret: boolean
}

export function setting<Schema extends z.ZodType>(
  name: string,
  text: { default?: string; meaning: string; takes: string; secret?: boolean },
  schema: Schema,
): Setting<Schema> {
  return { name, secret: false, ...text, default: text.default, schema }
}

export function wholeNumber(min: number, max: number) {
  return z.string().regex(/^\d+$/).transform(Number).pipe(z.number().min(min).max(max))
}

export function choice<Value>(values: Readonly<Record<string, Value>>) {
  return z.enum(Object.keys(values)).transform((text) => values[text] as Value)
}

export function url(protocols: readonly string[]) {
  const isUrl = (text: string): boolean =>
    URL.canParse(text) && protocols.includes(new URL(text).protocol)
  return z.string().refine(isUrl)
}
