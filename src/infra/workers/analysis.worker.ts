// What a thread of the pool runs: a file of its own, found by its name.
import { setPriority } from 'node:os'
import { type Chunk, type JobAnswer, runJobs } from './chunk.ts'

/** As nice values go: whoever answers calls comes first, and what is left of the processors is enough for the pool. */
const NICE = 5

// Elsewhere a priority is the process's.
if (process.platform === 'linux') yieldToCalls()

function yieldToCalls(): void {
  try {
    setPriority(NICE)
  } catch {
    // A sandbox may refuse it: the analyses are as good without.
  }
}

/** @returns one answer for each job. */
export function runChunk(chunk: Chunk): readonly JobAnswer[] {
  return runJobs(chunk)
}
