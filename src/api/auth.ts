import type { Metadata } from '@grpc/grpc-js'

/** Who calls: the scope of idempotency keys. There is no authentication yet, so everybody is one caller. */
export function callerOf(_metadata: Metadata): string {
  return 'anonymous'
}
