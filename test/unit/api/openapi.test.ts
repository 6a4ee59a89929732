import { create, type DescMessage, type Message, toJson } from '@bufbuild/protobuf'
import { reflect } from '@bufbuild/protobuf/reflect'
import { describe, expect, it } from '@jest/globals'
import { openApiDocument } from '../../../src/api/openapi.ts'
import { PortfolioService } from '../../../gen/portfolio/v1/portfolio_service_pb.ts'

interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly enum?: readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
}

interface Content {
  readonly content: { readonly 'application/json': { readonly schema: Schema } }
}

interface Operation {
  readonly parameters: readonly { readonly name: string; readonly in: string }[]
  readonly requestBody?: Content
  readonly responses: Readonly<Record<string, Content>>
}

const document = openApiDocument() as unknown as {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<'get' | 'post', Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}
const { get, post } = document.paths['/portfolio']!
const { updatePortfolio, getPortfolio } = PortfolioService.method

function names({ parameters }: Operation, place: string): readonly string[] {
  return parameters.filter((one) => one.in === place).map(({ name }) => name)
}

describe('openApiDocument', () => {
  it('describes the operations', () => {
    expect(document.openapi).toBe('3.1.0')
    expect(Object.keys(document.paths)).toEqual(['/portfolio', '/report'])
    expect(names(get, 'query')).toEqual(getPortfolio.input.fields.map(({ name }) => name))
    expect(names(document.paths['/report']!.get, 'query')).toEqual([
      'user_id',
      'benchmark',
      'start_date',
      'end_date',
      'reporting_currency',
    ])
    expect(names(post, 'header')).toEqual([
      'idempotency-key',
      'if-match',
      'portfolio-validate-only',
      'portfolio-reporting-currency',
      'x-request-id',
    ])
  })

  it('refers only to schemas it has', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)]
    expect(references.length).toBeGreaterThanOrEqual(10)
    for (const [, reference] of references) expect(find(reference!)).toBeDefined()
  })

  it.each([
    ['the request', post.requestBody!, updatePortfolio.input],
    ['the answer of POST', post.responses['200']!, updatePortfolio.output],
    ['the answer of GET', get.responses['200']!, getPortfolio.output],
  ] satisfies [string, Content, DescMessage][])(
    'has a schema that fits every field of %s',
    (_what: string, { content }: Content, message: DescMessage) => {
      const json = toJson(message, fill(message), { alwaysEmitImplicit: true })
      expect(problems(json, content['application/json'].schema, '')).toEqual([])
    },
  )

  it('has a check of schemas that finds what does not fit', () => {
    const { schema } = post.requestBody!.content['application/json']
    const json = { userId: 1, users: [], transactions: [{ type: 'GIFT', price: '1' }] }
    expect(problems(json, schema, '')).toEqual([
      '/userId is number',
      '/users is unknown',
      '/transactions/0/type is GIFT',
      '/transactions/0/price is string',
    ])
  })
})

/** A message with every field set, one element in each list. */
function fill(desc: DescMessage, depth = 0): Message {
  const message = create(desc)
  if (depth > 4) return message
  const fields = reflect(desc, message)
  for (const field of desc.fields) {
    if (field.fieldKind === 'message')
      fields.set(field, reflect(field.message, fill(field.message, depth + 1)))
    if (field.fieldKind === 'list') {
      const list = fields.get(field)
      if (field.listKind === 'message')
        list.add(reflect(field.message, fill(field.message, depth + 1)))
    }
  }
  return message
}

function find(reference: string): Schema | undefined {
  return document.components.schemas[reference.replace('#/components/schemas/', '')]
}

function problems(value: unknown, schema: Schema, path: string): readonly string[] {
  if (schema.$ref !== undefined) return problems(value, find(schema.$ref)!, path)
  const type = Array.isArray(value) ? 'array' : typeof value
  const types = [schema.type ?? []].flat().map((one) => (one === 'integer' ? 'number' : one))
  if (!types.includes(type)) return [`${path} is ${type}`]
  if (schema.enum?.includes(value as string) === false) return [`${path} is ${String(value)}`]
  if (Array.isArray(value)) {
    return value.flatMap((item, index) => problems(item, schema.items!, `${path}/${index}`))
  }
  if (type !== 'object') return []
  return Object.entries(value as object).flatMap(([key, field]) => {
    const known = schema.properties?.[key]
    return known ? problems(field, known, `${path}/${key}`) : [`${path}/${key} is unknown`]
  })
}
