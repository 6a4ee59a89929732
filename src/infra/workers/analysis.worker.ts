// What a thread of the pool runs: a file of its own, found by its name.
import { setPriority } from 'node:os'
import { type Chunk, type JobAnswer, runJobs } from './chunk.ts'

/** As nice values go: whoever answers calls comes first, and what is left of the processors is enough for the pool. */
const NICE = 5

// Elsewhere a priority is the process's.
if (process.platform === 'linux') setPriority(NICE)

/** @returns one answer for each job. */
export function runChunk(chunk: Chunk): readonly JobAnswer[] {
  return runJobs(chunk)
}
