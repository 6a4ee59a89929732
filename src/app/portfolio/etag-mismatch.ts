import { PortfolioError } from '../../domain/errors.ts'
import { etagOf, type PortfolioState } from '../../domain/portfolio/state.ts'

/** The refusal of a write whose etag is not the present one; names the present one, if there is any. */
export function etagMismatch(state: PortfolioState): PortfolioError {
  return new PortfolioError('ETAG_MISMATCH', 'the portfolio has changed since that etag was read', {
    metadata: state.version === 0 ? {} : { etag: etagOf(state) },
  })
}
