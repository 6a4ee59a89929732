import { PortfolioError } from '../../domain/errors.ts'
import { etagOf, type PortfolioSettings } from '../../domain/portfolio/state.ts'
import type { CallContext, PortfolioStore } from '../ports.ts'

/** Settings with the etag of the portfolio they are of. */
export interface SettingsView {
  readonly settings: PortfolioSettings
  readonly etag: string
}

/** @throws PortfolioError PORTFOLIO_NOT_FOUND. */
export async function getPortfolioSettings(
  ports: { readonly portfolios: PortfolioStore },
  userId: string,
  call: CallContext,
): Promise<SettingsView> {
  const present = await ports.portfolios.read(userId, call)
  if (present === undefined) {
    throw new PortfolioError('PORTFOLIO_NOT_FOUND', 'no portfolio is kept for that user')
  }
  return { settings: present.state.settings, etag: etagOf(present.state) }
}
