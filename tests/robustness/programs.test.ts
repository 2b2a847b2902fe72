/**
 * Program files and their text, damaged: a clear error, or a program that is whole (trial.ts says what that means). A slice of
 * `npm run test:mutations`.
 */
import { describe, expect, it } from "vitest";
import { RUNS } from "./damage.ts";
import { MUTATIONS } from "./mutants.ts";
import { originals } from "./originals.ts";
import { type Outcome, trial } from "./trial.ts";

const SEED = 2;
const MUTANTS = 1000 * RUNS;

describe(`${MUTANTS} mutants of seed ${SEED}`, () => {
  const from = originals(20, false);
  const outcomes: Outcome[] = [];
  it("are refused with a diagnostic, or whole", () => {
    for (let n = 0; n < MUTANTS; n++) outcomes.push(trial(from, SEED, n));
  });
  it("are of every kind, refused for every reason, and some of them harmless", () => {
    expect([...new Set(outcomes.map((o) => o.mutation))].sort()).toEqual(Object.keys(MUTATIONS).sort());
    const gave = (code: string): number => outcomes.filter((o) => o.gave === code).length;
    for (const code of ["KPU7001", "KPU7002", "KPU7003", "KPU7004", "KPU7007"])
      expect(gave(code), code).toBeGreaterThan(0);
    expect(gave("accepted")).toBeGreaterThan(50);
    expect(outcomes.filter((o) => o.ran).length).toBeGreaterThan(0);
  });
});
