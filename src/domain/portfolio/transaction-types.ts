/** What a transaction type moves and what it needs: each type declares its own answers, nobody else asks for it by name. */
export interface TransactionTypeRule {
  /** The instrument's symbol. */
  readonly symbol: 'required' | 'optional' | 'none'
  /** True when units move: then there is a quantity, else an amount of money. */
  readonly movesUnits: boolean
  /** Per unit: the price of a trade, the cost carried in, the worth of a reward. */
  readonly price: 'required' | 'optional' | 'none'
  /** What it does to tracked cash before charges: +1 brings its gross amount, -1 takes it (decision 31). */
  readonly cash: 1 | 0 | -1
  /** True when its price says what the instrument is worth (decision 36). */
  readonly isTrade: boolean
  /** The sum its gross amount counts in, where it is not part of a basis or of proceeds. */
  readonly countsAs: 'income' | 'fees' | 'taxes' | undefined
}

function rule(answers: Partial<TransactionTypeRule>): TransactionTypeRule {
  return {
    symbol: 'required',
    movesUnits: true,
    price: 'none',
    cash: 0,
    isTrade: false,
    countsAs: undefined,
    ...answers,
  }
}

const bought = rule({ price: 'required', cash: -1, isTrade: true })
const sold = rule({ price: 'required', cash: 1, isTrade: true })
const income = rule({ symbol: 'optional', movesUnits: false, cash: 1, countsAs: 'income' })
const charge = rule({ symbol: 'optional', movesUnits: false, cash: -1 })

/** Types by the contract's names; those a corporate action makes are not recorded here. */
export const transactionTypes = {
  BUY: bought,
  SELL: sold,
  SHORT_SELL: sold,
  COVER: bought,
  TRANSFER_IN: rule({ price: 'optional' }),
  TRANSFER_OUT: rule({}),
  DEPOSIT: rule({ symbol: 'none', movesUnits: false, cash: 1 }),
  WITHDRAWAL: rule({ symbol: 'none', movesUnits: false, cash: -1 }),
  FX_CONVERSION: rule({ symbol: 'none', movesUnits: false, cash: -1 }),
  DIVIDEND: { ...income, symbol: 'required' },
  INTEREST: income,
  COUPON: { ...income, symbol: 'required' },
  FEE: { ...charge, countsAs: 'fees' },
  TAX: { ...charge, countsAs: 'taxes' },
  RETURN_OF_CAPITAL: rule({ movesUnits: false, cash: 1 }),
  STAKING_REWARD: rule({ price: 'required', countsAs: 'income' }),
  OPTION_EXERCISE: rule({}),
  OPTION_EXPIRY: rule({}),
} as const satisfies Record<string, TransactionTypeRule>

export type TransactionType = keyof typeof transactionTypes
