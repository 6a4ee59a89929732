import cliProgress from 'cli-progress'

/** How far something of a known size has come. */
export interface Progress {
  advance(by: number): void
  end(): void
}

/** A moving bar on a terminal; elsewhere, where it would be noise, a plain line for each quarter. */
export function showProgress(
  name: string,
  total: number,
  output: NodeJS.WriteStream = process.stderr,
): Progress {
  return output.isTTY ? showBar(name, total, output) : showLines(name, total, output)
}

function showBar(name: string, total: number, stream: NodeJS.WriteStream): Progress {
  const format = `${name.padEnd(13)}{bar} {percentage} % | {value} of {total}`
  const bar = new cliProgress.SingleBar({ format, stream }, cliProgress.Presets.shades_classic)
  bar.start(total, 0)
  return {
    advance: (by) => bar.increment(by),
    end: () => bar.stop(),
  }
}

function showLines(name: string, total: number, output: NodeJS.WritableStream): Progress {
  let done = 0
  return {
    advance(by) {
      const quartersBefore = Math.floor((4 * done) / total)
      done += by
      if (Math.floor((4 * done) / total) > quartersBefore) {
        output.write(`${name}: ${done} of ${total}\n`)
      }
    },
    end: () => undefined,
  }
}
