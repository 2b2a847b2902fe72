/** Vectors of many registers: split into parts, work on the parts, concatenate, in every dtype and for masks. */
import { bool, i32, kernel, type Mask, type NumD, ptr, S, type Vec } from "kpu-dsl";
import { describe, expect, test } from "vitest";
import { DTYPES, expectNumbers, hostArray, NUMERIC, samples, zeros } from "../harness/arrays.ts";
import { execute } from "../harness/execute.ts";
import { group } from "./group.ts";

type Lanes = Vec<NumD>;

group(36, () => {
  describe.each(NUMERIC)("%s", (name) => {
    const dtype: NumD = DTYPES[name];
    const register = 256 / dtype.bits;

    test.each([
      [4 * register, 2],
      [4 * register, 4],
      [3 * register, 3],
      [60, 5],
      [100, 10],
      [35, 7],
      [2 * register, 1],
    ])("%i lanes in %i parts", (lanes, parts) => {
      const k = kernel([ptr(dtype), ptr(dtype), ptr(dtype)], function parts_(out, px, py) {
        if (S.tileId() !== 0) return;
        const x = S.vload(px, { lanes });
        const xs: Lanes[] = S.vsplit(x, parts);
        const ys: Lanes[] = S.vsplit(S.vload(py, { lanes }), parts);
        // Each part by itself, in the order of the parts and backwards.
        const worked: Lanes[] = [];
        for (const i of S.unroll(parts))
          worked.push(i % 2 === 0 ? S.vmax(xs[i]!, ys[i]! as never) : S.vmin(xs[i]!, ys[i]! as never));
        S.vstore(S.vconcat(worked), out);
        const backwards: Lanes[] = [];
        for (const i of S.unroll(parts)) backwards.push(S.vrevs(xs[parts - 1 - i]!));
        S.vstore(S.vconcat(backwards), out.at(lanes));
        // Parts go and come through memory.
        const size = lanes / parts;
        for (const i of S.unroll(parts)) S.vstore(xs[i]!, out.at(2 * lanes + i * size));
        let sum = 0;
        for (const i of S.unroll(parts))
          sum += S.vrpmax(S.vload(out.at(2 * lanes + i * size), { lanes: size }));
        out.set(3 * lanes, sum / 8);
        S.vstore(S.vconcat([...xs, ...ys]), out.at(3 * lanes + 1));
      });
      const [x, y] = [samples(name, lanes), samples(name, lanes, 3)];
      const out = zeros(name, 5 * lanes + 1);
      execute(k, [out, hostArray(name, x), hostArray(name, y)]);
      const size = lanes / parts;
      const maxima = Array.from({ length: parts }, (_, i) => Math.max(...x.slice(i * size, (i + 1) * size)));
      const holder = hostArray(name, [0]);
      const total = maxima.reduce((s, v) => s + v, 0) / 8;
      if (name === "f16" || name === "bf16") holder.set(hostArray(name, [total]));
      else holder[0] = total;
      const want = [
        ...x.map((v, i) =>
          Math.floor(i / size) % 2 === 0 ? Math.max(v, y[i] as number) : Math.min(v, y[i] as number),
        ),
        ...x.slice().reverse(),
        ...x,
      ];
      const all = hostArray(name, [...want, 0, ...x, ...y]);
      all[3 * lanes] = holder[0] as number;
      expect([...out]).toEqual([...all]);
    });

    test("by registers, the last one shorter; lists of unequal vectors and numbers; halves of each", () => {
      const lanes = 2 * register + 6;
      const k = kernel([ptr(dtype), ptr(dtype)], function registers(out, p) {
        if (S.tileId() !== 0) return;
        const x = S.vload(p, { lanes });
        const [a, b, c] = S.vsplit(x) as [Lanes, Lanes, Lanes];
        S.vstore(S.vconcat([c, a, b]), out);
        S.vstore(S.vconcat([a, 5, c]), out.at(lanes));
        S.vstore(S.vconcat([a, b, c], { part: "high" }), out.at(2 * lanes));
        S.vstore(S.vconcat([c, b], { part: "odd" }), out.at(3 * lanes));
      });
      const x = samples(name, lanes);
      const [a, b, c] = [x.slice(0, register), x.slice(register, 2 * register), x.slice(2 * register)];
      const high = (v: number[]): number[] => v.slice(v.length / 2);
      const odd = (v: number[]): number[] => v.filter((_, i) => i % 2 === 1);
      const want = [
        [...c, ...a, ...b],
        [...a, ...a.map(() => 5), ...c],
        [a, b, c].flatMap(high),
        [c, b].flatMap(odd),
      ];
      const out = zeros(name, 4 * lanes);
      execute(k, [out, hostArray(name, x)]);
      expectNumbers(
        name,
        out,
        want.flatMap((v) => [...v, ...new Array<number>(lanes - v.length).fill(0)]),
      );
    });

    test("a sum over parts of a wide vector, over any length", () => {
      const lanes = 4 * register;
      const k = kernel([ptr(dtype), ptr(dtype), i32], function wideSum(out, p, n) {
        if (S.tileId() !== 0) return;
        let acc: Lanes = S.vbcast(0, dtype, register);
        for (let i = 0; i < n; i += lanes) {
          const [a, b, c, d] = S.vsplit(S.vload(p.at(i), { mask: S.tailMask(n - i, lanes) }), 4) as Lanes[];
          acc = S.vadd(acc, S.vadd(S.vadd(a!, b! as never), S.vadd(c!, d! as never) as never) as never);
        }
        out.set(0, S.vrpadd(acc));
      });
      for (const n of [0, 1, register - 1, register, register + 1, 100]) {
        // 0 or 1, so that every sum is exact in every dtype.
        const x = Array.from({ length: n }, (_, i) => (i * 7) % 2);
        const out = zeros(name, 1);
        execute(k, [out, hostArray(name, x), n]);
        expectNumbers(name, out, [x.reduce((s, v) => s + v, 0)]);
      }
    });
  });

  test.each([
    [64, 4],
    [35, 5],
    [96, 3],
  ])("masks of %i lanes in %i parts", (lanes, parts) => {
    const k = kernel([ptr(bool), ptr(bool)], function masks(out, p) {
      if (S.tileId() !== 0) return;
      const ms: Mask[] = S.vsplit(S.vload(p, { lanes }), parts);
      const worked: Mask[] = [];
      for (const i of S.unroll(parts)) worked.push(i % 2 === 0 ? S.vinv(ms[i]!) : ms[i]!);
      S.vstore(S.vconcat(worked), out);
      S.vstore(S.vconcat([worked[parts - 1]!, true, ms[0]!]), out.at(lanes));
    });
    const m = Array.from({ length: lanes }, (_, i) => i % 5 < 2);
    const size = lanes / parts;
    const worked = m.map((b, i) => (Math.floor(i / size) % 2 === 0 ? !b : b));
    const joined = [...worked.slice(-size), ...new Array<boolean>(size).fill(true), ...m.slice(0, size)];
    const out = new Uint8Array(lanes + 3 * size);
    execute(k, [out, Uint8Array.from(m, Number)]);
    expect([...out]).toEqual([...worked, ...joined].map(Number));
  });
});
