const { writeSync } = require('node:fs');

const STDOUT = 1;

/** Ends the run with its count on a line of its own, for people and for scripts. */
module.exports = class CountReporter {
  onRunComplete(_contexts, results) {
    // A file that did not get as far as its tests is a failure too, and must not look like none.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests + results.numTodoTests;
    const tail = skipped === 0 ? '' : `, ${skipped} skipped`;
    const line = `\ntests: ${results.numPassedTests} passed, ${failed} failed${tail}\n`;
    // At the very end, after the summary that Jest itself writes.
    process.once('exit', () => writeSync(STDOUT, line));
  }
};
