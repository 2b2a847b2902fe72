import { expect, test } from "vitest";
import { f32, i8, i32, u8 } from "../../dsl/dtypes.ts";
import { type Choice, ChoiceSource, simplerRecords } from "../../equivalence/choices.ts";
import { drawFrom } from "../../equivalence/inputs.ts";

/** A fixed sequence of numbers, as entropy. */
function entropy(seed: number): { nextInt(min: number, max: number): number } {
  let state = Math.imul(seed, 0x9e3779b1);
  return {
    nextInt(min, max) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return min + Math.floor((state / 2 ** 32) * (max - min + 1));
    },
  };
}

/** Shrinks as far as `fails` holds. */
function shrink<T>(
  make: (source: ChoiceSource) => T,
  fails: (value: T) => boolean,
  seed: number,
): T | undefined {
  let source = new ChoiceSource([], entropy(seed));
  let value = make(source);
  if (!fails(value)) return undefined;
  search: for (;;) {
    for (const record of simplerRecords(source.made)) {
      const next = new ChoiceSource(record);
      const candidate = make(next);
      if (fails(candidate)) {
        [source, value] = [next, candidate];
        continue search;
      }
    }
    return value;
  }
}

test("replaying a record gives the same input", () => {
  for (let seed = 1; seed < 50; seed++) {
    const describe = (source: ChoiceSource) => {
      const g = drawFrom(source);
      const n = g.size();
      return [
        g.array(f32, n),
        g.array(i8, 2 * n),
        g.scalar(f32),
        g.int(-5, 5),
        g.bool(),
        g.oneOf("a", "b"),
        n,
      ];
    };
    const first = new ChoiceSource([], entropy(seed));
    const made = describe(first);
    expect(describe(new ChoiceSource(first.made))).toEqual(made);
  }
});

test("sizes stay tied while an input shrinks to its smallest", () => {
  let found = 0;
  for (let seed = 1; seed < 60; seed++) {
    const smallest = shrink(
      (source) => {
        const g = drawFrom(source);
        const n = g.size(0, 100);
        return { n, x: g.array(i32, n, { min: -1000, max: 1000 }), y: g.array(u8, n) };
      },
      ({ n, x, y }) => n >= 3 && (x[2] as number) > 10 && x.length === n && y.length === n,
      seed,
    );
    if (smallest === undefined) continue;
    found++;
    expect(smallest.n).toBe(3);
    expect([...smallest.x.subarray(0, 2)]).toEqual([0, 0]);
    expect([...smallest.y]).toEqual([0, 0, 0]);
  }
  expect(found).toBeGreaterThan(10);
});

test("every simplification is different from the record it came from", () => {
  const record: Choice[] = [
    { kind: "number", value: 37, simplest: 0 },
    { kind: "number", value: Number.NaN, simplest: 0 },
    { kind: "array", dtype: "f32", data: new Float32Array([1.5, Number.NaN, -0]), simplest: 0 },
  ];
  const seen = [...simplerRecords(record)];
  expect(seen.length).toBeGreaterThan(8);
  for (const r of seen) expect(r).not.toEqual(record);
});

test("bounds and value lists are kept", () => {
  for (let seed = 1; seed < 40; seed++) {
    const g = drawFrom(new ChoiceSource([], entropy(seed)));
    for (const x of g.array(i32, 50, { min: 3, max: 9 })) expect(x >= 3 && x <= 9).toBe(true);
    for (const x of g.array(f32, 50, { min: -1, max: 1 })) expect(x >= -1 && x <= 1).toBe(true);
    for (const x of g.array(f32, 50, { finite: true })) expect(Number.isFinite(x)).toBe(true);
    for (const x of g.array(i8, 50, { of: [7, -7] })) expect(Math.abs(x)).toBe(7);
    expect(g.scalar(u8, { min: 200 })).toBeGreaterThanOrEqual(200);
  }
});

test("float arrays meet every special value", () => {
  const met = new Set<string>();
  for (let seed = 1; seed < 200; seed++) {
    const g = drawFrom(new ChoiceSource([], entropy(seed)));
    for (const x of g.array(f32, 64)) {
      if (Number.isNaN(x)) met.add("NaN");
      else if (x === Infinity) met.add("Infinity");
      else if (x === -Infinity) met.add("-Infinity");
      else if (Object.is(x, -0)) met.add("-0");
      else if (x !== 0 && Math.abs(x) < 2 ** -126) met.add("subnormal");
    }
  }
  expect([...met].sort()).toEqual(["-0", "-Infinity", "Infinity", "NaN", "subnormal"]);
});
