/** Conformance 45 to 50: the language itself, against the same function run by JavaScript. */
import { f32, i32, kernel, ptr, S } from "kpu-dsl";
import { expect, test } from "vitest";
import { clampToByte, total } from "../harness/elsewhere.ts";
import { execute } from "../harness/execute.ts";

/** Runs on one tile over i32 arrays: `out` of a size, and inputs. */
const NOTHING = -99;
const outputs = (n: number): Int32Array => new Int32Array(n).fill(NOTHING);

test("45: ternary and short circuit with side effects in the arms", () => {
  const k = kernel([ptr(i32), i32, i32], function shortCircuit(out, a, b) {
    if (S.tileId() !== 0) return;
    let count = 0;
    const first = a > 0 && ((count += 1), b > 0);
    const second = a > 0 || ((count += 10), b > 0);
    const third = a > b ? ((count += 100), a) : ((count += 1000), b);
    let i = 0;
    out.set(i++, first ? 1 : 0);
    out.set(i++, second ? 1 : 0);
    out.set(i++, third);
    if (a > 5 && i++ > 0) out.set(i, 7);
    out.set(5, count);
    out.set(6, i);
  });
  const truth = (a: number, b: number): number[] => {
    const out = [...outputs(7)];
    let count = 0;
    const first = a > 0 && ((count += 1), b > 0);
    const second = a > 0 || ((count += 10), b > 0);
    const third = a > b ? ((count += 100), a) : ((count += 1000), b);
    let i = 0;
    out[i++] = first ? 1 : 0;
    out[i++] = second ? 1 : 0;
    out[i++] = third;
    if (a > 5 && i++ > 0) out[i] = 7;
    out[5] = count;
    out[6] = i;
    return out;
  };
  for (const a of [-3, 0, 1, 8]) {
    for (const b of [-2, 0, 5]) {
      const out = outputs(7);
      execute(k, [out, a, b]);
      expect([...out]).toEqual(truth(a, b));
    }
  }
});

test("46: reassigned parameters and locals, swaps by destructuring, shadowing", () => {
  const k = kernel([ptr(i32), i32, i32], function reassigned(out, a, b) {
    if (S.tileId() !== 0) return;
    if (a > b) [a, b] = [b, a];
    let x = a;
    let y = b;
    for (let i = 0; i < 5; i++) {
      const x2 = x + 1;
      {
        const x = y * 2;
        out.set(i, x);
      }
      [x, y] = [y, x2];
    }
    a += 100;
    out.set(5, a);
    out.set(6, x - y);
    const { low, high } = { low: Math.min(x, y), high: Math.max(x, y) };
    out.set(7, high * 10 + low);
  });
  for (const [a, b] of [
    [1, 2],
    [9, -4],
    [3, 3],
  ] as const) {
    let p: number = Math.min(a, b);
    const q: number = Math.max(a, b);
    const want: number[] = [];
    let [x, y] = [p, q];
    for (let i = 0; i < 5; i++) {
      want.push(y * 2);
      [x, y] = [y, x + 1];
    }
    p += 100;
    want.push(p, x - y, Math.max(x, y) * 10 + Math.min(x, y));
    const out = outputs(8);
    execute(k, [out, a, b]);
    expect([...out]).toEqual(want);
  }
});

test("47: default parameters, early return in helpers, nested helpers, helpers of another module", () => {
  function weigh(x: number, weight = 3, offset = weight * 2): number {
    if (x < 0) return offset;
    if (x > 100) {
      if (weight > 5) return 1;
      return 2;
    }
    return x * weight;
  }
  const twice = (x: number): number => weigh(weigh(x, 2), 7, 0);
  const k = kernel([ptr(i32), i32], function helpers(out, x) {
    if (S.tileId() !== 0) return;
    out.set(0, weigh(x));
    out.set(1, weigh(x, 4));
    out.set(2, weigh(x, 6, 50));
    out.set(3, twice(x));
    out.set(4, clampToByte(x));
    out.set(5, total(out, 5));
  });
  for (const x of [-5, 0, 7, 60, 101, 300]) {
    const want = [weigh(x), weigh(x, 4), weigh(x, 6, 50), twice(x), Math.min(Math.max(x, 0), 255)];
    const out = outputs(6);
    execute(k, [out, x]);
    expect([...out]).toEqual([...want, want.reduce((s, v) => s + v, 0)]);
  }
});

test("48: truthiness of 0, -0, NaN", () => {
  const k = kernel([ptr(i32), ptr(f32), i32], function truthiness(out, x, n) {
    if (S.tileId() !== 0) return;
    for (let i = 0; i < n; i++) {
      const v = x.get(i);
      let bits = 0;
      if (v) bits += 1;
      if (!v) bits += 2;
      bits += v ? 4 : 8;
      while (v && bits < 16) bits += 16;
      out.set(i, bits);
      out.set(n + i, (v || 5) as number);
      out.set(2 * n + i, (v && 6) as number);
    }
  });
  const values = [0, -0, Number.NaN, 1, -1, Infinity, 2 ** -149, 0.5];
  const want: number[][] = [[], [], []];
  for (const v of values) {
    want[0]?.push((v ? 1 : 2) + (v ? 4 : 8) + (v ? 16 : 0));
    want[1]?.push((v || 5) | 0);
    want[2]?.push((v && 6) | 0);
  }
  const out = outputs(24);
  execute(k, [out, Float32Array.from(values), 8]);
  expect([...out]).toEqual(want.flat());
});

test("49: break and continue with labels out of nested loops", () => {
  const k = kernel([ptr(i32), i32], function labels(out, n) {
    if (S.tileId() !== 0) return;
    let at = 0;
    outer: for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        if (j === 3) continue outer;
        if (i === 4) break outer;
        if (j > i) break;
        if ((i + j) % 2 === 1) continue;
        out.set(at++, i * 10 + j);
      }
      out.set(at++, 1000 + i);
    }
    block: {
      if (n > 2) break block;
      out.set(at++, 5);
    }
    let k = 0;
    do {
      k++;
      if (k === 2) continue;
      if (k === 5) break;
      out.set(at++, 2000 + k);
    } while (k < n);
    out.set(at, 3000);
  });
  for (const n of [0, 1, 2, 3, 5, 9]) {
    const want: number[] = [];
    outer: for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        if (j === 3) continue outer;
        if (i === 4) break outer;
        if (j > i) break;
        if ((i + j) % 2 === 1) continue;
        want.push(i * 10 + j);
      }
      want.push(1000 + i);
    }
    if (n <= 2) want.push(5);
    let m = 0;
    do {
      m++;
      if (m === 2) continue;
      if (m === 5) break;
      want.push(2000 + m);
    } while (m < n);
    want.push(3000);
    const out = outputs(want.length);
    execute(k, [out, n]);
    expect([...out]).toEqual(want);
  }
});

test("50: while with a condition that loads from memory", () => {
  const k = kernel([ptr(i32), ptr(i32)], function chase(out, next) {
    if (S.tileId() !== 0) return;
    let at = 0;
    let steps = 0;
    while (next.get(at) !== at) {
      at = next.get(at);
      steps++;
    }
    out.set(0, at);
    out.set(1, steps);
  });
  const next = Int32Array.from([3, 1, 0, 5, 2, 4, 6]);
  next[4] = 1;
  const out = outputs(2);
  execute(k, [out, next]);
  expect([...out]).toEqual([1, 4]);
});

test("switch on runtime values, with and without fall-through to a shared body", () => {
  const k = kernel([ptr(i32), i32], function switches(out, x) {
    if (S.tileId() !== 0) return;
    switch (x) {
      case 1:
        out.set(0, 10);
        break;
      case 2:
      case 3:
        out.set(0, 23);
        break;
      default:
        out.set(0, -1);
    }
  });
  for (const [x, want] of [
    [1, 10],
    [2, 23],
    [3, 23],
    [4, -1],
    [0, -1],
  ] as const) {
    const out = outputs(1);
    execute(k, [out, x]);
    expect(out[0]).toBe(want);
  }
});

test("51: a static condition hides code that would not compile", () => {
  const make = (wide: boolean) =>
    kernel([ptr(i32), i32], function hidden(out, x) {
      if (S.tileId() !== 0) return;
      if (wide) out.set(0, x);
      else (out as unknown as { missing(v: number): void }).missing(x);
    });
  const out = outputs(1);
  execute(make(true), [out, 5]);
  expect(out[0]).toBe(5);
  expect(() => execute(make(false), [out, 5])).toThrow(/missing/);
});
