// What a thread of the pool runs: a file of its own, found by its name.
import { type Chunk, type JobAnswer, runJobs } from './chunk.ts'

/** @returns one answer for each job. */
export function runChunk(chunk: Chunk): readonly JobAnswer[] {
  return runJobs(chunk)
}
