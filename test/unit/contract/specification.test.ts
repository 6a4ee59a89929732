import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { fromBinary, toJson } from '@bufbuild/protobuf'
import {
  type DescriptorProto,
  DescriptorProtoSchema,
  type FileDescriptorProto,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt'
import { expect, it } from '@jest/globals'
import { file_portfolio_v1_portfolio_update } from '../../../gen/portfolio/v1/portfolio_update_pb.ts'

const inRepository = (path: string): string =>
  fileURLToPath(new URL(`../../../${path}`, import.meta.url))

/** The specification's own text, compiled. */
function specification(): FileDescriptorProto {
  const source = inRepository('test/support/specification.proto')
  const bytes = execFileSync(inRepository('node_modules/.bin/buf'), [
    'build',
    source,
    '--as-file-descriptor-set',
    '-o',
    '-',
  ])
  return fromBinary(FileDescriptorSetSchema, bytes).file[0]!
}

/** Everything of a message that its users see, with the package's name left out of the types. */
function shapeOf(message: DescriptorProto): unknown {
  const text = JSON.stringify(toJson(DescriptorProtoSchema, message))
  return JSON.parse(text.replaceAll('".portfolio.v1.', '".'))
}

it("the specification's two messages are ours: names, numbers, types, labels, JSON names, nesting", () => {
  const { messageType, enumType } = specification()
  expect(messageType.map(({ name }) => name)).toEqual([
    'PortfolioUpdateRequest',
    'PortfolioUpdateResponse',
  ])
  expect(enumType).toEqual([])
  const ours = file_portfolio_v1_portfolio_update.proto
  expect(ours.messageType.map(shapeOf)).toEqual(messageType.map(shapeOf))
})
