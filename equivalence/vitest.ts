/**
 * A vitest matcher: `import "kpu-dsl/vitest"` once, then
 *
 *     expect(saxpy).toAgree({ runs: 200 });
 */
import { expect } from "vitest";
import type { AnyKernel } from "../executions.ts";
import { compareExecutions, type EquivalenceOptions } from "./check.ts";
import { counterexampleText } from "./report.ts";

declare module "vitest" {
  interface Matchers<T> {
    /** Direct and compiled execution of a kernel agree bit for bit on generated inputs. */
    toAgree(options?: EquivalenceOptions): T;
  }
}

expect.extend({
  toAgree(kernel: AnyKernel, options: EquivalenceOptions = {}) {
    const report = compareExecutions(kernel, options);
    return {
      pass: report.ok,
      message: () =>
        report.counterexample === undefined
          ? `direct and compiled execution of ${report.kernel} agree on all ${report.runs} inputs`
          : counterexampleText(report.kernel, report.counterexample),
    };
  },
});
