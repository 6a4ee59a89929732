/// <reference types="node" />

/** Closes a run with the one line that CI counts. */
// oxlint-disable-next-line import/no-default-export -- the only form in which jest takes a reporter
export default class ClosingLineReporter {
  /**
   * A file that does not even load counts as one failed test.
   *
   * @param {unknown} _contexts
   * @param {Record<'numPassedTests' | 'numFailedTests' | 'numRuntimeErrorTestSuites', number>} result
   */
  onRunComplete(_contexts, { numPassedTests, numFailedTests, numRuntimeErrorTestSuites }) {
    const failed = numFailedTests + numRuntimeErrorTestSuites
    // Jest prints its summary after all reporters.
    process.once('exit', () => console.log(`${numPassedTests} passed, ${failed} failed`))
  }
}
