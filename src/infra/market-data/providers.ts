import { ecbProvider } from './providers/ecb.ts'
import { grpcProvider, type QuoteServer } from './providers/grpc.ts'
import { openYahooClient, yahooProvider } from './providers/yahoo.ts'
import type { OpenProvider } from './guarded-provider.ts'

export interface ProviderSettings {
  /** Connects to the server of the grpc provider. */
  readonly openQuoteServer: () => QuoteServer
  /** A path, or a URL. */
  readonly ecbSource: string
}

/** Whoever may be asked for prices. */
const PROVIDERS = {
  grpc: ({ openQuoteServer }) => grpcProvider(openQuoteServer()),
  yahoo: async () => yahooProvider(await openYahooClient()),
  ecb: ({ ecbSource }) => ecbProvider(ecbSource),
} as const satisfies Record<
  string,
  (settings: ProviderSettings) => OpenProvider | Promise<OpenProvider>
>

export type ProviderName = keyof typeof PROVIDERS

/** @throws when what a provider needs is not installed. */
export async function openProvider(
  name: ProviderName,
  settings: ProviderSettings,
): Promise<OpenProvider> {
  return PROVIDERS[name](settings)
}
