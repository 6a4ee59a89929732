import {
  create,
  type DescMessage,
  fromJson,
  fromJsonString,
  type MessageInitShape,
  type MessageShape,
  toJson,
} from '@bufbuild/protobuf'
import { malformed } from './call.ts'

/** Zeros and empty lists are answers; a field we do not know is a mistake, nothing to leave out of a ledger. */
export const JSON_OPTIONS = { alwaysEmitImplicit: true, ignoreUnknownFields: false } as const

/**
 * Reads a body; names are those of JSON or of the proto.
 * @throws PortfolioError MALFORMED_REQUEST for what is no JSON of the message, invalid UTF-8 included.
 */
export function readBody<Input extends DescMessage>(
  input: Input,
  body: unknown,
): MessageShape<Input> {
  try {
    const bytes = body instanceof Uint8Array ? body : new Uint8Array()
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return fromJsonString(input, text, JSON_OPTIONS)
  } catch (error) {
    throw malformed(input, error)
  }
}

/**
 * Reads a query string's fields, each given once.
 * @throws PortfolioError MALFORMED_REQUEST for what are no fields of the message.
 */
export function readQueryFields<Input extends DescMessage>(
  input: Input,
  query: unknown,
): MessageShape<Input> {
  try {
    return fromJson(input, { ...(query as Record<string, string>) }, JSON_OPTIONS)
  } catch (error) {
    throw malformed(input, error)
  }
}

export function messageJson<Output extends DescMessage>(
  output: Output,
  message: MessageInitShape<Output>,
): string {
  return JSON.stringify(toJson(output, create(output, message), JSON_OPTIONS))
}
