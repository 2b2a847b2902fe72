/**
 * One group of the suite: its tests, and the count of what they ran, kept as golden data under `runs/`
 * (`npm run golden:conformance` writes it), so that a loop that silently runs over nothing is noticed.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, type RunnerTestSuite } from "vitest";
import { ran } from "../harness/execute.ts";
import { groupOf } from "./groups.ts";

/** What the tests of one group executed, in each of the two projects. */
export interface Runs {
  /** Distinct kernels, each in one variant of dtype, operation, static size. */
  readonly kernels: number;
  /** Executions whose results were compared. */
  readonly runs: number;
  /** Dtypes of their pointer parameters, separated by spaces. */
  readonly dtypes: string;
}

const FOLDER = new URL("runs/", import.meta.url);
export function runsFile(number: number): URL {
  return new URL(`${String(number).padStart(2, "0")}.json`, FOLDER);
}

/** Declares the tests of a group: `group(7, () => { test(...) })`. */
export function group(number: number, define: () => void): void {
  describe(`${number} ${groupOf(number).title}`, () => {
    beforeAll(() => ran.clear());
    define();
    // biome-ignore lint/correctness/noEmptyPattern: vitest reads the names of the fixtures from the pattern
    afterAll(({}, suite) => {
      if (!complete(suite)) return;
      const runs: Runs = {
        kernels: ran.kernels.size,
        runs: ran.runs,
        dtypes: [...ran.dtypes].sort().join(" "),
      };
      const text = `${JSON.stringify(runs, null, 2)}\n`;
      if (process.env["UPDATE_GOLDEN"] === "1") {
        mkdirSync(FOLDER, { recursive: true });
        writeFileSync(runsFile(number), text);
      } else {
        expect(text, "npm run golden:conformance writes the counts").toBe(
          readFileSync(runsFile(number), "utf8"),
        );
      }
    });
  });
}

/** False when a filter left tests out or one failed: then the counts say nothing. */
function complete(suite: Readonly<RunnerTestSuite>): boolean {
  return suite.tasks.every((t) => (t.type === "suite" ? complete(t) : t.result?.state === "pass"));
}
