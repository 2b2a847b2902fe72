// biome-ignore-all lint: switches with fall-through and a default in the middle are the subject
/** Loops with steps of run time, `switch` with case values of run time: against the same function run by JavaScript. */

import fc from "fast-check";
import { f32, i32, kernel, ptr, S } from "kpu-dsl";
import { expect, test } from "vitest";
import { execute } from "../harness/execute.ts";

const NOTHING = -99;
const outputs = (n: number): Int32Array => new Int32Array(n).fill(NOTHING);

/** What `S.range(from, to, step)` counts. */
function counted(from: number, to: number, step: number): number[] {
  const out: number[] = [];
  for (let i = from; step > 0 ? i < to : i > to; i += step) out.push(i);
  return out;
}

test("steps of run time, in both directions", () => {
  const k = kernel([ptr(i32), i32, i32, i32], function steps(out, from, to, step) {
    if (S.tileId() !== 0) return;
    let n = 0;
    for (const i of S.range(from, to, step)) {
      if (i === 6) continue;
      out.set(n++, i);
      if (n === 40) break;
    }
    out.set(63, n);
  });
  const want = (from: number, to: number, step: number): number[] => {
    const seen = counted(from, to, step)
      .filter((i) => i !== 6)
      .slice(0, 40);
    const out = [...outputs(64)];
    out.splice(0, seen.length, ...seen);
    out[63] = seen.length;
    return out;
  };
  const edges = [-(2 ** 31), 2 ** 31 - 1, 0, 1, -1, 7, -8, 1000];
  const bound = fc.oneof(fc.constantFrom(...edges), fc.integer({ min: -50, max: 50 }));
  const far = fc.oneof(fc.constantFrom(3, -3, 2 ** 31 - 1, -(2 ** 31)), fc.integer({ min: -9, max: 9 }));
  fc.assert(
    fc.property(bound, bound, far, (from, to, step) => {
      fc.pre(step !== 0 && Math.abs((to - from) / step) < 1e5);
      const out = outputs(64);
      execute(k, [out, from, to, step]);
      expect([...out]).toEqual(want(from, to, step));
    }),
    { numRuns: 150, seed: 5 },
  );
});

test("a step of run time indexes memory, and loads it", () => {
  const k = kernel([ptr(f32), ptr(i32), i32], function strided(x, steps, n) {
    if (S.tileId() !== 0) return;
    for (const s of S.range(3)) for (const i of S.range(s, n, steps.get(s))) x.set(i, x.get(i) + s * 10 + 1);
  });
  const x = new Float32Array(20);
  execute(k, [x, Int32Array.of(2, 3, 50), 20]);
  const want = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? 1 : 0) + (i % 3 === 1 ? 11 : 0));
  want[2]! += 21;
  expect([...x]).toEqual(want);
});

test("static negative steps", () => {
  const k = kernel([ptr(i32), i32], function down(out, n) {
    if (S.tileId() !== 0) return;
    let at = 0;
    for (const i of S.range(n - 1, -1, -1)) out.set(at++, i);
    for (const i of S.range(9, n, -4)) out.set(at++, i);
    for (const i of S.unroll(3, -3, -2)) out.set(at++, i);
    for (const i of S.range(0, n, -1)) out.set(i, 1000);
  });
  const out = outputs(16);
  execute(k, [out, 5]);
  expect([...out].slice(0, 9)).toEqual([4, 3, 2, 1, 0, 9, 3, 1, -1]);
  expect(out[9]).toBe(NOTHING);
});

test("a step of zero stops the kernel", () => {
  const k = kernel([ptr(i32), i32], function zero(out, step) {
    if (S.tileId() !== 0) return;
    for (const i of S.range(0, 4, step)) out.set(i, i);
  });
  const out = outputs(4);
  execute(k, [out, 2]);
  expect([...out]).toEqual([0, NOTHING, 2, NOTHING]);
  expect(() => execute(k, [outputs(4), 0])).toThrow(/KPU3013[\s\S]*control\.test\.ts:\d+/);
});

test("switch on case values of run time, with fall-through, default anywhere", () => {
  function truth(x: number, a: number, b: number): number[] {
    const out = [0, 0, 0];
    switch (x) {
      // @ts-expect-error: falls through
      case a:
        out[0]! += 1;
      // @ts-expect-error: falls through
      default:
        out[0]! += 10;
      case b + 1:
        out[0]! += 100;
        break;
      case 7:
      case a * b:
        out[0]! += 1000;
    }
    switch (true) {
      case x > a:
        out[1] = 1;
        break;
      case x < b:
        out[1] = 2;
        break;
      default:
        out[1] = 3;
    }
    for (let i = 0; i < 4; i++) {
      switch (i) {
        case a:
          continue;
        case b:
          out[2]! += 5;
          break;
        case 2:
          out[2]! += 1;
      }
      out[2]! *= 2;
    }
    return out;
  }
  const k = kernel([ptr(i32), i32, i32, i32], function switches(out, x, a, b) {
    if (S.tileId() !== 0) return;
    let first = 0;
    switch (x) {
      // @ts-expect-error: falls through
      case a:
        first += 1;
      // @ts-expect-error: falls through
      default:
        first += 10;
      case b + 1:
        first += 100;
        break;
      case 7:
      case a * b:
        first += 1000;
    }
    out.set(0, first);
    switch (true) {
      case x > a:
        out.set(1, 1);
        break;
      case x < b:
        out.set(1, 2);
        break;
      default:
        out.set(1, 3);
    }
    let third = 0;
    for (let i = 0; i < 4; i++) {
      switch (i) {
        case a:
          continue;
        case b:
          third += 5;
          break;
        case 2:
          third += 1;
      }
      third *= 2;
    }
    out.set(2, third);
  });
  for (const x of [0, 1, 2, 3, 7, 12])
    for (const a of [0, 1, 3, 7])
      for (const b of [0, 2, 4]) {
        const out = outputs(3);
        execute(k, [out, x, a, b]);
        expect([...out], `${x} ${a} ${b}`).toEqual(truth(x, a, b));
      }
});

test("case values are evaluated in order, and only until one matches", () => {
  const calls: number[] = [];
  const k = kernel([ptr(i32), ptr(i32), i32], function lazily(out, table, x) {
    if (S.tileId() !== 0) return;
    let n = 0;
    const next = (): number => table.get(n++);
    switch (x) {
      case next():
        out.set(0, 1);
        break;
      case (n += 1):
      // @ts-expect-error: falls through
      case next():
        out.set(0, 2);
      case table.get(1000 * (n - 3)):
        out.set(1, 3);
        break;
      default:
        out.set(0, 4);
    }
    out.set(2, n);
  });
  const table = Int32Array.of(5, 6, 9);
  const run = (x: number): number[] => {
    const out = outputs(3);
    execute(k, [out, table, x]);
    calls.push(x);
    return [...out];
  };
  expect(run(5)).toEqual([1, NOTHING, 1]);
  expect(run(2)).toEqual([2, 3, 2]);
  expect(run(9)).toEqual([2, 3, 3]);
  expect(run(4)).toEqual([4, NOTHING, 3]);
  expect(calls).toEqual([5, 2, 9, 4]);
});

test("an access in a case value that is not reached is not made", () => {
  const k = kernel([ptr(i32), ptr(i32), i32, i32], function guarded(out, table, x, at) {
    if (S.tileId() !== 0) return;
    switch (x) {
      case 0:
        out.set(0, 1);
        break;
      case table.get(at):
        out.set(0, 2);
        break;
      default:
        out.set(0, 3);
    }
  });
  const run = (x: number, at: number): number => {
    const out = outputs(1);
    execute(k, [out, Int32Array.of(8), x, at]);
    return out[0]!;
  };
  expect([run(0, 500), run(8, 0), run(7, 0)]).toEqual([1, 2, 3]);
  expect(() => run(7, 500)).toThrow(/KPU4001/);
});
