import type { Population } from './workload.ts'

/** A server of the run; all but the empty one have a database of their own, with equal rows. */
export type ServerName = 'empty' | 'plain' | 'warm' | 'small' | 'other'

export interface Case {
  readonly name: string
  readonly title: string
  readonly server: ServerName
  readonly population: Population
  readonly transactionsPerRequest: number
  readonly keyed: boolean
}

/** How large and how long a run is. */
export interface Extent {
  readonly users: number
  readonly usersOfOthers: number
  readonly rounds: number
  readonly warmUpMs: number
  readonly durationMs: number
}

export const FULL: Extent = {
  users: 10_000,
  usersOfOthers: 400,
  rounds: 3,
  warmUpMs: 2_000,
  durationMs: 6_000,
}
export const QUICK: Extent = {
  users: 2_000,
  usersOfOthers: 150,
  rounds: 1,
  warmUpMs: 1_000,
  durationMs: 3_000,
}

export interface Plan {
  readonly populations: readonly Population[]
  /** Traded once by every user before anything is measured. */
  readonly warmed: Readonly<Record<ServerName, readonly Population[]>>
  readonly cacheUsersMax: Readonly<Partial<Record<ServerName, number>>>
  readonly cases: readonly Case[]
}

export function planOf(extent: Extent): Plan {
  const main = { prefix: 'user', users: extent.users, holdings: 10 }
  const hot = { prefix: 'hot', users: 1, holdings: 10 }
  const ten = { prefix: 'ten', users: extent.usersOfOthers, holdings: 10 }
  const fifty = { prefix: 'fifty', users: extent.usersOfOthers, holdings: 50 }
  const wide = { prefix: 'wide', users: extent.usersOfOthers, holdings: 250 }
  const once = { population: main, transactionsPerRequest: 1, keyed: false }
  const other = { ...once, server: 'other' } as const
  return {
    populations: [main, hot, ten, fifty, wide],
    warmed: {
      empty: [],
      plain: [main, hot],
      warm: [main],
      small: [main],
      other: [main, hot, ten, fifty, wide],
    },
    cacheUsersMax: { warm: 2 * extent.users, small: extent.users / 10, other: 5 * extent.users },
    cases: [
      { ...once, name: 'a', title: '(a) empty grpc-js handler', server: 'empty' },
      { ...once, name: 'b', title: '(b) plain handler', server: 'plain' },
      { ...once, name: 'c-warm', title: '(c) service, all users in the LRU', server: 'warm' },
      { ...once, name: 'c-small', title: '(c) service, a tenth of them', server: 'small' },
      { ...once, name: 'b-keyed', title: '(b), idempotency keys', server: 'plain', keyed: true },
      {
        ...once,
        name: 'c-keyed',
        title: '(c) warm, idempotency keys',
        server: 'warm',
        keyed: true,
      },
      { ...once, name: 'b-hot', title: '(b), one hot user', server: 'plain', population: hot },
      { ...other, name: 'c-hot', title: '(c), one hot user', population: hot },
      { ...other, name: 'c-1', title: '1 transaction a request' },
      { ...other, name: 'c-4', title: '4 transactions a request', transactionsPerRequest: 4 },
      { ...other, name: 'c-16', title: '16 transactions a request', transactionsPerRequest: 16 },
      { ...other, name: 'c-h10', title: '10 holdings a user', population: ten },
      { ...other, name: 'c-h50', title: '50 holdings a user', population: fifty },
      { ...other, name: 'c-h250', title: '250 holdings a user', population: wide },
    ],
  }
}
