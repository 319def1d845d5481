// Adds up vitest's JSON reports and closes with one plain line. usage: sum-tests.mjs REPORT...
// Fails when a test failed or was skipped, when a report is missing, or when nothing ran.
import { existsSync, readFileSync } from 'node:fs';
import process from 'node:process';

let passed = 0;
let failed = 0;
let skipped = 0;
for (const file of process.argv.slice(2)) {
  if (!existsSync(file)) {
    console.error(`no report at ${file}: the tests did not come to an end`);
    failed++;
    continue;
  }
  const report = JSON.parse(readFileSync(file, 'utf8'));
  passed += report.numPassedTests;
  const left = report.numPendingTests + report.numTodoTests;
  const lost = report.numTotalTests - report.numPassedTests - report.numFailedTests - left;
  // A file that cannot be loaded fails without failing a test, and so does an error outside of all tests.
  const broken = report.testResults.filter((f) => f.status === 'failed' && f.assertionResults.length === 0);
  const failures = report.numFailedTests + broken.length + lost;
  failed += failures || (report.success ? 0 : 1);
  skipped += left;
}
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed || skipped || !passed ? 1 : 0;
