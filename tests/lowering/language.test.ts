/** What the walk makes of the language: each kernel runs directly and as KIR, with the same bits. */
import { type AnyKernel, bool, f32, i32, kernel, ptr, recordOf, S, simulate, TARGETS, u8 } from "kpu-dsl";
import { describe, expect, it } from "vitest";
import { bindArguments } from "../../ir/hostargs.ts";
import { interpretKernel } from "../../ir/interpret.ts";
import { lowerKernel } from "../../lowering/index.ts";

/** Runs both executions on copies of the arguments and returns the outputs, which must agree. */
function both(k: unknown, args: readonly unknown[]): unknown[] {
  const copy = (): unknown[] => args.map((a) => (ArrayBuffer.isView(a) ? (a as Float32Array).slice() : a));
  const direct = copy();
  const lines: string[] = [];
  simulate(k as AnyKernel, direct as never, { tiles: 1, print: (l: string) => void lines.push(l) });
  const record = recordOf(k) as NonNullable<ReturnType<typeof recordOf>>;
  const lowered = lowerKernel(record);
  const compiled = copy();
  const printed: string[] = [];
  interpretKernel(lowered.kernel, bindArguments(record.name, lowered.paramSpecs, compiled), {
    tiles: 1,
    target: TARGETS.edge,
    print: (l) => void printed.push(l),
  });
  expect(compiled).toEqual(direct);
  expect(printed).toEqual(lines);
  return direct;
}

const xs = Float32Array.from({ length: 64 }, (_, i) => (i % 7) - 2.5);
const out = (): Float32Array => new Float32Array(64);

describe("arrays and objects", () => {
  it("register blocks: static indices, runtime values, loops", () => {
    const k = kernel([ptr(f32), ptr(f32)], function block(x, y) {
      const acc = [0, 1, 2, 3].map((v) => S.vbcast(v, f32, 8));
      for (let i = 0; i < 4; i++) {
        for (const j of S.unroll(4)) acc[j] = S.vfma(acc[j]!, S.vload(x.at(i * 8)), j);
      }
      acc.forEach((v, j) => {
        S.vstore(v, y.at(j * 8));
      });
    });
    both(k, [xs, out()]);
  });
  it("rows of arrays reached through a variable of the loop body", () => {
    const k = kernel([ptr(f32), ptr(f32)], function rows(x, y) {
      const grid = [
        [0, 0],
        [0, 0],
      ];
      for (let i = 0; i < 8; i++) {
        const row = grid[1]!;
        row[0] = row[0]! + x.get(i);
        grid[0]![1] = i;
      }
      y.set(0, grid[1]![0]!);
      y.set(1, grid[0]![1]!);
    });
    both(k, [xs, out()]);
  });
  it("objects with fields that change", () => {
    const k = kernel([ptr(f32), ptr(f32), i32], function objects(x, y, n) {
      const best = { value: -1e9, index: -1, seen: false };
      for (let i = 0; i < n; i++) {
        if (x.get(i) > best.value) Object.assign;
        if (x.get(i) > best.value) {
          best.value = x.get(i);
          best.index = i;
          best.seen = true;
        }
      }
      const { value, ...rest } = best;
      y.set(0, value);
      y.set(1, rest.index + (rest.seen ? 100 : 0));
    });
    both(k, [xs, out(), 20]);
  });
  it("spread, slices, entries, reduce, destructuring with defaults", () => {
    const k = kernel([ptr(f32), ptr(f32)], function methods(x, y) {
      const a = [x.get(0), x.get(1)];
      const b = [...a, 5, ...[7, 8]];
      const [first, , third = 9, ...others] = b;
      const [p = 4] = [] as number[];
      y.set(
        0,
        b.reduce((s, v) => s + v, 0),
      );
      y.set(1, first! + third + others.length + p);
      for (const [i, v] of b.entries()) y.set(2 + i, v * 2);
      const made = new Array<number>(3).fill(2);
      made.push(11);
      y.set(10, made.length + made.at(-1)!);
      y.set(11, Math.max(...b));
    });
    both(k, [xs, out()]);
  });
  it("double buffers swapped in a loop", () => {
    const k = kernel([ptr(f32), ptr(f32)], function swap(x, y) {
      let cur = S.alloc(f32, 8);
      let next = S.alloc(f32, 8);
      S.vstore(S.vload(x), cur);
      S.vstore(S.vload(x.at(8)), next);
      for (let i = 0; i < 3; i++) {
        S.vstore(S.vadd(S.vload(cur), i), cur);
        [cur, next] = [next, cur];
      }
      S.vstore(S.vload(cur), y);
      S.vstore(S.vload(next), y.at(8));
    });
    both(k, [xs, out()]);
  });
});

const scale = 3;
const config = { relu: true, taps: [1, 2, 3], name: "taps" };
function choose(flag: boolean, a: number, b = 10) {
  if (flag) return a;
  return b;
}
function pair(x: number) {
  if (x < 0) return [x, 0];
  if (x > 1) return [1, x];
  return [x, x];
}
const power = (x: number, n: number): number => (n === 0 ? 1 : x * power(x, n - 1));
const mapAll = (f: (i: number) => number, n: number): number[] => Array.from({ length: n }, (_, i) => f(i));

describe("helpers", () => {
  it("early returns, defaults, pairs, static recursion", () => {
    const k = kernel([ptr(f32), ptr(f32), i32], function helpers(x, y, n) {
      y.set(0, choose(n > 3, 1));
      y.set(1, choose(n < 3, 1, n));
      const [lo, hi] = pair(x.get(n));
      y.set(2, lo!);
      y.set(3, hi!);
      y.set(4, power(x.get(0), 5));
      const list = mapAll((i) => x.get(i) * scale, 3);
      for (const [i, v] of list.entries()) y.set(5 + i, v);
    });
    for (const n of [0, 3, 5]) both(k, [xs, out(), n]);
  });
  it("closures of the kernel that assign its variables", () => {
    const k = kernel([ptr(f32), ptr(f32), i32], function closures(x, y, n) {
      let total = 0;
      let count = 0;
      const take = (v: number): void => {
        if (v < 0) return;
        total += v;
        count++;
      };
      for (let i = 0; i < n; i++) take(x.get(i));
      function late(): number {
        return total * 2;
      }
      y.set(0, late());
      y.set(1, count);
    });
    both(k, [xs, out(), 30]);
  });
  it("static choices hide code that would not compile", () => {
    const missing = undefined as unknown as { value: number };
    const k = kernel([ptr(f32), ptr(f32)], function hidden(x, y) {
      if (config.relu) y.set(0, Math.max(0, x.get(0)));
      else y.set(0, missing.value);
      y.set(1, config.name === "taps" ? config.taps.length : missing.value);
      for (const [i, t] of config.taps.entries()) y.set(2 + i, t * x.get(i));
      const first = config.relu || missing.value;
      y.set(9, first ? 1 : 0);
    });
    both(k, [xs, out()]);
  });
  it("booleans, bool memory and masks", () => {
    const k = kernel([ptr(f32), ptr(bool), bool, i32], function bools(x, b, flag, n) {
      let any = false;
      for (let i = 0; i < n; i++) {
        const positive = x.get(i) > 0;
        b.set(i, positive);
        any = any || (positive && flag);
      }
      b.set(40, any);
      b.set(41, b.get(3) !== flag);
    });
    both(k, [xs, new Uint8Array(64), true, 10]);
    both(k, [xs, new Uint8Array(64), false, 10]);
  });
});

describe("control flow", () => {
  it("labels, continue of outer loops, early return of the kernel", () => {
    const k = kernel([ptr(f32), ptr(f32), i32], function labels(x, y, n) {
      let k = 0;
      rows: for (let i = 0; i < n; i++) {
        for (let j = 0; j < n; j++) {
          if (x.get(j) > 2) continue rows;
          if (i * j > 30) break rows;
          k += i + j;
        }
        k++;
      }
      y.set(0, k);
      if (k > 100) return;
      y.set(1, 1);
    });
    for (const n of [0, 4, 9, 12]) both(k, [xs, out(), n]);
  });
  it("conditions that read memory, counters that change, do-while", () => {
    const k = kernel([ptr(f32), ptr(f32), i32], function reads(x, y, n) {
      let i = 0;
      while (i < n && x.get(i) !== 3.5) i++;
      y.set(0, i);
      do {
        i -= 2;
      } while (i > 0);
      y.set(1, i);
      for (let j = 0, m = n; j < m; j++) {
        if (j === 3) m -= 2;
        y.set(2, j + m);
      }
      for (let j = n; j >= 0; j -= 3) y.set(3, j);
      for (let j = 10; j > n; --j) y.set(4, j);
    });
    for (const n of [0, 1, 7, 20]) both(k, [xs, out(), n]);
  });
  it("a switch in a loop in a helper", () => {
    const kind = (v: number): number => {
      switch (v) {
        case 0:
        case 1:
          return 10;
        case 2: {
          return 20;
        }
        default:
      }
      return v > 3 ? 40 : 30;
    };
    const k = kernel([ptr(u8), ptr(f32)], function switches(x, y) {
      for (const i of S.range(8)) y.set(i, kind(x.get(i)));
    });
    both(k, [Uint8Array.from([0, 1, 2, 3, 4, 5, 0, 2]), out()]);
  });
  it("the counter after a loop, and loops that never run", () => {
    const k = kernel([ptr(f32), i32], function after(y, n) {
      let i = 5;
      for (i = 0; i < n; i += 3);
      y.set(0, i);
      for (let j = 4; j < 2; j++) y.set(j / 3, 1);
      for (const j of S.range(n, 0, -2)) y.set(1, j);
      for (const [r, c] of S.grid(n, 3)) {
        if (c === 2) continue;
        if (r === 2) break;
        y.set(2 + r * 3 + c, r - c);
      }
    });
    for (const n of [0, 4, 5]) both(k, [out(), n]);
  });
});
