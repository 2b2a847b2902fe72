/** Random well-formed KIR, interpreted at both levels and compiled: the same bytes, the same printed lines. */
import fc from "fast-check";
import { describe, test } from "vitest";
import { TARGETS } from "../../ir/target.ts";
import { arbitraryKernel, argumentsFor } from "../ir/arbitraries.ts";
import { type HostArgument, threeWays } from "./threeway.ts";

const RUNS = Number(process.env["KPU_RANDOM_RUNS"] ?? 60);

describe("random kernels mean the same interpreted and compiled", () => {
  test.each([128, 256, 512])("with registers of %i bits", (registerBits) => {
    fc.assert(
      fc.property(arbitraryKernel(), fc.nat(), (k, seed) => {
        threeWays(k, argumentsFor(k, seed) as HostArgument[], { target: { ...TARGETS.edge, registerBits } });
      }),
      { numRuns: RUNS },
    );
  });
});
