import {
  create,
  createRegistry,
  type DescMessage,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf'
import { anyUnpack } from '@bufbuild/protobuf/wkt'
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js'
import { setTimeout as delay } from 'node:timers/promises'
import {
  type BadRequest,
  BadRequestSchema,
  file_google_rpc_error_details,
  type PreconditionFailure,
  PreconditionFailureSchema,
} from '../../gen/google/rpc/error_details_pb.ts'
import { StatusSchema } from '../../gen/google/rpc/status_pb.ts'
import {
  PortfolioService,
  RecordTransactionsRequest_DuplicatePolicy as DuplicatePolicy,
  RecordTransactionsResponse_Disposition as Disposition,
  TransactionType as SentType,
} from '../../gen/portfolio/v1/portfolio_service_pb.ts'
import type { TransactionType } from '../domain/portfolio/transaction-types.ts'
import type { Instant } from '../domain/time.ts'
import { timestampOf } from './instant.ts'

export const CALL_MS_MAX = 30_000
const TRIES_MAX = 6
const BACKOFF_MS = 200

/** A transaction as the service takes it; texts are decimals, an empty one says nothing. */
export interface SentTransaction {
  readonly type: TransactionType
  readonly symbol: string
  readonly accountId: string
  readonly quantity: string
  readonly price: string
  readonly grossAmount: string
  readonly currencyCode: string
  readonly fee: string
  readonly tax: string
  readonly fxRate: string
  readonly counterCurrencyCode: string
  readonly counterAmount: string
  readonly effectiveAt: Instant
  readonly settlementDate: string
  readonly externalId: string
  readonly source: string
}

/** What the service has against one entry of a request: a transaction, an instrument. */
interface RefusedEntry {
  /** From 0. */
  readonly index: number
  readonly reason: string
  readonly description: string
}

/** A request that the service refused, or did not answer. */
export class CallRefused extends Error {
  override readonly name = 'CallRefused'
  readonly code: string
  /** Empty when it was none of the entries. */
  readonly entries: readonly RefusedEntry[]

  constructor(error: ServiceError) {
    super(error.details)
    this.code = status[error.code]
    this.entries = refusedEntries(error)
  }
}

export interface ServiceClient {
  /**
   * Records what is not recorded yet under its external id, all or none; with `validateOnly` nothing. True for each
   * transaction that was recorded before. Tries again when the service is busy or away: nothing is recorded twice.
   * @throws CallRefused.
   */
  recordTransactions(
    userId: string,
    transactions: readonly SentTransaction[],
    options: { readonly validateOnly: boolean },
  ): Promise<readonly boolean[]>
  close(): void
}

/** A connection to `target` ("host:port"), in plain text. */
export function openServiceClient(target: string): ServiceClient {
  const client = new Client(target, credentials.createInsecure(), { 'grpc.enable_http_proxy': 0 })
  return {
    async recordTransactions(userId, transactions, { validateOnly }) {
      const request: MessageInitShape<typeof METHOD.input> = {
        userId,
        validateOnly,
        duplicatePolicy: DuplicatePolicy.SKIP,
        transactions: transactions.map(messageOf),
      }
      const { outcomes } = await patiently(() => callUnary(client, METHOD, request))
      return outcomes.map(({ disposition }) => disposition === Disposition.REPLAYED)
    },
    close: () => client.close(),
  }
}

const METHOD = PortfolioService.method.recordTransactions

function messageOf({ type, effectiveAt, ...texts }: SentTransaction) {
  return { ...texts, type: SentType[type], effectiveAt: timestampOf(effectiveAt) }
}

const PASSING: ReadonlySet<status> = new Set([
  status.UNAVAILABLE,
  status.RESOURCE_EXHAUSTED,
  status.DEADLINE_EXCEEDED,
  status.ABORTED,
])

/** Tries again when the service is busy or away. @throws CallRefused. */
export async function patiently<Answer>(call: () => Promise<Answer>): Promise<Answer> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await call()
    } catch (error) {
      const refusal = error as ServiceError
      if (tries === TRIES_MAX || !PASSING.has(refusal.code)) throw new CallRefused(refusal)
      await delay(BACKOFF_MS * 2 ** (tries - 1) * (0.5 + Math.random() / 2))
    }
  }
}

/** Cancelled with `signal`. @throws grpc-js' ServiceError. */
export function callUnary<Input extends DescMessage, Output extends DescMessage>(
  client: Client,
  method: DescMethodUnary<Input, Output>,
  request: MessageInitShape<Input>,
  signal?: AbortSignal,
): Promise<MessageShape<Output>> {
  return new Promise((resolve, reject) => {
    const call = client.makeUnaryRequest(
      `/${method.parent.typeName}/${method.name}`,
      (message: MessageShape<Input>) => Buffer.from(toBinary(method.input, message)),
      (bytes) => fromBinary(method.output, bytes),
      create(method.input, request),
      new Metadata(),
      { deadline: Date.now() + CALL_MS_MAX },
      (error, message) => {
        signal?.removeEventListener('abort', cancel)
        if (error) reject(error)
        else if (message === undefined) reject(new Error(`${method.name} answered nothing`))
        else resolve(message)
      },
    )
    const cancel = (): void => call.cancel()
    signal?.addEventListener('abort', cancel)
  })
}

const REGISTRY = createRegistry(file_google_rpc_error_details)
const ENTRY_FIELD = /^(?:transactions|instruments)\[(\d+)\]\.?(.*)$/

function refusedEntries(error: ServiceError): readonly RefusedEntry[] {
  const [bytes] = error.metadata.get('grpc-status-details-bin')
  if (!Buffer.isBuffer(bytes)) return []
  return fromBinary(StatusSchema, bytes).details.flatMap((packed) => {
    const detail = anyUnpack(packed, REGISTRY)
    if (detail?.$typeName === BadRequestSchema.typeName) {
      return (detail as BadRequest).fieldViolations.flatMap(({ field, reason, description }) =>
        refusedEntry(field, reason, description),
      )
    }
    if (detail?.$typeName !== PreconditionFailureSchema.typeName) return []
    return (detail as PreconditionFailure).violations.flatMap(({ subject, type, description }) =>
      refusedEntry(subject, type, description),
    )
  })
}

function refusedEntry(path: string, reason: string, description: string): readonly RefusedEntry[] {
  const match = ENTRY_FIELD.exec(path)
  if (match === null) return []
  const [, index = '', field = ''] = match
  return [{ index: Number(index), reason, description: `${field} ${description}`.trim() }]
}
