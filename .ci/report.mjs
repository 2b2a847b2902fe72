// Counts from vitest's own JSON report. A file that did not load counts as one failed test.
import { readFileSync } from "node:fs";

let report;
try {
  report = JSON.parse(readFileSync(process.argv[2], "utf8"));
} catch {
  console.log("0 passed, 1 failed, 0 skipped");
  process.exit(1);
}
const broken = report.testResults.filter((f) => f.status === "failed" && f.assertionResults.length === 0).length;
const failed = report.numFailedTests + broken;
const skipped = report.numPendingTests + (report.numTodoTests ?? 0);
console.log(`${report.numPassedTests} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed > 0 || report.numPassedTests === 0 ? 1 : 0);
