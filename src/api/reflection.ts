import { readFileSync } from 'node:fs'
import { fromBinary, toBinary } from '@bufbuild/protobuf'
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import type { Server } from '@grpc/grpc-js'
import { ReflectionService } from '@grpc/reflection'

/** Written by buf: with JSON names and comments, and the error details that no message refers to. */
const DESCRIPTORS = new URL('../../gen/descriptor-set.binpb', import.meta.url)

/** Serves grpc.reflection.v1 and v1alpha for the services named. */
export function addReflection(server: Server, services: readonly string[]): void {
  const { file } = fromBinary(FileDescriptorSetSchema, readFileSync(DESCRIPTORS))
  const fileDescriptorProtos = file.map((descriptor) =>
    Buffer.from(toBinary(FileDescriptorProtoSchema, descriptor)),
  )
  // Of a package definition the service reads the descriptors alone, and from any one entry.
  const definition = { all: { fileDescriptorProtos } }
  const known = definition as unknown as ConstructorParameters<typeof ReflectionService>[0]
  new ReflectionService(known, { services: [...services] }).addToServer(server)
}
