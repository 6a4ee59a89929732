import { headerReader } from './table.ts'
import type { TransactionType } from '../domain/portfolio/transaction-types.ts'

/** What a column of the file can say. */
const COLUMN_NAMES = {
  date: [
    'date',
    'tradedate',
    'transactiondate',
    'executedat',
    'datetime',
    'activitydate',
    'rundate',
  ],
  type: ['type', 'action', 'transactiontype', 'activity', 'activitytype', 'transcode', 'side'],
  symbol: ['symbol', 'ticker', 'instrument', 'symbolcusip'],
  quantity: ['quantity', 'qty', 'shares', 'units', 'noofshares'],
  price: ['price', 'unitprice', 'pricepershare', 'priceshare', 'tprice', 'tradeprice'],
  amount: ['amount', 'grossamount', 'netamount', 'total', 'value', 'proceeds'],
  fee: ['fee', 'fees', 'commission', 'commissions', 'feescomm', 'commfee', 'charges'],
  tax: ['tax', 'taxes', 'withholdingtax'],
  currency: ['currency', 'currencycode', 'ccy', 'pricecurrency'],
  fxRate: ['fxrate', 'exchangerate', 'fx'],
  account: ['account', 'accountid', 'accountnumber', 'accountname'],
  id: ['id', 'externalid', 'transactionid', 'tradeid', 'orderid', 'reference'],
  settlementDate: ['settlementdate', 'settledate', 'settlement'],
  counterCurrency: ['countercurrency', 'countercurrencycode', 'tocurrency'],
  counterAmount: ['counteramount', 'toamount'],
} as const satisfies Record<string, readonly string[]>

export type Column = keyof typeof COLUMN_NAMES

/** The columns that a line names, or undefined when it is no header: a date and a type are the least. */
export const headerOf = headerReader<Column>(COLUMN_NAMES, ['date', 'type'])

const TYPE_WORDS: Readonly<Record<TransactionType, readonly string[]>> = {
  BUY: ['b', 'bought', 'youbought', 'purchase', 'buytoopen', 'reinvestment', 'reinvestshares'],
  SELL: ['s', 'sold', 'yousold', 'sale', 'selltoclose'],
  SHORT_SELL: ['sellshort', 'short', 'soldshort', 'selltoopen'],
  COVER: ['buytocover', 'covershort', 'buytoclose'],
  TRANSFER_IN: ['transferofassetsin', 'received', 'receive', 'deliveryin', 'sharesin'],
  TRANSFER_OUT: ['transferofassetsout', 'delivered', 'deliver', 'deliveryout', 'sharesout'],
  DEPOSIT: ['cashin', 'contribution', 'fundsreceived', 'wirein', 'achdeposit', 'moneyin'],
  WITHDRAWAL: ['withdraw', 'cashout', 'fundspaid', 'wireout', 'achwithdrawal', 'moneyout'],
  FX_CONVERSION: ['fx', 'forex', 'currencyconversion', 'conversion', 'exchange'],
  DIVIDEND: ['div', 'cashdividend', 'dividends', 'qualifieddividend', 'ordinarydividend'],
  INTEREST: ['creditinterest', 'bankinterest', 'interestincome', 'int'],
  COUPON: ['couponpayment', 'bondinterest'],
  FEE: ['fees', 'servicefee', 'charge', 'custodyfee', 'advisoryfee', 'managementfee'],
  TAX: ['taxes', 'withholdingtax', 'foreigntaxpaid', 'taxwithholding', 'nratax'],
  RETURN_OF_CAPITAL: ['roc', 'capitalreturn'],
  STAKING_REWARD: ['staking', 'reward', 'rewards', 'stakingrewards'],
  OPTION_EXERCISE: ['exercise', 'exercised', 'assigned', 'assignment'],
  OPTION_EXPIRY: ['expired', 'expiration', 'expiry', 'optionexpiration'],
}

const TYPES = new Map<string, TransactionType>(
  Object.entries(TYPE_WORDS).flatMap(([name, words]) =>
    [name, ...words].map((word): [string, TransactionType] => [
      lettersOf(word),
      name as TransactionType,
    ]),
  ),
)

function lettersOf(text: string): string {
  return text.toLowerCase().replace(/[^a-z]/g, '')
}

/** The type that a broker's word stands for; a plain "transfer" is one in or out by its quantity's sign. */
export function typeOfWord(word: string, isNegative: boolean): TransactionType | undefined {
  const letters = lettersOf(word)
  if (letters === 'transfer') return isNegative ? 'TRANSFER_OUT' : 'TRANSFER_IN'
  return TYPES.get(letters)
}
