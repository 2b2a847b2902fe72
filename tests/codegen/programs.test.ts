/** Generated programs, four ways: interpreted at both levels, compiled with and without checks. */
import fc from "fast-check";
import { describe, it } from "vitest";
import { TARGETS } from "../../ir/target.ts";
import { someStmt } from "../../ir/walk.ts";
import { arbitraryKernel, argumentsFor } from "../ir/arbitraries.ts";
import { type HostArgument, threeWays } from "./threeway.ts";

describe("generated programs", () => {
  it("agree", () => {
    fc.assert(
      fc.property(
        arbitraryKernel(),
        fc.nat(),
        fc.constantFrom(1, 2, 3),
        fc.constantFrom(128, 256, 512),
        (k, seed, tiles, registerBits) => {
          // Generated tiles race with each other, and the interpreter lets another tile run at an event wait.
          const waits = someStmt(k.body, (s) => s.kind === "effect" && s.value.op === "event_wait");
          const target = { ...TARGETS.edge, registerBits };
          threeWays(k, argumentsFor(k, seed) as HostArgument[], { tiles: waits ? 1 : tiles, target });
        },
      ),
      { endOnFailure: true, numRuns: Number(process.env["FUZZ"] ?? 60) },
    );
  });
});
