/** Lanes of masks read and written one by one; masks as arguments and results of helper functions. */
import { bool, i32, kernel, type Mask, type NumD, ptr, S, type Vec } from "kpu-dsl";
import { describe, expect, test } from "vitest";
import { DTYPES, hostArray, NUMERIC, samples } from "../harness/arrays.ts";
import { execute } from "../harness/execute.ts";
import { group } from "./group.ts";

type Lanes = Vec<NumD>;

/** Helpers with masks going in and out, nested, with defaults, in arrays and objects. */
const between = (x: Lanes, low: number, high: number): Mask => S.vand(S.vcge(x, low), S.vclt(x, high));
const except = (m: Mask, not: Mask): Mask => S.vand(m, S.vinv(not));
const outside = (x: Lanes, low: number, high: number): Mask => S.vinv(between(x, low, high));
const count = (m: Mask, lanes: number): number => {
  let n = 0;
  for (let i = 0; i < lanes; i++) if (m.at(i)) n++;
  return n;
};
const first = (m: Mask, lanes: number): number => {
  for (let i = 0; i < lanes; i++) if (m.at(i)) return i;
  return -1;
};
const either = (masks: readonly Mask[], invert = false): Mask => {
  let all = masks[0] as Mask;
  for (const k of S.unroll(1, masks.length)) all = S.vor(all, masks[k] as Mask);
  return invert ? S.vinv(all) : all;
};
/** A mask with one lane set or cleared, at a place known at run time. */
function withLane(m: Mask, at: number, value: boolean, lanes: number): Mask {
  const before = S.tailMask(at, lanes);
  const upTo = S.tailMask(at + 1, lanes);
  const lane = S.vxor(before, upTo);
  return value ? S.vor(m, lane) : except(m, lane);
}

const LANES = [1, 7, 8, 9, 32, 37];
const flags = (n: number, salt: number): boolean[] =>
  Array.from({ length: n }, (_, i) => (Math.imul(i + 3 + salt * 31, 0x9e3779b1) >>> 28) % 2 === 0);

group(31, () => {
  test.each(LANES)("%i lanes: read one by one, at places known when compiled and at run time", (lanes) => {
    const read = kernel([ptr(i32), ptr(bool), i32], function read(out, p, n) {
      if (S.tileId() !== 0) return;
      const m = S.vload(p, { lanes });
      for (const i of S.unroll(lanes)) out.set(i, m.at(i) ? i + 1 : -i - 1);
      for (let i = 0; i < n; i++) out.set(lanes + i, m.at(lanes - 1 - i) ? 1 : 0);
      out.set(2 * lanes, count(m, lanes));
      out.set(2 * lanes + 1, first(m, lanes));
      out.set(2 * lanes + 2, S.vany(m) ? 1 : 0);
      out.set(2 * lanes + 3, S.vall(m) ? 1 : 0);
    });
    const cases = [
      flags(lanes, 0),
      flags(lanes, 1),
      flags(lanes, 0).map(() => true),
      flags(lanes, 0).map(() => false),
    ];
    for (const m of cases) {
      const out = new Int32Array(2 * lanes + 4);
      execute(read, [out, Uint8Array.from(m, Number), lanes]);
      expect([...out]).toEqual([
        ...m.map((b, i) => (b ? i + 1 : -i - 1)),
        ...m.map(Number).reverse(),
        m.filter(Boolean).length,
        m.indexOf(true),
        Number(m.some(Boolean)),
        Number(m.every(Boolean)),
      ]);
    }
  });

  test.each(LANES)("%i lanes: written one by one, through memory and by helper", (lanes) => {
    const write = kernel([ptr(bool), ptr(bool), i32, bool], function write(out, p, at, value) {
      const cells = S.alloc(bool, lanes);
      if (S.tileId() !== 0) return;
      S.vstore(S.vload(p, { lanes }), cells);
      cells.set(at, value);
      S.vstore(S.vload(cells, { lanes }), out);
      const m = S.vload(p, { lanes });
      S.vstore(value ? withLane(m, at, true, lanes) : withLane(m, at, false, lanes), out.at(lanes));
      for (let i = 0; i < lanes; i++) cells.set(i, !m.at(lanes - 1 - i));
      S.vstore(S.vload(cells, { lanes }), out.at(2 * lanes));
    });
    const m = flags(lanes, 2);
    for (const at of new Set([0, lanes >> 1, lanes - 1]))
      for (const value of [true, false]) {
        const out = new Uint8Array(3 * lanes);
        execute(write, [out, Uint8Array.from(m, Number), at, value]);
        const want = m.map((b, i) => Number(i === at ? value : b));
        expect([...out]).toEqual([...want, ...want, ...m.map((b) => Number(!b)).reverse()]);
      }
  });

  describe.each(NUMERIC)("%s", (name) => {
    const dtype: NumD = DTYPES[name];
    const lanes = 256 / dtype.bits + 3;
    test("masks of comparisons through helpers", () => {
      const helpers = kernel(
        [ptr(dtype), ptr(bool), ptr(i32), ptr(dtype), i32],
        function helpers(out, masks, ints, x, at) {
          if (S.tileId() !== 0) return;
          const v = S.vload(x, { lanes });
          const inside = between(v, 2, 60);
          const both = either([inside, S.vceq(v, 1), S.tailMask(at, lanes)]);
          const none = either([inside, S.vceq(v, 1)], true);
          const picked = { yes: except(both, inside), no: outside(v, 2, 60) };
          S.vstore(S.vsel(v, 1, inside), out);
          S.vstore(S.vsel(v, 3, picked.yes), out.at(lanes));
          S.vstore(both, masks);
          S.vstore(none, masks.at(lanes));
          S.vstore(picked.no, masks.at(2 * lanes));
          S.vstore(S.vsel(picked.yes, none, inside), masks.at(3 * lanes));
          S.vstore(S.vxor(both, true), masks.at(4 * lanes));
          ints.set(0, count(inside, lanes));
          ints.set(1, first(picked.no, lanes));
          ints.set(2, both.at(at) ? 1 : 0);
        },
      );
      const x = samples(name, lanes);
      const at = 4;
      const out = hostArray(name, new Array<number>(2 * lanes).fill(0));
      const masks = new Uint8Array(5 * lanes);
      const ints = new Int32Array(3);
      execute(helpers, [out, masks, ints, hostArray(name, x), at]);
      const inside = x.map((v) => v >= 2 && v < 60);
      const both = x.map((v, i) => (inside[i] as boolean) || v === 1 || i < at);
      const none = x.map((v, i) => !((inside[i] as boolean) || v === 1));
      const yes = both.map((b, i) => b && !inside[i]);
      const no = inside.map((b) => !b);
      const chosen = [...x.map((v, i) => (inside[i] ? v : 1)), ...x.map((v, i) => (yes[i] ? v : 3))];
      expect(Buffer.from(out.buffer).equals(Buffer.from(hostArray(name, chosen).buffer))).toBe(true);
      expect([...masks]).toEqual(
        [
          ...both,
          ...none,
          ...no,
          ...inside.map((b, i) => (b ? yes[i] : none[i])),
          ...both.map((b) => !b),
        ].map(Number),
      );
      expect([...ints]).toEqual([inside.filter(Boolean).length, no.indexOf(true), Number(both[at])]);
    });
  });
});
