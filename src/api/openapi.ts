import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf'
import { PortfolioService } from '../../gen/portfolio/v1/portfolio_service_pb.ts'
import { PORTFOLIO_PATH } from './http-portfolio.ts'
import { REPORT_PATH } from './http-report.ts'
import { REPORT_PARAMETERS } from './report-request.ts'

interface Json {
  readonly [key: string]: Json | readonly (Json | string)[] | string | boolean | number
}

const { updatePortfolio, getPortfolio } = PortfolioService.method

/** Request headers, as the README describes them. */
const ANY_HEADERS = {
  'portfolio-reporting-currency': 'The currency of the answer: three capital letters.',
  'x-request-id': 'Stands in logs, ledger and traces; the answer repeats it, or has a new one.',
}
const WRITE_HEADERS = {
  'idempotency-key': 'The same key with the same request applies once; 1 to 128 printable ASCII.',
  'if-match': 'An etag: the write is refused when the portfolio has changed since.',
  'portfolio-validate-only': '"true": checks and answers as if, writes nothing.',
  ...ANY_HEADERS,
}
const READ_HEADERS = {
  'if-none-match': 'An etag: 304 when the answer would be the same.',
  ...ANY_HEADERS,
}
const ANSWER_HEADERS = {
  'portfolio-etag': 'Names the state that was answered.',
  'portfolio-version': 'Grows by one with each committed request.',
  'portfolio-data-quality': 'complete, stale or partial.',
  'portfolio-priced-at': 'Time of the oldest price used.',
  'x-request-id': "The client's, or the one the server made.",
}
const WRITE_ANSWER_HEADERS = {
  'idempotency-replayed': '"true": the first answer again, nothing was applied.',
  'portfolio-warning': 'index:REASON, the first 16.',
  'portfolio-warning-count': 'How many warnings there are.',
  ...ANSWER_HEADERS,
}

/** The OpenAPI 3.1 description of `/portfolio`, made of the contract's descriptors, and of `/report`. */
export function openApiDocument(): Json {
  const schemas: Record<string, Json> = { 'google.rpc.Status': STATUS }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Portfolio Tracking Service',
      version: 'v1',
      description:
        'Every unary RPC of portfolio.v1 is served beside these by the Connect protocol, at /portfolio.v1.<Service>/<Rpc>.',
    },
    paths: {
      [PORTFOLIO_PATH]: {
        post: {
          operationId: updatePortfolio.name,
          summary: 'Applies transactions, all or none, and answers the portfolio after them.',
          parameters: headerParameters(WRITE_HEADERS),
          requestBody: { required: true, content: jsonOf(updatePortfolio.input, schemas) },
          responses: {
            '200': answerOf(updatePortfolio.output, WRITE_ANSWER_HEADERS, schemas),
            default: FAILURE,
          },
        },
        get: {
          operationId: getPortfolio.name,
          summary: 'The portfolio now, at a past moment, or as it was known at one.',
          parameters: [
            ...queryParameters(getPortfolio.input, schemas),
            ...headerParameters(READ_HEADERS),
          ],
          responses: {
            '200': answerOf(
              getPortfolio.output,
              { etag: 'For if-none-match and if-match.', ...ANSWER_HEADERS },
              schemas,
            ),
            '304': { description: 'What if-none-match names is the answer still.' },
            default: FAILURE,
          },
        },
      },
      [REPORT_PATH]: { get: REPORT },
    },
    components: { schemas },
  }
}

const TEXT: Json = { type: 'string' }

const STATUS: Json = {
  type: 'object',
  required: ['code', 'message'],
  properties: {
    code: { type: 'integer', description: 'google.rpc.Code' },
    message: { type: 'string' },
    details: {
      type: 'array',
      description:
        'google.rpc.ErrorInfo with a reason for programs, BadRequest with all fields that are wrong, ...',
      items: {
        type: 'object',
        required: ['@type'],
        properties: { '@type': { type: 'string' } },
        additionalProperties: true,
      },
    },
  },
}

const FAILURE: Json = {
  description: 'A refusal or a failure.',
  content: { 'application/json': { schema: { $ref: '#/components/schemas/google.rpc.Status' } } },
}

const REPORT: Json = {
  operationId: 'GetReport',
  summary: 'The report of a portfolio as one HTML page that needs nothing beside it.',
  parameters: [
    ...Object.entries(REPORT_PARAMETERS).map(([name, description]) => {
      return { name, in: 'query', required: name === 'user_id', description, schema: TEXT }
    }),
    ...headerParameters({ 'x-request-id': ANY_HEADERS['x-request-id'] }),
  ],
  responses: {
    '200': {
      description: 'OK',
      headers: { 'x-request-id': { description: ANSWER_HEADERS['x-request-id'], schema: TEXT } },
      content: { 'text/html': { schema: TEXT } },
    },
    default: FAILURE,
  },
}

type Schemas = Record<string, Json>

function answerOf(
  output: DescMessage,
  headers: Readonly<Record<string, string>>,
  schemas: Schemas,
): Json {
  const described = Object.entries(headers).map(([name, description]) => {
    return [name, { description, schema: { type: 'string' } }] as const
  })
  return {
    description: 'OK',
    headers: Object.fromEntries(described),
    content: jsonOf(output, schemas),
  }
}

function jsonOf(message: DescMessage, schemas: Schemas): Json {
  return { 'application/json': { schema: messageSchema(message, schemas) } }
}

function headerParameters(headers: Readonly<Record<string, string>>): readonly Json[] {
  return Object.entries(headers).map(([name, description]) => {
    return { name, in: 'header', description, schema: { type: 'string' } }
  })
}

/** By the names of the contract, as the specification writes `user_id`; JSON's names are taken too. */
function queryParameters(message: DescMessage, schemas: Schemas): readonly Json[] {
  return message.fields.map((field) => {
    const required = field.name === 'user_id'
    return { name: field.name, in: 'query', required, schema: fieldSchema(field, schemas) }
  })
}

const SCALARS: Readonly<Partial<Record<ScalarType, Json>>> = {
  [ScalarType.BOOL]: { type: 'boolean' },
  [ScalarType.DOUBLE]: { type: 'number', format: 'double' },
  [ScalarType.INT32]: { type: 'integer', format: 'int32' },
  // Answers are texts: a number of JSON is exact up to 2^53 only.
  [ScalarType.INT64]: { type: ['string', 'integer'], format: 'int64' },
  [ScalarType.STRING]: { type: 'string' },
}

const WELL_KNOWN: Readonly<Record<string, Json>> = {
  'google.protobuf.Timestamp': { type: 'string', format: 'date-time' },
  'google.protobuf.Duration': { type: 'string', examples: ['1.5s'] },
}

/** A reference to the message's schema, which is added to the schemas with all it refers to. */
function messageSchema(message: DescMessage, schemas: Schemas): Json {
  const known = WELL_KNOWN[message.typeName]
  if (known !== undefined) return known
  if (schemas[message.typeName] === undefined) {
    const properties: Record<string, Json> = {}
    const schema = { type: 'object', properties, additionalProperties: false }
    schemas[message.typeName] = schema
    for (const field of message.fields) properties[field.jsonName] = fieldSchema(field, schemas)
  }
  return { $ref: `#/components/schemas/${message.typeName}` }
}

function fieldSchema(field: DescField, schemas: Schemas): Json {
  const schema = elementSchema(field, schemas)
  if (field.fieldKind === 'list') return { type: 'array', items: schema }
  return field.fieldKind === 'map' ? { type: 'object', additionalProperties: schema } : schema
}

/** Of a field itself, or of one of its elements. */
function elementSchema(field: DescField, schemas: Schemas): Json {
  if (field.enum !== undefined) {
    return { type: 'string', enum: field.enum.values.map(({ name }) => name) }
  }
  if (field.message !== undefined) return messageSchema(field.message, schemas)
  const schema = SCALARS[field.scalar]
  if (schema === undefined)
    throw new Error(`no schema is known for the type of ${field.toString()}`)
  return schema
}
