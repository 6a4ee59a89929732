// How many series a second the batch kernel measures, on one thread and on two workers:
// npx tsc -p bench/tsconfig.json && node dist/bench/analytics-kernel.js
import { performance } from 'node:perf_hooks'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import {
  kernelScratch,
  MEASURES,
  measureSeries,
  type SeriesBatch,
} from '../src/domain/analytics/batch-kernel.ts'

const SERIES = 1_000
const OBSERVATIONS = [252, 1_260]
const ROUND_MS = 800
const CALENDAR_DAYS_PER_OBSERVATION = 365 / 252
const WORKERS = 2

function shared(count: number, value: (at: number) => number): Float64Array<SharedArrayBuffer> {
  const array = new Float64Array(new SharedArrayBuffer(count * Float64Array.BYTES_PER_ELEMENT))
  for (let at = 0; at < count; at += 1) array[at] = value(at)
  return array
}

function batchOf(observations: number): SeriesBatch {
  const calendarDays = Math.round(observations * CALENDAR_DAYS_PER_OBSERVATION)
  return {
    returns: shared(SERIES * observations, () => (Math.random() - 0.49) / 50),
    offsets: Uint32Array.from({ length: SERIES + 1 }, (_, series) => series * observations),
    calendarDays: new Uint32Array(SERIES).fill(calendarDays),
    benchmarkOffsets: new Uint32Array(SERIES),
    benchmark: shared(observations, () => (Math.random() - 0.49) / 60),
    riskFree: shared(observations, () => 0.0001),
  }
}

/** Series a second of one thread, after as long a warm-up. */
function measure(batch: SeriesBatch, observations: number): number {
  const scratch = kernelScratch(observations)
  const measures = new Float64Array(SERIES * MEASURES.length)
  let rate = 0
  for (const milliseconds of [ROUND_MS / 2, ROUND_MS]) {
    const start = performance.now()
    let rounds = 0
    do {
      for (let series = 0; series < SERIES; series += 1) {
        measureSeries(batch, series, scratch, measures)
      }
      rounds += 1
    } while (performance.now() - start < milliseconds)
    rate = (rounds * SERIES * 1_000) / (performance.now() - start)
  }
  return rate
}

function show(rate: number): string {
  return `${Math.round(rate).toLocaleString('en')} series/s`
}

interface Job {
  readonly batch: SeriesBatch
  readonly observations: number
}

async function onWorkers(job: Job): Promise<number> {
  const rates = Array.from({ length: WORKERS }, async () => {
    const worker = new Worker(new URL(import.meta.url), { workerData: job })
    return new Promise<number>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
  })
  return (await Promise.all(rates)).reduce((sum, rate) => sum + rate, 0)
}

if (isMainThread) {
  for (const observations of OBSERVATIONS) {
    const batch = batchOf(observations)
    const one = measure(batch, observations)
    const two = await onWorkers({ batch, observations })
    console.log(`${observations} returns: one thread ${show(one)}, ${WORKERS} workers ${show(two)}`)
  }
} else {
  const { batch, observations } = workerData as Job
  parentPort?.postMessage(measure(batch, observations), [])
}
