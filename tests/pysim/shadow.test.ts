/** The shadow against a plain model: per byte the last write and all reads, compared by tile and epoch. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ALL_DTYPES, type DTypeName } from "../../ir/dtype.ts";
import { Clock, Shadow } from "../../pysim/shadow.ts";

interface Touch {
  readonly tile: number;
  readonly epoch: number;
}
interface Byte {
  write: Touch | "host" | "never";
  reads: Touch[];
}

class Model {
  readonly bytes: Byte[];
  constructor(n: number, initialised: boolean) {
    this.bytes = Array.from({ length: n }, () => ({ write: initialised ? "host" : "never", reads: [] }));
  }
  /** What is wrong with the access, else it is noted. */
  access(start: number, end: number, write: boolean, me: Touch, shared: boolean): string | undefined {
    const unordered = (t: Touch): boolean => shared && t.epoch === me.epoch && t.tile !== me.tile;
    const part = this.bytes.slice(start, end);
    for (const b of part) {
      if (b.write === "never") {
        if (!write) return "uninitialised";
      } else if (b.write !== "host" && unordered(b.write)) return "after-write";
      if (write && b.reads.some(unordered)) return "after-read";
    }
    for (const b of part) {
      if (write) b.write = me;
      else b.reads.push(me);
    }
    return undefined;
  }
}

const SIZE = 160;
type Step =
  | { readonly kind: "barrier" }
  | {
      readonly kind: "access";
      readonly tile: number;
      readonly write: boolean;
      readonly unit: number;
      readonly start: number;
      readonly length: number;
    };
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.constant({ kind: "barrier" as const }) },
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant("access" as const),
      tile: fc.nat({ max: 2 }),
      write: fc.boolean(),
      /** Start and length in units: bytes, elements or registers. */
      unit: fc.constantFrom(1, 2, 4, 32),
      start: fc.nat({ max: SIZE }),
      length: fc.integer({ min: 1, max: 20 }),
    }),
  },
);

function agrees(
  dtype: DTypeName,
  shared: boolean,
  initialised: boolean,
  steps: readonly Step[],
  tiles = 3,
): void {
  const clock = new Clock(tiles);
  const shadow = clock.keeps(new Shadow(SIZE, dtype, { shared, initialised }));
  const model = new Model(SIZE, initialised);
  for (const s of steps) {
    if (s.kind === "barrier") {
      clock.nextEpoch();
      continue;
    }
    const start = Math.floor(s.start / s.unit) * s.unit;
    const end = Math.min(SIZE, start + s.length * s.unit);
    if (start >= end) continue;
    clock.run(s.tile);
    const found = s.write ? shadow.write(start, end, clock) : shadow.read(start, end, clock);
    const expected = model.access(start, end, s.write, { tile: s.tile, epoch: clock.epoch }, shared);
    expect(found === undefined).toBe(expected === undefined);
    if (found === undefined) continue;
    // Where both a write and a read conflict, either may be named; an uninitialised byte is never confused.
    expect(found.at + found.cellBytes).toBeGreaterThan(start);
    expect(found.at).toBeLessThan(end);
    if (expected === "uninitialised" || found.kind === "uninitialised") {
      const at = model.bytes.slice(Math.max(found.at, start), Math.min(found.at + found.cellBytes, end));
      if (found.kind === "uninitialised") expect(at.some((b) => b.write === "never")).toBe(true);
    }
    shadow.giveBack();
    return;
  }
  shadow.giveBack();
}

describe("shadow", () => {
  it("agrees with the model on random accesses of three tiles", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...ALL_DTYPES),
        fc.boolean(),
        fc.boolean(),
        fc.array(step, { maxLength: 60 }),
        (dtype, shared, initialised, steps) => agrees(dtype, shared, initialised, steps),
      ),
      { numRuns: 3000 },
    );
  });

  it("agrees while its stamps run out many times", () => {
    // 65534 stamps last for 65 epochs of 1000 tiles.
    const burst = fc.array(step, { minLength: 20, maxLength: 60 });
    fc.assert(
      fc.property(burst, fc.integer({ min: 0, max: 70 }), (steps, barriers) => {
        const filler = Array.from({ length: barriers }, () => ({ kind: "barrier" as const }));
        const at = Math.floor(steps.length / 2);
        agrees("f32", true, false, [...steps.slice(0, at), ...filler, ...steps.slice(at)], 1000);
      }),
      { numRuns: 300 },
    );
  });
});
